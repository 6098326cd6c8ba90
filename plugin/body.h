#ifndef BODY_H
#define BODY_H

#include "handle.h"

/* The body of a request, and whether it can be sent again. */

/* Whether the body comes from a read function. */
static inline bool body_streams(const struct easy *easy)
{
	return easy->facts & FACT_UPLOAD || (easy->facts & FACT_POST && !easy->post_fields);
}

/*
 * Whether that function is fread(). libcurl compares it with fread() to know that it can rewind the
 * file by itself, so the plugin does not wrap it.
 */
bool body_reads_file(const struct easy *easy);

/* Whether a second request could send the same body, as far as that is known before one tries. */
bool body_can_rewind(const struct easy *easy);

/* Rewind what libcurl does not rewind by itself. */
bool body_rewind(struct easy *easy);

#endif
