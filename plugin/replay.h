#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>

#include "handle.h"

/*
 * A 401 on our token. Once its status is known it is clear whether the request can be sent again,
 * and another token is asked for. Where both can be had, the response is kept back while it comes,
 * and the request is sent once more: the application sees one response only. Where not (the body
 * cannot be rewound, no other token is to be had, CURLOPT_HEADER mixes head and body) the
 * application gets the 401 as it comes, and so it does from where it becomes too long to be kept.
 *
 * For this the plugin's callbacks stand before the application's: those that receive, on handles
 * that have carried a token, and the one that reads, while a token is on. What the application
 * sets then is only recorded. Their context is the address of the handle, which is looked up. They
 * stand where libcurl calls them with that context, and nowhere else: a form reads its streams by
 * the application's read function, and headers go to the write function where there is data for
 * them, but no function.
 */

enum { HTTP_UNAUTHORIZED = 401 };

/* The handle carries a token now: watch what comes back. */
void replay_watch(struct easy *easy);

/* The transfer ended with result: whether it should be sent again. Its body is then rewound. */
bool replay_due(struct easy *easy, CURLcode result);

/* It is sent again, the first time it ended with first_result; or that could not be, after all. */
void replay_begin(struct easy *easy, CURLcode first_result);
void replay_cancel(struct easy *easy);

/*
 * The transfer is over for good: deliver what was kept back, unless another response took its
 * place. The result to report. If the application pauses, the transfer is still under way for it:
 * in a multi handle it becomes REPLAY_PAUSED; curl_easy_perform() waits.
 */
CURLcode replay_finish(struct easy *easy, CURLcode result);

/* The application has resumed a REPLAY_PAUSED transfer; it may pause again. */
void replay_resume(struct easy *easy);

/* Nothing is watched any more; what was kept back is the application's. */
void replay_stop(struct easy *easy);

/* What was kept back, if anything, is lost. */
static inline void replay_drop(struct easy *easy)
{
	if (held_any(&easy->replay.held))
		held_forget(&easy->replay.held);
	easy->replay.phase = REPLAY_OFF;
}

/* Another transfer begins. */
static inline void replay_forget(struct easy *easy)
{
	replay_drop(easy);
	easy->replay.reported = 0;
}

/* Whether the application's setting is to be recorded, but not passed on. */
bool replay_withholds(const struct easy *easy, CURLoption option);

/* The application has set something: stand where that makes it necessary, and nowhere else. */
void replay_adjust(struct easy *easy);

/* A duplicate has the plugin's callbacks with the original's context: give it its own. */
void replay_adopt(struct easy *copy);

#endif
