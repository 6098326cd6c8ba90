#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>

#include "handle.h"

/*
 * A 401 on our token. The response is kept back while it comes; if the request can be sent again it
 * is, once, with another token, and the application sees one response only. If it cannot (its body
 * cannot be rewound, the response is too long or is mixed into the body by CURLOPT_HEADER) the 401
 * is delivered as the 401 it is.
 *
 * For this the plugin's callbacks stand before the application's, on handles that have carried a
 * token, and pass on whatever comes when no token is carried. What the application sets then is
 * only recorded.
 */

enum { HTTP_UNAUTHORIZED = 401 };

/* The handle carries a token now: watch what comes back. */
void replay_watch(struct easy *easy);

/* The transfer ended with result: whether it should be sent again. Its body is then rewound. */
bool replay_due(struct easy *easy, CURLcode result);

/* It is sent again; the first time it ended with first_result. */
void replay_begin(struct easy *easy, CURLcode first_result);

/* The transfer is over for good: deliver what is still kept back; the result to report. */
CURLcode replay_finish(struct easy *easy, CURLcode result);

/* Nothing is watched any more, and nothing kept. */
void replay_stop(struct easy *easy);

/* Whether the application's setting is to be recorded, but not passed on; and when that is done. */
bool replay_withholds(const struct easy *easy, CURLoption option);
void replay_withheld(struct easy *easy, CURLoption option);

/*
 * A duplicate has the plugin's callbacks with the original's record: give it its own, or, where it
 * has no record, the application's.
 */
void replay_adopt(struct easy *copy);
void replay_step_aside(struct easy *copy);

#endif
