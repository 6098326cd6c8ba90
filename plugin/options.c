#include "options.h"

#include <string.h>

#include "handle.h"

atomic_uint options_ever_set;

/* How an option changes the record. */
enum rule_kind {
	RULE_NONE,
	RULE_FACT_IF_SET,  /* set if the pointer is not NULL */
	RULE_FACT_IF_TRUE, /* set if the number is not 0 */
	RULE_FACT_IF_FALSE,
	RULE_LONG,
	RULE_POINTER,
	RULE_TEXT,
	RULE_HTTP_AUTH,
	RULE_NETRC,
	RULE_PROXY,
	RULE_EVER_IF_SET,
	RULE_EVER_IF_TRUE,
	RULE_SECONDS,
	RULE_METHOD, /* the method if the number is not 0; GET if it is 0 and there is a fact */
	RULE_FIELDS, /* POST, even if the pointer is NULL */
	RULE_FORM,
	RULE_PROTOCOLS, /* a number and a fact; the text is void */
	RULE_PROTOCOLS_TEXT,
};

struct rule {
	unsigned char kind;
	unsigned char place; /* in struct easy, counted in pointers */
	unsigned char option_type;
	bool decides; /* whether and how a token is carried */
	unsigned facts;
};

/* The table has an entry for each number; libcurl has used about 330. */
enum { OPTIONS_MAX = 400 };

#define PLACE(field)      (offsetof(struct easy, field) / sizeof(void *))
#define RULE(option, ...) [(option) % 10000] = {.option_type = (option) / 10000, __VA_ARGS__}
#define FACT(option, kind_of, fact) \
	RULE(option, .kind = RULE_##kind_of, .decides = true, .facts = (fact))
#define KEEP(option, kind_of, field) \
	RULE(option, .kind = RULE_##kind_of, .decides = true, .place = PLACE(field))
#define NOTE(option, field)         RULE(option, .kind = RULE_POINTER, .place = PLACE(field))
#define BODY(option, kind_of, fact) RULE(option, .kind = RULE_##kind_of, .facts = (fact))

static const struct rule rules[OPTIONS_MAX] = {
	KEEP(CURLOPT_URL, TEXT, url),
	KEEP(CURLOPT_CURLU, POINTER, url_handle),
	KEEP(CURLOPT_PORT, LONG, port),
	KEEP(CURLOPT_DEFAULT_PROTOCOL, TEXT, default_protocol),
	KEEP(CURLOPT_HTTPHEADER, POINTER, headers),
	RULE(CURLOPT_HTTPAUTH, .kind = RULE_HTTP_AUTH, .decides = true),
	KEEP(CURLOPT_UNRESTRICTED_AUTH, LONG, unrestricted_auth),
	KEEP(CURLOPT_NOPROXY, TEXT, no_proxy),
	NOTE(CURLOPT_ERRORBUFFER, error_buffer),
	NOTE(CURLOPT_WRITEFUNCTION, write),
	NOTE(CURLOPT_WRITEDATA, write_data),
	NOTE(CURLOPT_HEADERFUNCTION, header),
	NOTE(CURLOPT_HEADERDATA, header_data),
	NOTE(CURLOPT_READFUNCTION, read),
	NOTE(CURLOPT_READDATA, read_data),
	NOTE(CURLOPT_SEEKFUNCTION, seek),
	NOTE(CURLOPT_SEEKDATA, seek_data),
	NOTE(CURLOPT_IOCTLFUNCTION, ioctl),
	NOTE(CURLOPT_IOCTLDATA, ioctl_data),
	NOTE(CURLOPT_XFERINFOFUNCTION, xferinfo),
	NOTE(CURLOPT_PROGRESSFUNCTION, progress),
	NOTE(CURLOPT_PROGRESSDATA, progress_data),
	RULE(CURLOPT_NOPROGRESS, .kind = RULE_LONG, .place = PLACE(no_progress)),
	NOTE(CURLOPT_TIMEOUT_MS, timeout_ms),
	RULE(CURLOPT_TIMEOUT, .kind = RULE_SECONDS, .place = PLACE(timeout_ms)),
	BODY(CURLOPT_POSTFIELDS, FIELDS, 0),
	BODY(CURLOPT_COPYPOSTFIELDS, FIELDS, 0),
	BODY(CURLOPT_HEADER, FACT_IF_TRUE, FACT_HEADER_IN_BODY),
	BODY(CURLOPT_UPLOAD, METHOD, FACT_UPLOAD),
	BODY(CURLOPT_PUT, METHOD, FACT_UPLOAD),
	BODY(CURLOPT_POST, METHOD, FACT_POST),
	BODY(CURLOPT_HTTPGET, METHOD, 0),
	BODY(CURLOPT_NOBODY, METHOD, 0),
	BODY(CURLOPT_MIMEPOST, FORM, 0),
	BODY(CURLOPT_HTTPPOST, FORM, 0),
	BODY(CURLOPT_CUSTOMREQUEST, FACT_IF_SET, FACT_CUSTOM_METHOD),
	FACT(CURLOPT_USERPWD, FACT_IF_SET, FACT_USER | FACT_PASSWORD),
	FACT(CURLOPT_USERNAME, FACT_IF_SET, FACT_USER),
	FACT(CURLOPT_PASSWORD, FACT_IF_SET, FACT_PASSWORD),
	FACT(CURLOPT_NETRC, NETRC, FACT_NETRC_REQUIRED),
	FACT(CURLOPT_AWS_SIGV4, FACT_IF_SET, FACT_SIGV4),
	FACT(CURLOPT_XOAUTH2_BEARER, FACT_IF_SET, FACT_BEARER),
	FACT(CURLOPT_CONNECT_ONLY, FACT_IF_TRUE, FACT_CONNECT_ONLY),
	FACT(CURLOPT_SSL_VERIFYPEER, FACT_IF_FALSE, FACT_PEER_UNVERIFIED),
	FACT(CURLOPT_SSL_VERIFYHOST, FACT_IF_FALSE, FACT_HOST_UNVERIFIED),
	FACT(CURLOPT_PROXY, PROXY, FACT_PROXY),
	FACT(CURLOPT_PRE_PROXY, FACT_IF_SET, FACT_PRE_PROXY),
	FACT(CURLOPT_UNIX_SOCKET_PATH, FACT_IF_SET, FACT_UNIX_SOCKET),
	FACT(CURLOPT_ABSTRACT_UNIX_SOCKET, FACT_IF_SET, FACT_ABSTRACT_SOCKET),
	FACT(CURLOPT_CONNECT_TO, FACT_IF_SET, FACT_CONNECT_TO),
	FACT(CURLOPT_FOLLOWLOCATION, FACT_IF_TRUE, FACT_FOLLOW),
	FACT(CURLOPT_KEEP_SENDING_ON_ERROR, FACT_IF_TRUE, FACT_KEEP_SENDING),
	FACT(CURLOPT_TRAILERFUNCTION, FACT_IF_SET, FACT_TRAILERS),
	FACT(CURLOPT_DOH_URL, EVER_IF_SET, FACT_DOH),
	FACT(CURLOPT_DNS_SERVERS, EVER_IF_SET, FACT_DOH),
	FACT(CURLOPT_OPENSOCKETFUNCTION, EVER_IF_SET, FACT_SOCKET),
	FACT(CURLOPT_SOCKOPTFUNCTION, EVER_IF_SET, FACT_SOCKET),
	FACT(CURLOPT_INTERFACE, EVER_IF_SET, FACT_SOCKET),
	FACT(CURLOPT_RESOLVE, EVER_IF_SET, FACT_RESOLVE),
	FACT(CURLOPT_HSTS, EVER_IF_SET, FACT_HSTS),
	FACT(CURLOPT_HSTSREADFUNCTION, EVER_IF_SET, FACT_HSTS),
	FACT(CURLOPT_HSTS_CTRL, EVER_IF_TRUE, FACT_HSTS),
	FACT(CURLOPT_ALTSVC, EVER_IF_SET, FACT_ALT_SVC),
	FACT(CURLOPT_ALTSVC_CTRL, EVER_IF_TRUE, FACT_ALT_SVC),
	RULE(CURLOPT_PROTOCOLS, .kind = RULE_PROTOCOLS, .decides = true, .place = PLACE(protocols),
		.facts = FACT_PROTOCOLS),
	RULE(CURLOPT_PROTOCOLS_STR, .kind = RULE_PROTOCOLS_TEXT, .decides = true,
		.place = PLACE(protocols_text), .facts = FACT_PROTOCOLS),
	RULE(CURLOPT_REDIR_PROTOCOLS, .kind = RULE_PROTOCOLS, .decides = true,
		.place = PLACE(redir_protocols), .facts = FACT_REDIR_PROTOCOLS),
	RULE(CURLOPT_REDIR_PROTOCOLS_STR, .kind = RULE_PROTOCOLS_TEXT, .decides = true,
		.place = PLACE(redir_protocols_text), .facts = FACT_REDIR_PROTOCOLS),
};

/* A later libcurl may have an option of that number with another type: it is not this one. */
static const struct rule *rule_of(CURLoption option)
{
	unsigned index = (unsigned)option % 10000;
	const struct rule *rule = &rules[index < OPTIONS_MAX ? index : 0];

	return rule->kind && rule->option_type == (unsigned)option / 10000 ? rule : NULL;
}

bool options_decide(CURLoption option)
{
	const struct rule *rule = rule_of(option);

	return rule && rule->decides;
}

static void set_fact(struct easy *easy, unsigned facts, bool holds)
{
	easy->facts = holds ? easy->facts | facts : easy->facts & ~facts;
}

/* The number and the text override each other; the one set last counts. */
static void observe_protocols(struct easy *easy, const struct rule *rule, union setting setting)
{
	bool redir = rule->facts == FACT_REDIR_PROTOCOLS;
	struct text *text = redir ? &easy->redir_protocols_text : &easy->protocols_text;
	bool by_number = rule->kind == RULE_PROTOCOLS;

	set_fact(easy, rule->facts, by_number);
	if (by_number)
		*(redir ? &easy->redir_protocols : &easy->protocols) = setting.number;
	text_set(text, by_number ? NULL : setting.pointer);
}

/* At most one of the methods with a body is set. */
static void set_method(struct easy *easy, unsigned fact)
{
	set_fact(easy, FACT_UPLOAD | FACT_POST | FACT_FORM, false);
	set_fact(easy, fact, true);
}

static void observe_proxy(struct easy *easy, const char *proxy)
{
	set_fact(easy, FACT_PROXY, proxy && *proxy);
	set_fact(easy, FACT_NO_PROXY, proxy && !*proxy);
}

enum prepared options_prepare(struct easy *easy, CURLoption option, union setting setting)
{
	const struct rule *rule = rule_of(option);
	struct text *text;

	if (!rule)
		return PREPARED_SAME;
	if ((rule->kind != RULE_TEXT && rule->kind != RULE_PROTOCOLS_TEXT) || !setting.pointer)
		return PREPARED;
	text = (struct text *)((void **)easy + rule->place);
	if (text_is(text, setting.pointer))
		return PREPARED_SAME;
	return text_reserve(text, strlen(setting.pointer) + 1) ? PREPARED : PREPARED_NO_MEMORY;
}

/*
 * A transfer that starts with a CURLU makes libcurl forget CURLOPT_URL. It may start at any time
 * now.
 */
static void observe_target(struct easy *easy)
{
	easy->target_known = false;
	if (easy->url_handle && (easy->seat.performing || easy->seat.multi))
		easy->url.set = false;
}

void options_observe(struct easy *easy, CURLoption option, union setting setting)
{
	const struct rule *rule = rule_of(option);
	void *place = (void **)easy + rule->place;

	switch ((enum rule_kind)rule->kind) {
	case RULE_NONE:
		break;
	case RULE_FACT_IF_SET:
		set_fact(easy, rule->facts, setting.pointer != NULL);
		break;
	case RULE_FACT_IF_TRUE:
		set_fact(easy, rule->facts, setting.number != 0);
		break;
	case RULE_FACT_IF_FALSE:
		set_fact(easy, rule->facts, setting.number == 0);
		break;
	case RULE_LONG:
		*(long *)place = setting.number;
		break;
	case RULE_POINTER:
		*(void **)place = setting.pointer;
		break;
	case RULE_TEXT:
		text_set(place, setting.pointer);
		break;
	case RULE_HTTP_AUTH:
		easy->http_auth = (unsigned long)setting.number;
		easy->load.bearer_only = false;
		break;
	case RULE_NETRC:
		easy->netrc = setting.number;
		set_fact(easy, rule->facts, setting.number == CURL_NETRC_REQUIRED);
		break;
	case RULE_PROXY:
		observe_proxy(easy, setting.pointer);
		break;
	case RULE_EVER_IF_SET:
		if (setting.pointer)
			atomic_fetch_or(&options_ever_set, rule->facts);
		break;
	case RULE_EVER_IF_TRUE:
		if (setting.number)
			atomic_fetch_or(&options_ever_set, rule->facts);
		break;
	case RULE_SECONDS:
		easy->timeout_ms = setting.number * 1000;
		break;
	case RULE_METHOD:
		if (setting.number || rule->facts)
			set_method(easy, setting.number ? rule->facts : 0);
		break;
	case RULE_FIELDS:
		easy->post_fields = setting.pointer;
		set_method(easy, FACT_POST);
		break;
	case RULE_FORM:
		easy->form = option == CURLOPT_HTTPPOST ? setting.pointer : NULL;
		set_method(easy, FACT_FORM);
		break;
	case RULE_PROTOCOLS:
	case RULE_PROTOCOLS_TEXT:
		observe_protocols(easy, rule, setting);
		break;
	}
	if (rule->decides)
		observe_target(easy);
}

CURLcode setting_pass(CURLcode (*setopt)(CURL *, CURLoption, ...), CURL *handle, CURLoption option,
	union setting setting)
{
	return SETTING_PASS(setopt, handle, option, setting);
}
