/* quote MOST [SECRET…]: each line of stdin as it is quoted by somebody who told those secrets. */
#include "mint/quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct quote_secrets secrets = {{NULL}};
	char *line = NULL;
	size_t size = 0;

	for (int i = 2; i < argc && i < 2 + QUOTE_SECRETS_MAX; i++)
		secrets.told[i - 2] = argv[i];
	while (argc > 1 && getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		puts(quote_text(line, (size_t)atol(argv[1]), &secrets).text);
	}
	free(line);
	return 0;
}
