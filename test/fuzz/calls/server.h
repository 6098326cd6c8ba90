#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>

#include "fake.h"

/*
 * Who answers, and who judges. A program of calls runs twice: first with the plugin, when every
 * request is written on a tape, and then without, when the same requests are expected and get the
 * same answers. What was sent again after a 401 is sent again here too, unseen; so the application
 * must see the same in both runs.
 */
#define SERVER_ELSEWHERE "elsewhere.example"
enum { SERVER_AUTHORIZATION_MAX = 40, SERVER_REALMS = 2, SERVER_TRANSFERS_MAX = 160 };

/* Begin a run. */
void server_reset(bool plugin);
bool server_has_plugin(void);

/* The application starts a transfer on this handle, by the call it is about to make. */
void server_expect(const struct fake_easy *easy);

/* Something was changed while the transfer was under way: less is certain. */
void server_disturb(struct fake_easy *easy);

/* Sockets may no longer be what they seem, on any handle. */
void server_distrust(void);

/* Beyond this the two runs cannot be compared. */
void server_diverge(const char *why);
bool server_diverged(void);

/* For transfer.c. */
void server_begin(struct fake_easy *easy, bool has_sent);
bool server_dooms(const struct fake_easy *easy); /* the transfer is to fail: there is no token */
struct fake_answer server_answer(struct fake_easy *easy, const char *authorization);
void server_greets(
	const struct fake_easy *easy);           /* another protocol, which knows bearers as well */
bool server_hides(const struct fake_easy *easy); /* the response that begins */
bool server_restarts(struct fake_easy *easy);
void server_ends(const struct fake_easy *easy); /* it is freed or changed, perhaps in the middle */
/* The application's code is called for it, NULL: no more; for whom it was before. */
const struct fake_easy *server_calls(const struct fake_easy *easy);

/* For whom libcurl has called the application, NULL where the plugin has. */
const struct fake_easy *server_calling(void);

/* No more transfers should be started. */
bool server_is_full(void);

/* Whether a transfer of that number was sent twice. */
bool server_sent_twice(unsigned serial);

/* The tokens: what the server takes, and what the supplier has. */
void server_revoke(unsigned realm);
unsigned server_generation(unsigned realm);
void server_count_failure(void); /* the supplier had none */

/* An idle handle may carry nothing of ours. */
void server_check_idle(const struct fake_easy *easy);

__attribute__((format(printf, 1, 2), noreturn)) void server_finding(const char *format, ...);

#endif
