#include "policy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handle.h"
#include "options.h"
#include "scope.h"
#include "target.h"

extern char **environ;

/* The application's own ways to authenticate, and what is no HTTP request. */
static const struct {
	unsigned facts;
	const char *reason;
} vetoes[] = {
	{FACT_USER | FACT_PASSWORD, "the application gives user or password"},
	{FACT_NETRC_REQUIRED, "the application insists on .netrc"},
	{FACT_SIGV4, "the application signs with SigV4"},
	{FACT_BEARER, "the application has a bearer token of its own"},
	{FACT_CONNECT_ONLY, "the application only connects"},
	{FACT_UNKNOWN, "memory was short"},
};

enum {
	VETOES = FACT_USER | FACT_PASSWORD | FACT_NETRC_REQUIRED | FACT_SIGV4 | FACT_BEARER |
		 FACT_CONNECT_ONLY | FACT_UNKNOWN,
	UNVERIFIED = FACT_PEER_UNVERIFIED | FACT_HOST_UNVERIFIED,
	/* something may carry the bytes of a loopback request off this machine */
	DIVERSIONS = FACT_PROXY | FACT_PRE_PROXY | FACT_UNIX_SOCKET | FACT_ABSTRACT_SOCKET |
		     FACT_CONNECT_TO | FACT_DOH,
};

static const char *veto_reason(unsigned facts)
{
	for (size_t i = 0; i < sizeof(vetoes) / sizeof(*vetoes); i++)
		if (facts & vetoes[i].facts)
			return vetoes[i].reason;
	return NULL;
}

/*
 * Also its removal ("Authorization:", "Authorization;") is the application's word. The list is
 * looked at when the transfer starts, since it may have been changed after it was set.
 */
static bool has_authorization(const struct curl_slist *header)
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
 * Whether list, as in no_proxy, names the host itself or everything, in a way that every libcurl
 * reads so: IPv6 without brackets, and nothing behind a blank that no comma follows. Domains and
 * networks are not looked at.
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

/* Done for every request over loopback http, hence the first look at two letters. */
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

static bool is_proxied(const struct easy *easy, const struct origin *origin)
{
	const char *exceptions = easy->no_proxy.bytes;

	if (easy->facts & FACT_NO_PROXY || !environment_has_proxy())
		return false;
	if (!easy->no_proxy.set) {
		exceptions = getenv("no_proxy");
		if (!exceptions || !*exceptions)
			exceptions = getenv("NO_PROXY");
	}
	return !names_host(exceptions, origin->host);
}

/* Without TLS, or with its checks turned off, only the kernel vouches for where the bytes go. */
static bool is_exposed(const struct easy *easy, const struct origin *origin)
{
	return !origin->secure || easy->facts & UNVERIFIED;
}

/* What stands in caches. Of HSTS only names can be, and it turns http into https. */
static bool is_led_elsewhere(const struct origin *origin)
{
	if (origin->secure)
		return options_ever(FACT_RESOLVE | FACT_ALT_SVC);
	return options_ever(FACT_RESOLVE) ||
	       (options_ever(FACT_HSTS) && strcmp(origin->host, "localhost") == 0);
}

static const char *exposure_reason(const struct easy *easy, const struct realm *realm)
{
	const struct origin *origin = &realm->origin;

	if (!is_exposed(easy, origin))
		return NULL;
	if (!realm->loopback)
		return origin->secure ? "certificate checks are off" : "http beyond this machine";
	if (easy->facts & DIVERSIONS || is_led_elsewhere(origin) || is_proxied(easy, origin))
		return "something else may carry a loopback request";
	return NULL;
}

bool policy_may_change(const struct easy *easy, const struct realm *realm)
{
	return easy->url_handle || is_exposed(easy, &realm->origin);
}

struct verdict policy_judge(const struct easy *easy)
{
	struct verdict verdict = {.realm = NULL, .reason = NULL};

	verdict.realm = target_realm(easy, &verdict.reason);
	if (!verdict.realm || verdict.reason)
		return verdict;
	if (easy->facts & VETOES)
		verdict.reason = veto_reason(easy->facts);
	else if (has_authorization(easy->headers))
		verdict.reason = "the application has an Authorization header of its own";
	else
		verdict.reason = exposure_reason(easy, verdict.realm);
	return verdict;
}
