#ifndef INJECT_H
#define INJECT_H

#include "handle.h"

/*
 * Putting a token on a transfer, and taking it off again. If a token is due and none can be had,
 * the transfer is doomed: it may use no protocol, so it fails before a byte is sent. It reports
 * CURLE_LOGIN_DENIED, with the reason in the application's error buffer.
 */

/*
 * A transfer of this handle is about to start: take off what an earlier one left, decide, and put
 * on what is due. This may wait for a token, for SYPHT_TIMEOUT at most. No function here preserves
 * errno.
 *
 * libcurl uses exactly what was judged. While a token is on, the handle has our duplicate of the
 * application's CURLU, and if a proxy would see the token, the host is exempt from proxies. So no
 * callback, no other thread and no setenv() can lead the transfer elsewhere.
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

/* Whether the setting would release a doomed transfer. It is then recorded, but not passed on. */
static inline bool inject_withholds(const struct easy *easy, CURLoption option)
{
	return easy->load.carried == CARRIED_DOOM &&
	       (option == CURLOPT_PROTOCOLS || option == CURLOPT_PROTOCOLS_STR);
}

/* Take off what was put on, and restore the application's own settings. */
void inject_undo(struct easy *easy);

/* The application has set CURLOPT_CURLU, so libcurl no longer has our duplicate: free it. */
void inject_forget_url(struct easy *easy);

/*
 * The transfer ended with result. True if that is a 401 on our token and the request can be
 * repeated: the handle has another token, and must be performed or added once more.
 */
bool inject_repeat(struct easy *easy, CURLcode result);

static inline bool inject_again(struct easy *easy, CURLcode result)
{
	return easy->load.carried == CARRIED_TOKEN && easy->replay.phase != REPLAY_OFF &&
	       inject_repeat(easy, result);
}

/* The transfer is over. Take everything off; returns the result for the application. */
CURLcode inject_settle(struct easy *easy, CURLcode result);

/*
 * The application has removed the handle, perhaps amid the transfer. Deliver what was held of a
 * 401: without us the application would have seen it by now.
 */
void inject_abandon(struct easy *easy);

/*
 * libcurl has duplicated a handle together with what the plugin put on it. Take that off the
 * duplicate, and make its record. False if memory is short.
 */
bool inject_clean_copy(CURL *handle, const struct easy *original);

#endif
