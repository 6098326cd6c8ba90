#ifndef HANDLE_H
#define HANDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/token.h"
#include "heldresponse.h"
#include "resolve.h"

/*
 * What the application has set on its handles. libcurl cannot be asked for it, so
 * curl_easy_setopt() is watched. Only handles whose creation the plugin saw have a record. One
 * thread at a time uses a record, as it does the handle.
 */
enum fact {
	FACT_USER = 1 << 0,
	FACT_PASSWORD = 1 << 1,
	FACT_NETRC_REQUIRED = 1 << 2,
	FACT_SIGV4 = 1 << 3,
	FACT_BEARER = 1 << 4,
	FACT_CONNECT_ONLY = 1 << 5,
	FACT_PEER_UNVERIFIED = 1 << 6,
	FACT_HOST_UNVERIFIED = 1 << 7,
	FACT_PROXY = 1 << 8,
	FACT_NO_PROXY = 1 << 9, /* CURLOPT_PROXY "": ignore the proxies of the environment too */
	FACT_PRE_PROXY = 1 << 10,
	FACT_UNIX_SOCKET = 1 << 11,
	FACT_ABSTRACT_SOCKET = 1 << 12,
	FACT_CONNECT_TO = 1 << 13,
	FACT_DOH = 1 << 14, /* also name servers that the application chose; see options_ever() */
	FACT_PROTOCOLS = 1 << 15, /* set as a number */
	FACT_REDIR_PROTOCOLS = 1 << 16,
	FACT_FOLLOW = 1 << 17,
	FACT_HEADER_IN_BODY = 1 << 18,
	FACT_UPLOAD = 1 << 19,
	FACT_POST = 1 << 20,
	FACT_FORM = 1 << 21,
	FACT_CUSTOM_METHOD = 1 << 22,
	FACT_RESOLVE = 1 << 23, /* for this and the next two see options_ever() */
	FACT_HSTS = 1 << 24,
	FACT_ALT_SVC = 1 << 25,
	FACT_SOCKET = 1 << 26, /* the application opens, sets up or binds sockets itself */
	FACT_TRAILERS = 1 << 27,
	FACT_KEEP_SENDING = 1 << 28,
};

/* A string that libcurl copied. The memory is kept for the next value. */
struct text {
	char *bytes;
	size_t size;
	bool set;
};

/* Make room. False if memory is short; the text is then unchanged. */
bool text_reserve(struct text *text, size_t size);

/* Set it; there must be room. NULL unsets it. */
void text_set(struct text *text, const char *value);

/* Whether it is set to value. */
bool text_is(const struct text *text, const char *value);

enum carried { CARRIED_NOTHING, CARRIED_TOKEN, CARRIED_DOOM, CARRIED_BLANK };

/* Which callbacks of the application the plugin has wrapped. */
enum wrap {
	WRAP_WRITE = 1 << 0,
	WRAP_HEADER = 1 << 1,
	WRAP_READ = 1 << 2,
};

/* What happens to the response that comes in; see replay.h. */
struct replay {
	enum {
		REPLAY_OFF,       /* the application gets it */
		REPLAY_WATCHING,  /* it may turn out to be a 401 on our token */
		REPLAY_HOLDING,   /* it is one; it is held, and the handle has another token */
		REPLAY_RELEASING, /* the application gets the held bytes first */
		REPLAY_SECOND,    /* it answers the repeated request */
		REPLAY_PAUSED,    /* the transfer is over, but not all held bytes are taken */
	} phase;
	struct held held;
	unsigned interim; /* how many 1xx and redirects the application has seen */
	bool swallowing;
	bool refused; /* the server rejected the token at the first try */
	bool renewed;
	bool read;                 /* the application's callback has read from the body */
	curl_read_callback source; /* set when the transfer started, and so used for all of it */
	void *source_data;
	long offset;     /* position of the file that the body is read from */
	CURLcode result; /* of the first try; of the whole while it is REPLAY_PAUSED */
	long reported;   /* the response code to report, 0 for libcurl's own */
};

struct realm;
struct multi;

/* What the plugin has put on a handle for the transfer under way, and knows of that. */
struct load {
	enum carried carried;
	bool bearer_only; /* CURLOPT_HTTPAUTH, which stays on until a transfer carries no token */
	bool unsent;      /* libcurl may still hold a header with a token; inject.c */
	bool url_pinned;  /* libcurl has pinned_url */
	bool proxy_pinned;
	bool redirects_restricted;
	bool timeout_extended;
	bool too_late;             /* it started without a token, or towards another origin */
	const struct realm *realm; /* of the transfer's origin, NULL: not in scope */
	char *doom;                /* the reason */
	CURLU *pinned_url;         /* a duplicate of url_handle */
	char fingerprint[TOKEN_FINGERPRINT_BYTES]; /* of the token */
};

/* Where a handle is: in curl_easy_perform(), or in a multi handle of the application. */
struct seat {
	bool performing;
	bool driven;  /* its multi handle has worked, and its end has not been told */
	bool counted; /* in multi->carrying */
	CURLM *multi;
	unsigned long multi_serial;
	struct easy *fresh_next;
};

struct easy {
	const struct libcurl *libcurl;
	CURL *handle;

	/* set by the application */
	unsigned facts;
	struct text url; /* unset when a transfer starts with a CURLU, as in libcurl */
	CURLU *url_handle;
	long port;
	struct text default_protocol;
	struct curl_slist *headers;
	struct curl_httppost *form;
	unsigned long http_auth;
	long unrestricted_auth;
	long netrc;
	long timeout_ms;
	struct text no_proxy;
	long protocols;
	struct text protocols_text;
	long redir_protocols;
	struct text redir_protocols_text;
	char *error_buffer;
	void *post_fields;
	curl_write_callback write;
	void *write_data;
	curl_write_callback header;
	void *header_data;
	curl_read_callback read;
	void *read_data;
	curl_seek_callback seek;
	void *seek_data;
	curl_ioctl_callback ioctl;
	void *ioctl_data;
	curl_xferinfo_callback xferinfo;
	curl_progress_callback progress;
	void *progress_data;
	long no_progress;

	/* the realm of the URL, remembered; everything else is judged each time */
	bool target_known;
	const struct realm *target;

	unsigned wraps; /* enum wrap; those that receive stay on */
	struct load load;
	struct seat seat;
	struct replay replay;
};

/* Past the hooks, and without a trace in the record; the value as the option's type wants it. */
#define easy_set(easy, option, value) \
	((easy)->libcurl->own.easy_setopt((easy)->handle, option, value))

/* A number that libcurl knows of the transfer; 0 where it does not. */
static inline long easy_info(const struct easy *easy, CURLINFO info)
{
	long value = 0;

	easy->libcurl->own.easy_getinfo(easy->handle, info, &value);
	return value;
}

/* The URL that the transfer has come to; NULL where libcurl has none. */
static inline const char *easy_url(const struct easy *easy)
{
	const char *url = NULL;

	easy->libcurl->own.easy_getinfo(easy->handle, CURLINFO_EFFECTIVE_URL, &url);
	return url && *url ? url : NULL;
}

/* NULL if the plugin did not see the handle being created. */
struct easy *easy_find(const CURL *handle);

/*
 * A record for a new handle. It replaces an older record of that address. NULL if memory is short.
 */
struct easy *easy_create(CURL *handle, const struct libcurl *libcurl);

/* The same for a handle that was duplicated, with the load of the original. */
struct easy *easy_duplicate(CURL *copy, const struct easy *original);

/* curl_easy_reset() was called: neither the application nor the plugin has anything set. */
void easy_reset(struct easy *easy);

/* Take out the record of a handle that is about to be freed: its address may be reused. */
struct easy *easy_take(const CURL *handle);
void easy_free(struct easy *easy);

/* A multi handle of the application that easy handles were added to. */
struct multi {
	const struct libcurl *libcurl;
	CURLM *handle;
	unsigned long serial;     /* tells it from others that had its address */
	unsigned carrying;        /* transfers that carry a token */
	struct easy *fresh;       /* added, but not driven since */
	struct message *messages; /* read from libcurl, but not yet by the application */
	curl_push_callback push;
	void *push_data;
	curl_multi_timer_callback timer;
	void *timer_data;
};

/* Of the end of a transfer. */
struct message {
	CURLMsg *message; /* libcurl's */
	struct message *next;
};

struct multi *multi_find(const CURLM *handle);

/* The same, created if there is none yet. NULL if memory is short. */
struct multi *multi_get(CURLM *handle, const struct libcurl *libcurl);

/* The handle was added to it, or removed; NULL has no effect. */
void multi_join(struct multi *multi, struct easy *easy);
void multi_part(struct easy *easy);

/* The multi handle that the easy handle is in. NULL if there is none, or if it was cleaned up. */
struct multi *multi_of(const struct easy *easy);

/* Remember an easy handle until the multi handle is driven. Take one; NULL if there are no more. */
void multi_put_fresh(struct multi *multi, struct easy *easy);
struct easy *multi_take_fresh(struct multi *multi);

/* It carries a token, or no longer does. */
void multi_count(struct easy *easy);
void multi_discount(struct easy *easy);

/*
 * Append a message; take the first, which is the caller's to free. A message waits for as long as
 * its transfer is REPLAY_PAUSED, and is passed over until then.
 */
void multi_keep_message(struct multi *multi, struct message *message);
struct message *multi_take_message(struct multi *multi);
int multi_count_messages(const struct multi *multi, bool waiting);

/* The easy handle was removed: drop its message, as libcurl does. */
void multi_drop_message(struct multi *multi, const CURL *handle);

/* Take the record of a multi handle that is about to be freed; put it back if it was not. */
struct multi *multi_take(const CURLM *handle);
void multi_restore(struct multi *multi);
void multi_free(struct multi *multi);

#endif
