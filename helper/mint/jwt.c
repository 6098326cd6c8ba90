#include "mint/jwt.h"

#include <string.h>

#include "json.h"

enum { CLAIMS_MAX_BYTES = 64 * 1024 };

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum status jwt_append_base64url(struct buffer *out, const unsigned char *bytes, size_t length)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < length && !status; i += 3) {
		size_t left = length - i;
		unsigned group = (unsigned)bytes[i] << 16;
		char text[4];

		group |= left > 1 ? (unsigned)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? bytes[i + 2] : 0;
		for (unsigned digit = 0; digit < 4; digit++)
			text[digit] = DIGITS[group >> (18 - 6 * digit) & 63];
		status = buffer_append(out, text, left > 2 ? 4 : left + 1);
	}
	return status;
}

/* text[0] to text[length - 1] are digits. */
static enum status append_decoded(struct buffer *out, const char *text, size_t length)
{
	enum status status = STATUS_OK;
	unsigned group = 0; /* its last bits count; older ones are shifted out */

	for (size_t i = 0; i < length && !status; i++) {
		char byte;

		group = group << 6 | (unsigned)(strchr(DIGITS, text[i]) - DIGITS);
		byte = (char)(group >> (6 - 2 * (i % 4)));
		if (i % 4 > 0)
			status = buffer_append(out, &byte, 1);
	}
	return status;
}

bool jwt_read(struct jwt *jwt, const char *text)
{
	struct buffer claims = BUFFER_INIT(CLAIMS_MAX_BYTES);
	size_t header = strspn(text, DIGITS);
	const char *body = text + header + (text[header] == '.');
	size_t length = strspn(body, DIGITS);
	const char *signature = body + length + (body[length] == '.');
	size_t rest = strspn(signature, DIGITS);
	bool shaped = header > 0 && text[header] == '.' && length > 0 && body[length] == '.' &&
		      rest > 0 && signature[rest] == '\0';

	jwt->claims = NULL;
	if (shaped && append_decoded(&claims, body, length) == STATUS_OK)
		jwt->claims = json_read(buffer_text(&claims), claims.length);
	buffer_release(&claims);
	return jwt->claims != NULL;
}

void jwt_release(struct jwt *jwt)
{
	json_free(jwt->claims);
	jwt->claims = NULL;
}

/* RFC 7519, 4.1.3: an audience is one string or a list of them. */
const char *jwt_claim(const struct jwt *jwt, const char *name)
{
	const struct json *claim = json_member(jwt->claims, name);
	const char *text = json_text(claim);

	return text ? text : json_text(json_first(claim));
}

bool jwt_expiry(const struct jwt *jwt, long long *expiry)
{
	const double farthest = 1e15; /* a double beyond a long long cannot be converted */
	double seconds;

	if (!json_number(json_member(jwt->claims, "exp"), &seconds) || !(seconds >= 0))
		return false;
	*expiry = (long long)(seconds < farthest ? seconds : farthest);
	return true;
}
