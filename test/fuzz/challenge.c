/* WWW-Authenticate: no scheme is found that the value does not name. */
#include "dialects/challenge.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_text(data, size);
	struct challenges challenges = CHALLENGES_INIT;

	challenges_add(&challenges, value);
	assert(!challenges.bearer || strcasestr(value, "bearer"));
	assert(!challenges.basic || strcasestr(value, "basic"));
	assert(!challenges.invalid_token || (challenges.bearer && strcasestr(value, "error")));
	free(value);
	return 0;
}
