#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>

#include "fake.h"

/* Where a transfer goes, and what carries it there. */

/* Curl_pretransfer(): which URL counts. */
CURLcode place_choose(struct fake_easy *easy);

/*
 * The text of CURLOPT_URL or of a redirect, for curl_url_cleanup(); it is then kept as it was
 * understood. NULL where it is no URL.
 */
CURLU *place_parse(struct fake_easy *easy);

bool place_read(CURLU *url, struct fake_place *place);

/* The same origin. */
bool place_equal(const struct fake_place *one, const struct fake_place *other);

/* By CURLOPT_PROXY or the environment; by something else. */
bool place_is_proxied(const struct fake_easy *easy, const struct fake_place *at);
bool place_is_diverted(const struct fake_easy *easy);

/* CURLPROTO_*, 0 for an unknown one. */
long place_protocol(const struct fake_place *at);

#endif
