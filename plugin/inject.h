#ifndef INJECT_H
#define INJECT_H

#include "handle.h"

/*
 * Putting a token on a transfer, and taking it off again. Where a token is due and none can be
 * had, the transfer is doomed instead: it may use no protocol, fails before a byte is sent, and
 * reports CURLE_LOGIN_DENIED with the reason in the application's error buffer.
 */

/*
 * What was judged is what libcurl uses. While a token is on, the handle has a duplicate of the
 * application's CURLU, and where a proxy would see the token, the host is exempt from proxies. So
 * neither a callback nor another thread nor setenv() can lead the transfer elsewhere.
 *
 * A transfer of this handle is about to start: take off what an earlier one left behind, decide,
 * and put on what is due. May wait for a token as long as SYPHT_TIMEOUT. Like all else here it
 * does not keep errno.
 */
void inject(struct easy *easy);

/*
 * The application has set something that decides about the token, which is off. If the request has
 * not been sent, decide anew. A transfer that started without a token, or towards another origin,
 * is doomed if a token is due now: libcurl reads CURLOPT_HTTPAUTH at the start, and may have
 * connected.
 */
void inject_anew(struct easy *easy);

static inline bool inject_may_change(const struct easy *easy)
{
	return (easy->seat.performing || easy->seat.driven) && easy->load.carried != CARRIED_DOOM;
}

/* Whether the application's setting would let a doomed transfer go: it is only recorded. */
static inline bool inject_withholds(const struct easy *easy, CURLoption option)
{
	return easy->load.carried == CARRIED_DOOM &&
	       (option == CURLOPT_PROTOCOLS || option == CURLOPT_PROTOCOLS_STR);
}

/* Take off whatever was put on; the application's own settings stand again. */
void inject_undo(struct easy *easy);

/* The application has set a CURLU, or none: the duplicate of the one before is off the handle. */
void inject_forget_url(struct easy *easy);

/*
 * The transfer ended with result. Where that is a 401 on our token and the request can be sent
 * again, the handle has another token on, and must be performed or added once more.
 */
bool inject_repeat(struct easy *easy, CURLcode result);

static inline bool inject_again(struct easy *easy, CURLcode result)
{
	return easy->load.carried == CARRIED_TOKEN && easy->replay.phase != REPLAY_OFF &&
	       inject_repeat(easy, result);
}

/* The transfer ended with result: take off, and return the result the application is to see. */
CURLcode inject_settle(struct easy *easy, CURLcode result);

/*
 * The application has removed the handle, perhaps amid its transfer: what was kept back of a
 * refusal, it would have seen by now.
 */
void inject_abandon(struct easy *easy);

/*
 * A duplicate of a handle carries what was put on the original: take it off, and make its record.
 * False where memory is short.
 */
bool inject_clean_copy(CURL *handle, const struct easy *original);

#endif
