#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>

#include "handle.h"

/*
 * What happens after a 401 on our token. When its status line comes in, the plugin checks whether
 * the request can be repeated, and gets another token. If it can, the response is held, and the
 * request is sent once more: the application sees one response only. If it cannot (the body cannot
 * be rewound, there is no other token, or CURLOPT_HEADER mixes head and body), the application gets
 * the 401 as it comes in. A response that grows too long to be held is given to the application
 * from there on.
 *
 * For this, the plugin wraps the application's callbacks: the write and header callbacks on handles
 * that have carried a token, the read callback while a token is on. What the application sets
 * meanwhile is recorded only. Our callbacks get the address of the handle and look it up, since
 * libcurl does not always pair a function with its own data: a form passes its own stream to the
 * read function, and without a header function CURLOPT_HEADERDATA goes to the write function. In
 * those cases nothing is wrapped.
 */

enum { HTTP_UNAUTHORIZED = 401 };

/* The handle carries a token now: watch the response. */
void replay_watch(struct easy *easy);

/* The transfer ended with result. True if it is to be repeated; the body is then rewound. */
bool replay_due(struct easy *easy, CURLcode result);

/* It is repeated, after it ended with first_result; or it could not be repeated after all. */
void replay_begin(struct easy *easy, CURLcode first_result);
void replay_cancel(struct easy *easy);

/*
 * The transfer is over: deliver what was held, unless the response to the repeated request replaced
 * it. Returns the result to report. If the application pauses, the transfer goes on for the
 * application: in a multi handle it becomes REPLAY_PAUSED, and curl_easy_perform() waits.
 */
CURLcode replay_finish(struct easy *easy, CURLcode result);

/* The application has resumed a REPLAY_PAUSED transfer; it may pause again. */
void replay_resume(struct easy *easy);

/* Stop watching. The application gets what was held. */
void replay_stop(struct easy *easy);

/* Drop what was held. */
static inline void replay_drop(struct easy *easy)
{
	if (held_any(&easy->replay.held))
		held_forget(&easy->replay.held);
	easy->replay.phase = REPLAY_OFF;
}

/* The next transfer begins. */
static inline void replay_forget(struct easy *easy)
{
	replay_drop(easy);
	easy->replay.reported = 0;
}

/* Whether a setting of the application is to be recorded, but not passed on. */
bool replay_withholds(const struct easy *easy, CURLoption option);

/*
 * The application has set an option: wrap the callbacks for which that is now necessary, and unwrap
 * the others.
 */
void replay_adjust(struct easy *easy);

/* The callbacks of a duplicate still have the original as context: set its own. */
void replay_adopt(struct easy *copy);

#endif
