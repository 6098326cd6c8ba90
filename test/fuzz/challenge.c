/* WWW-Authenticate: whatever a server says, it takes a Bearer challenge to be rejected. */
#include "challenge.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_text(data, size);

	if (challenge_says_invalid_token(value)) {
		assert(strcasestr(value, "bearer"));
		assert(strcasestr(value, "error"));
	}
	free(value);
	return 0;
}
