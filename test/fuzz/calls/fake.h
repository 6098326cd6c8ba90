#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>

#include "options.h"
#include "resolve.h"

/*
 * A libcurl without a network. It keeps options, pairs callbacks, follows redirects and decides on
 * credentials as the real one does; what it would send goes to server.h, which answers. A transfer
 * takes one step in each curl_multi_perform(), so that anything may happen in between.
 */

/* In which ways libcurls differ. */
struct fake_flavour {
	bool inner_hooked; /* its inner calls go through its exported names, and so through the
			      hooks */
	bool eight;        /* 8.x: a CURLU always replaces the stored URL */
};

extern struct fake_flavour fake_flavour;

/* The options that are modelled, their types, and what they are before they are set. */
#define FAKE_OPTIONS(X) \
	X(URL, TEXT, 0) \
	X(CURLU, POINTER, 0) \
	X(PORT, LONG, 0) \
	X(DEFAULT_PROTOCOL, TEXT, 0) \
	X(HTTPHEADER, POINTER, 0) \
	X(HTTPAUTH, LONG, CURLAUTH_BASIC) \
	X(UNRESTRICTED_AUTH, LONG, 0) \
	X(NETRC, LONG, 0) \
	X(USERNAME, TEXT, 0) \
	X(PASSWORD, TEXT, 0) \
	X(XOAUTH2_BEARER, TEXT, 0) \
	X(AWS_SIGV4, TEXT, 0) \
	X(CONNECT_ONLY, LONG, 0) \
	X(SSL_VERIFYPEER, LONG, 1) \
	X(SSL_VERIFYHOST, LONG, 2) \
	X(PROXY, TEXT, 0) \
	X(PRE_PROXY, TEXT, 0) \
	X(NOPROXY, TEXT, 0) \
	X(UNIX_SOCKET_PATH, TEXT, 0) \
	X(CONNECT_TO, POINTER, 0) \
	X(PROTOCOLS, LONG, -1) \
	X(REDIR_PROTOCOLS, LONG, FAKE_REDIRECTS) \
	X(ERRORBUFFER, POINTER, 0) \
	X(POSTFIELDS, POINTER, 0) \
	X(CUSTOMREQUEST, TEXT, 0) \
	X(HTTPPOST, POINTER, 0) \
	X(HEADER, LONG, 0) \
	X(FOLLOWLOCATION, LONG, 0) \
	X(FAILONERROR, LONG, 0) \
	X(NOPROGRESS, LONG, 1) \
	X(XFERINFOFUNCTION, POINTER, 0) \
	X(XFERINFODATA, POINTER, 0) \
	X(WRITEFUNCTION, POINTER, fwrite) \
	X(WRITEDATA, POINTER, stdout) \
	X(HEADERFUNCTION, POINTER, 0) \
	X(HEADERDATA, POINTER, 0) \
	X(READFUNCTION, POINTER, fread) \
	X(READDATA, POINTER, stdin) \
	X(SEEKFUNCTION, POINTER, 0) \
	X(SEEKDATA, POINTER, 0) \
	X(IOCTLFUNCTION, POINTER, 0) \
	X(IOCTLDATA, POINTER, 0) \
	X(OPENSOCKETFUNCTION, POINTER, 0) \
	X(OPENSOCKETDATA, POINTER, 0) \
	X(PREREQFUNCTION, POINTER, 0) \
	X(PREREQDATA, POINTER, 0)

enum { FAKE_REDIRECTS = CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FTP | CURLPROTO_FTPS };

enum fake_option {
#define FAKE_OPTION(name, ...) FAKE_##name,
	FAKE_OPTIONS(FAKE_OPTION)
#undef FAKE_OPTION
		FAKE_OPTION_COUNT
};

enum fake_method { FAKE_GET, FAKE_HEAD, FAKE_PUT, FAKE_POST, FAKE_FORM };

/* Where a request goes. */
struct fake_place {
	char scheme[8];
	char host[40];
	long port;
	char path[40];
	bool user; /* in the URL */
};

enum { FAKE_BODY_MAX = 40 };

enum fake_stage {
	FAKE_IDLE,
	FAKE_START,
	FAKE_CONNECT,
	FAKE_SEND,
	FAKE_HEAD_COMES,
	FAKE_BODY_COMES,
	FAKE_DONE,
};

struct fake_answer {
	long status;
	long interim;      /* a 1xx before it, or 0 */
	char location[64]; /* of a redirect, or empty */
	unsigned pieces;   /* of body */
	unsigned piece_bytes;
	bool pushes; /* another response besides */
	bool dies;   /* the connection is dead: once more, on another */
};

struct fake_transfer {
	enum fake_stage stage;
	unsigned serial;   /* of those the application started */
	unsigned attempt;  /* how often it was started before, without the application */
	unsigned hop;      /* redirects so far */
	unsigned requests; /* in this attempt */
	struct fake_place first, at;
	bool proxied;
	bool diverted;
	bool verified; /* the server, by its certificate */
	bool netrc;    /* which has an entry for where it is */
	bool died;
	enum fake_method method;
	curl_read_callback read; /* as they were when it started */
	void *read_data;
	unsigned read_from;
	char body[FAKE_BODY_MAX + 1];
	size_t length; /* of what was read so far */
	bool has_read;
	bool prepared;
	bool disturbed;    /* something was changed since it began */
	unsigned failures; /* of the supplier, before it */
	bool paused_to_read;
	bool paused_to_write;
	unsigned piece;
	unsigned line;
	unsigned announced; /* up to which line the responses have begun */
	bool hidden;        /* from the application */
	struct fake_answer answer;
	CURLcode result;
};

struct fake_multi;

struct fake_easy {
	struct fake_easy *next; /* of all there are */
	union setting set[FAKE_OPTION_COUNT];
	char *post_copy;
	enum fake_method method;
	char *url; /* what the real one calls state.url, and whether that is no longer CURLOPT_URL
		    */
	bool url_parsed;
	bool url_replaced; /* perhaps, CURLOPT_URL by what a CURLU held */
	struct fake_multi *multi;
	bool performing;
	long response;
	long redirects;
	long request_size; /* of all that was sent */
	CURLMsg message;
	struct fake_transfer transfer;
};

/* In the order they were added. */
enum { FAKE_MULTI_MAX = 8 };

struct fake_multi {
	struct fake_easy *easies[FAKE_MULTI_MAX];
	unsigned count;
	struct fake_easy *done[FAKE_MULTI_MAX]; /* with messages not read */
	unsigned done_count;
	curl_push_callback push;
	void *push_data;
	bool busy; /* in a callback */
};

extern struct fake_easy *fake_easies;

/* The functions of libcurl, under names of their own. */
#define FAKE_FUNCTION(result, name, parameters) result fake_##name parameters;
HOOKED(FAKE_FUNCTION)
#undef FAKE_FUNCTION
CURLM *fake_multi_init(void);
CURLMcode fake_multi_setopt(CURLM *multi, CURLMoption option, ...);
CURLMcode fake_multi_set(struct fake_multi *multi, CURLMoption option, union setting setting);
CURLcode fake_easy_pause(CURL *handle, int bitmask);
CURLcode fake_setopt(struct fake_easy *easy, CURLoption option, union setting setting);

/* A function's address by the name it has without "curl_", the real one's for the URL API. */
void *fake_symbol(const char *name);

/* Where the machine code of this libcurl is, and whether its inner calls go through the hooks. */
extern const char fake_code[64];
#define FAKE_INNER ((struct site){NODE_PLAIN, fake_code + 1})
bool fake_is_hooked(void);

/* Nothing may be left. */
void fake_check_empty(void);

/* transfer.c: begin; take one step, and whether it is over then. */
void transfer_start(struct fake_easy *easy);
bool transfer_step(struct fake_easy *easy);

/* push.c: a response to what nobody asked for, on a duplicate of the handle. */
void push_response(struct fake_easy *parent);

/* What stands behind "Authorization" in CURLOPT_HTTPHEADER, NULL where it does not. */
const char *transfer_own_authorization(const struct fake_easy *easy);

/* An option's value that is only read. */
static inline union setting fake_constant(const void *value)
{
	return (union setting){.pointer = (void *)(uintptr_t)value};
}

static inline long fake_long(const struct fake_easy *easy, enum fake_option option)
{
	return easy->set[option].number;
}

static inline void *fake_pointer(const struct fake_easy *easy, enum fake_option option)
{
	return easy->set[option].pointer;
}

#endif
