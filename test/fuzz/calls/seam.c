#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seam.h"

#include "fake.h"
#include "options.h"
#include "scope.h"
#include "server.h"
#include "supplier.h"

struct supplier {
	unsigned realm;
	unsigned generation; /* of the token it has */
};

static struct supplier suppliers[SERVER_REALMS] = {{.realm = 0}, {.realm = 1}};
static struct realm realms[SERVER_REALMS];
static struct settings settings;
static struct libcurl libcurl;
static unsigned failing;

_Atomic(struct libcurl *) resolve_known;

/* Once: the address is remembered by the plugin. */
static void find_libcurl(void)
{
	libcurl.start = (uintptr_t)fake_code;
	libcurl.end = libcurl.start + sizeof(fake_code);
#define FIND_NEXT(result, name, parameters) \
	libcurl.next.name = (result(*) parameters)fake_symbol(#name);
	HOOKED(FIND_NEXT)
#define FIND_OWN(result, name, parameters) \
	libcurl.own.name = (result(*) parameters)fake_symbol(#name);
	OWN(FIND_OWN)
	resolve_known = &libcurl;
}

void seam_open(void)
{
	static const char *const origins[] = {"https://api.example", "http://127.0.0.1:8080"};

	if (!resolve_known)
		find_libcurl();
	for (unsigned i = 0; i < SERVER_REALMS; i++) {
		suppliers[i].generation = 1;
		realms[i].supplier = &suppliers[i];
		if (!origin_from_url(&realms[i].origin, origins[i]))
			abort();
		realms[i].loopback = origin_is_loopback(&realms[i].origin);
	}
	failing = 0;
	atomic_store(&options_ever_set, 0); /* each program is a process of its own */
}

void seam_fail(unsigned times)
{
	failing = times;
}

void seam_pass_on_failure(bool pass)
{
	settings.on_failure = pass ? "pass" : NULL;
}

const struct libcurl *resolve(struct site site)
{
	(void)site;
	return &libcurl;
}

const struct settings *scope_settings(void)
{
	return &settings;
}

bool scope_is_off(void)
{
	return false;
}

bool scope_passes_on_failure(void)
{
	return settings.on_failure;
}

const struct realm *scope_find(const struct origin *origin)
{
	for (unsigned i = 0; i < SERVER_REALMS; i++)
		if (origin_equal(&realms[i].origin, origin))
			return &realms[i];
	return NULL;
}

const char *supplier_profile(const struct supplier *supplier)
{
	return supplier->realm ? "b" : "a";
}

enum status supplier_lease(struct supplier *supplier, const struct origin *origin,
	struct lease *lease, struct failure *failure)
{
	static char fingerprint[TOKEN_FINGERPRINT_BYTES];
	char *token;

	(void)origin;
	if (failing > 0) {
		failing--;
		server_count_failure();
		return status_fail(failure, STATUS_UNREACHABLE, "there is no token today");
	}
	if (asprintf(&token, "tok-%c-%u", (int)('A' + supplier->realm), supplier->generation) < 0)
		abort();
	snprintf(fingerprint, sizeof(fingerprint), "%c%07u", (int)('a' + supplier->realm),
		supplier->generation % 10000000);
	*lease = (struct lease){.token = token, .fingerprint = fingerprint, .slot = token};
	return STATUS_OK;
}

void supplier_return(struct lease *lease)
{
	free(lease->slot);
	lease->slot = NULL;
}

void supplier_drop(struct supplier *supplier, const struct origin *origin, const char *fingerprint)
{
	(void)origin;
	if (strtoul(fingerprint + 1, NULL, 10) == supplier->generation)
		supplier->generation = server_generation(supplier->realm);
}

enum status supplier_replace(struct supplier *supplier, const struct origin *origin,
	const char *fingerprint, struct lease *lease, struct failure *failure)
{
	supplier_drop(supplier, origin, fingerprint);
	if (strtoul(fingerprint + 1, NULL, 10) == supplier->generation) {
		server_count_failure();
		return status_fail(failure, STATUS_REFUSED, "new tokens are rejected too");
	}
	return supplier_lease(supplier, origin, lease, failure);
}

bool supplier_on_probation(const struct supplier *supplier)
{
	return supplier->generation % 2;
}

void supplier_judge(struct supplier *supplier, const struct origin *origin, bool taken)
{
	(void)supplier;
	(void)origin;
	(void)taken;
}
