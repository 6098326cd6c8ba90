#include "policy.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buffer.h"
#include "handle.h"
#include "options.h"
#include "scope.h"
#include "target.h"

extern char **environ;

/*
 * Facts that keep a token off: the application authenticates by itself, or makes no HTTP request.
 */
#define VETOES(X) \
	X(FACT_USER | FACT_PASSWORD, "the application gives user or password") \
	X(FACT_NETRC_REQUIRED, "the application insists on .netrc") \
	X(FACT_SIGV4, "the application signs with SigV4") \
	X(FACT_BEARER, "the application has a bearer token of its own") \
	X(FACT_CONNECT_ONLY, "the application only connects")

enum {
#define OR_FACT(facts, reason) | (facts)
	VETOING = 0 VETOES(OR_FACT),
	UNVERIFIED = FACT_PEER_UNVERIFIED | FACT_HOST_UNVERIFIED,
	/* these may lead a loopback request off this machine; */
	DIVERSIONS = FACT_PROXY | FACT_PRE_PROXY | FACT_UNIX_SOCKET | FACT_ABSTRACT_SOCKET |
		     FACT_CONNECT_TO,
	/* these may have left a connection or a name in a cache that does */
	LASTING_DIVERSIONS = FACT_RESOLVE | FACT_DOH | FACT_SOCKET,
	SAFE_REDIRECTS_VERSION = 0x075300, /* 7.83.0 fixed CVE-2022-27774 */
};

static const char *veto_reason(unsigned facts)
{
#define RETURN_REASON(vetoing, reason) \
	if (facts & (vetoing)) \
		return reason;
	VETOES(RETURN_REASON)
	return NULL;
}

/*
 * Before 7.83 a bearer follows a redirect to another port or scheme of the same host
 * (CVE-2022-27774).
 */
static bool redirects_leak(const struct libcurl *libcurl)
{
	static _Atomic(const struct libcurl *) safe;

	if (atomic_load(&safe) == libcurl)
		return false;
	if (!libcurl->own.version_info ||
		libcurl->own.version_info(CURLVERSION_NOW)->version_num < SAFE_REDIRECTS_VERSION)
		return true;
	atomic_store(&safe, libcurl);
	return false;
}

/*
 * Removing the header ("Authorization:", "Authorization;") is also the application's choice. Look
 * at the list when the transfer starts: the application may have changed it after setting it.
 */
static __attribute__((noinline)) bool has_authorization(const struct curl_slist *header)
{
	static const char name[] = "Authorization";

	for (; header; header = header->next) {
		const char *line = header->data;

		if (line && (*line | 0x20) == 'a' &&
			strncasecmp(line, name, sizeof(name) - 1) == 0) {
			line += sizeof(name) - 1;
			line += strspn(line, " \t");
			if (*line == ':' || *line == ';')
				return true;
		}
	}
	return false;
}

/*
 * Whether list, in the syntax of no_proxy, names the host or everything. Count only what every
 * version of libcurl understands: IPv6 without brackets, and no entry after a blank without a
 * comma. Ignore domains and networks.
 */
static bool names_host(const char *list, const char *host)
{
	static const char separators[] = ", ";
	size_t length = strlen(host), word;

	if (!list)
		return false;
	if (strcmp(list, "*") == 0)
		return true;
	if (*host == '[') {
		host++;
		length -= 2;
	}
	for (list += strspn(list, separators); *list; list += strspn(list, separators)) {
		word = strcspn(list, separators);
		if (word == length && strncasecmp(list, host, length) == 0)
			return true;
		list += word;
		if (list[strspn(list, " ")] != ',')
			return false;
	}
	return false;
}

static bool is_proxy_variable(const char *variable)
{
	static const char *const names[] = {
		"http_proxy=", "https_proxy=", "HTTPS_PROXY=", "all_proxy=", "ALL_PROXY="};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t length = strlen(names[i]);

		if (strncmp(variable, names[i], length) == 0 && variable[length])
			return true;
	}
	return false;
}

/* This runs for every request over loopback http, so look at two letters first. */
static bool environment_has_proxy(void)
{
	for (char **variable = environ; variable && *variable; variable++) {
		const char *name = *variable;
		int first = name[0] | 0x20;

		if ((first == 'h' && (name[1] | 0x20) == 't') ||
			(first == 'a' && (name[1] | 0x20) == 'l'))
			if (is_proxy_variable(name))
				return true;
	}
	return false;
}

/* The hosts that are exempt from proxies, found as libcurl finds them. NULL if there are none. */
static const char *exempt_hosts(const struct easy *easy)
{
	const char *list;

	if (easy->no_proxy.set)
		return easy->no_proxy.bytes;
	list = getenv("no_proxy");
	return list && *list ? list : getenv("NO_PROXY");
}

static bool is_proxied(const struct easy *easy, const struct origin *origin)
{
	return !(easy->facts & FACT_NO_PROXY) && environment_has_proxy() &&
	       !names_host(exempt_hosts(easy), origin->host);
}

/* Put the host first: an old libcurl may not read the whole list. */
char *policy_exempt(const struct easy *easy, const struct realm *realm)
{
	const char *list = exempt_hosts(easy), *host = realm->origin.host;
	size_t length = strlen(host);
	char *text = NULL;

	if (list && strcmp(list, "*") == 0)
		return buffer_duplicate(list);
	if (*host == '[') {
		host++;
		length -= 2;
	}
	if (asprintf(&text, "%.*s,%s", (int)length, host, list ? list : "") < 0)
		return NULL;
	return text;
}

/* Without TLS, or with its checks off, nothing but the routing ensures where the bytes go. */
static bool is_exposed(const struct easy *easy, const struct origin *origin)
{
	return !origin->secure || easy->facts & UNVERIFIED;
}

/* By caches. HSTS holds names only, not addresses, and turns http into https. */
static bool is_led_elsewhere(const struct origin *origin)
{
	return options_ever(LASTING_DIVERSIONS) || (origin->secure && options_ever(FACT_ALT_SVC)) ||
	       (!origin->secure && options_ever(FACT_HSTS) &&
		       strcmp(origin->host, "localhost") == 0);
}

static const char *exposure_reason(const struct easy *easy, const struct realm *realm)
{
	const struct origin *origin = &realm->origin;

	if (!realm->loopback)
		return origin->secure ? "certificate checks are off" : "http beyond this machine";
	if (easy->facts & DIVERSIONS || is_led_elsewhere(origin) || is_proxied(easy, origin))
		return "a setting may lead this loopback request to another machine";
	return NULL;
}

bool policy_yields(const struct easy *easy)
{
	return easy->facts & VETOING || has_authorization(easy->headers);
}

static const char *reason_against(const struct easy *easy, const struct verdict *verdict)
{
	if (easy->facts & VETOING)
		return veto_reason(easy->facts);
	if (easy->headers && has_authorization(easy->headers))
		return "the application has an Authorization header of its own";
	if (easy->facts & FACT_FOLLOW && redirects_leak(easy->libcurl))
		return "this libcurl may take a token past a redirect";
	return verdict->exposed ? exposure_reason(easy, verdict->realm) : NULL;
}

void policy_judge(struct easy *easy, struct verdict *verdict)
{
	*verdict = (struct verdict){0};
	verdict->unknown = !target_find(easy, &verdict->realm, &verdict->reason);
	if (verdict->unknown || !verdict->realm || verdict->reason)
		return;
	verdict->exposed = is_exposed(easy, &verdict->realm->origin);
	verdict->reason = reason_against(easy, verdict);
}
