/* Looking through much text: found is the first place where it stands. The first byte of the input
 * is the length of what is looked for, which comes next. */
#include "core/skim.h"

#include <strings.h>

#include "fuzz.h"

static const char *find_slowly(const char *text, size_t length, const char *wanted)
{
	size_t wanted_length = strlen(wanted);

	for (size_t i = 0; i + wanted_length <= length; i++) {
		if (strncasecmp(text + i, wanted, wanted_length) == 0)
			return text + i;
	}
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = size > 0 ? data[0] % 64 + 1 : 0;
	char *wanted;

	if (size < 1 + length)
		return 0;
	wanted = fuzz_text(data + 1, length);
	if (*wanted != '\0') {
		/* in memory that ends where the text does */
		size_t rest = size - 1 - length;
		char *text = malloc(rest ? rest : 1);

		assert(text);
		memcpy(text, data + 1 + length, rest);
		assert(skim_find(text, rest, wanted) == find_slowly(text, rest, wanted));
		free(text);
	}
	free(wanted);
	return 0;
}
