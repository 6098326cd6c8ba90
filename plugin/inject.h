#ifndef INJECT_H
#define INJECT_H

#include "handle.h"
#include "options.h"

/*
 * Putting a token on a transfer, and taking it off again. Where a token is due and none can be
 * had, the transfer is doomed instead: it may use no protocol, fails before a byte is sent, and
 * reports CURLE_LOGIN_DENIED with the reason in the application's error buffer.
 */

/*
 * A transfer of this handle is about to start: take off what an earlier one left behind, decide,
 * and put on what is due. May wait for a token as long as SYPHT_TIMEOUT.
 */
void inject(struct easy *easy);

/* Take off whatever was put on; the application's own settings stand again. */
void inject_undo(struct easy *easy);

/*
 * The transfer ended with result. Where that is a 401 on our token and the request can be sent
 * again, the handle has another token on, and must be performed or added once more.
 */
bool inject_again(struct easy *easy, CURLcode result);

/* The transfer ended with result: take off, and return the result the application is to see. */
CURLcode inject_settle(struct easy *easy, CURLcode result);

/*
 * The application sets an option while something is put on. It is taken off first, and put on
 * again, if still due, only where the transfer has not started: a token must not follow a change
 * of URL.
 */
CURLcode inject_change(struct easy *easy, CURLcode (*setopt)(CURL *, CURLoption, ...),
	CURLoption option, union setting setting);

/*
 * The multi handle is about to work. A CURLU and the proxies of the environment can be changed
 * without curl_easy_setopt(): transfers that would go elsewhere now lose the token.
 */
void inject_recheck(struct multi *multi);

/* A duplicate of a handle carries what was put on the original: take it off, and make its record.
 */
void inject_clean_copy(CURL *handle, const struct easy *original);

#endif
