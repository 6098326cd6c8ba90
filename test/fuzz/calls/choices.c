#include "choices.h"

#include <stdio.h>

#include "callbacks.h"
#include "server.h"

enum { VALUES_MAX = 5 };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const urls[] = {
	"https://api.example/ok",
	"http://127.0.0.1:8080/ok",
	"https://api.example/long",
	"http://127.0.0.1:8080/long",
	"https://elsewhere.example/ok",
	"https://api.example/refuse",
	"https://api.example/big",
	"https://api.example/continue",
	"http://127.0.0.1:8080/dies",
	"https://api.example/dies",
	"https://api.example/push",
	"https://api.example/back",
	"https://api.example/host",
	"http://127.0.0.1:8080/host307",
	"https://api.example/port",
	"https://api.example/scheme",
	"https://api.example/imap",
	"https://api.example/same",
	"http://127.0.0.1:8080/local",
	"https://api.example/same307",
	"https://api.example/error",
	"http://127.0.0.1:8080/empty",
	"https://user:word@api.example/ok",
	"https://api.example:444/ok",
	"http://127.0.0.1:9090/ok",
	"http://api.example/ok",
	"api.example/ok",
	"imap://api.example/",
	"127.0.0.1:8080/ok",
};

#define ANY_CALLBACK(function) ((void (*)(void))(function))

struct option_row {
	CURLoption option;
	enum choice_kind kind;
	unsigned count;
	const char *texts[VALUES_MAX];
	long numbers[VALUES_MAX];
	void (*functions[VALUES_MAX])(void);
};

#define LONGS(name, ...) \
	{ \
		.option = CURLOPT_##name, .kind = CHOICE_LONG, .numbers = {__VA_ARGS__}, \
		.count = COUNT(((long[]){__VA_ARGS__})) \
	}
#define TEXTS(name, ...) \
	{ \
		.option = CURLOPT_##name, .kind = CHOICE_TEXT, .texts = {__VA_ARGS__}, \
		.count = COUNT(((const char *[]){__VA_ARGS__})) \
	}
#define CALLS(name, ...) \
	{ \
		.option = CURLOPT_##name, .kind = CHOICE_FUNCTION, .count = 2, .functions = { \
			ANY_CALLBACK(__VA_ARGS__) \
		} \
	}
#define OTHER(name, what) \
	{ \
		.option = CURLOPT_##name, .kind = CHOICE_##what, .count = 1 \
	}

static const struct option_row rows[] = {
	TEXTS(URL, ""),
	TEXTS(URL, ""),
	TEXTS(URL, ""),
	TEXTS(URL, ""),
	OTHER(CURLU, CURLU),
	OTHER(CURLU, CURLU),
	LONGS(PORT, 0, 0, 8080, 9090, 443),
	TEXTS(DEFAULT_PROTOCOL, NULL, "https", "http"),
	OTHER(HTTPHEADER, LIST),
	LONGS(HTTPAUTH, CURLAUTH_BASIC, (long)CURLAUTH_ANY, CURLAUTH_BEARER),
	LONGS(UNRESTRICTED_AUTH, 0, 1),
	LONGS(NETRC, CURL_NETRC_IGNORED, CURL_NETRC_OPTIONAL, CURL_NETRC_REQUIRED),
	TEXTS(USERPWD, NULL, NULL, "user:word"),
	TEXTS(USERNAME, NULL, NULL, "user"),
	TEXTS(PASSWORD, NULL, NULL, "word"),
	TEXTS(XOAUTH2_BEARER, NULL, NULL, "own"),
	TEXTS(AWS_SIGV4, NULL, NULL, "aws:amz"),
	LONGS(CONNECT_ONLY, 0, 0, 0, 1),
	LONGS(SSL_VERIFYPEER, 1, 1, 0),
	LONGS(SSL_VERIFYHOST, 2, 2, 0),
	TEXTS(PROXY, NULL, "", "http://proxy.example:3128"),
	TEXTS(PRE_PROXY, NULL, NULL, "socks5://proxy.example"),
	TEXTS(NOPROXY, NULL, "*", "127.0.0.1", "other.example", ""),
	TEXTS(UNIX_SOCKET_PATH, NULL, NULL, NULL, "/run/socket"),
	OTHER(CONNECT_TO, LIST),
	LONGS(PROTOCOLS, -1, CURLPROTO_HTTP | CURLPROTO_HTTPS, CURLPROTO_HTTPS),
	TEXTS(PROTOCOLS_STR, "all", "http,https,imap", "HTTPS"),
	LONGS(REDIR_PROTOCOLS, -1, FAKE_REDIRECTS, CURLPROTO_HTTPS | CURLPROTO_IMAP),
	TEXTS(REDIR_PROTOCOLS_STR, "all", "http,https", "https,imap"),
	OTHER(ERRORBUFFER, ERROR_BUFFER),
	TEXTS(POSTFIELDS, NULL, "a=b", "a longer body"),
	TEXTS(COPYPOSTFIELDS, "copied"),
	LONGS(POST, 0, 1),
	LONGS(UPLOAD, 1, 0),
	LONGS(UPLOAD, 1, 0),
	LONGS(HTTPGET, 1),
	LONGS(HTTPGET, 1),
	LONGS(NOBODY, 0, 1),
	TEXTS(CUSTOMREQUEST, NULL, "DELETE"),
	//	OTHER(HTTPPOST, FORM),
	OTHER(HTTPPOST, FORM),
	LONGS(HEADER, 0, 0, 1),
	LONGS(FOLLOWLOCATION, 1, 1, 0),
	LONGS(FAILONERROR, 0, 1),
	LONGS(NOPROGRESS, 0, 1),
	CALLS(XFERINFOFUNCTION, callback_progress),
	OTHER(XFERINFODATA, FILE),
	CALLS(WRITEFUNCTION, callback_write),
	OTHER(WRITEDATA, FILE),
	CALLS(HEADERFUNCTION, callback_header),
	//	OTHER(HEADERDATA, FILE),
	OTHER(HEADERDATA, FILE),
	CALLS(READFUNCTION, callback_read),
	CALLS(READFUNCTION, fread),
	OTHER(READDATA, FILE),
	CALLS(SEEKFUNCTION, callback_seek),
	CALLS(SEEKFUNCTION, callback_seek_not),
	OTHER(SEEKDATA, FILE),
	CALLS(IOCTLFUNCTION, callback_ioctl),
	OTHER(IOCTLDATA, FILE),
	CALLS(OPENSOCKETFUNCTION, callback_open),
	OTHER(OPENSOCKETDATA, FILE),
	CALLS(PREREQFUNCTION, callback_ready),
	OTHER(PREREQDATA, FILE),
};

const char *choice_url(uint8_t value)
{
	return urls[value % COUNT(urls)];
}

struct choice choice_of(uint8_t option, uint8_t value)
{
	const struct option_row *row = &rows[option % COUNT(rows)];
	unsigned index = value % row->count;
	struct choice choice = {.option = row->option, .kind = row->kind};

	if (row->option == CURLOPT_URL)
		choice.setting = fake_constant(choice_url(value));
	else if (row->kind == CHOICE_LONG)
		choice.setting.number = row->numbers[index];
	else if (row->kind == CHOICE_TEXT)
		choice.setting = fake_constant(row->texts[index]);
	else if (row->kind == CHOICE_FUNCTION)
		choice.setting.pointer = (void *)row->functions[index];
	return choice;
}
