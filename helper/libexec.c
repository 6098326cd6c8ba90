#include "libexec.h"

#include <stdint.h>
#include <stdlib.h>

#include "core/attributes.h"
#include "core/spawn.h"
#include "process.h"

/* A part keeps its own deadline, and says why it missed it; this is the backstop. */
enum { GRACE_MS = 500, PATH_MAX_BYTES = 4096, SUM_BITS = 12 };

/* All that a part and what it loads may want to know of the environment. */
static const char *const LIBEXEC_ENVIRONMENT[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
	"all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_DIR", "OPENSSL_CONF", "TZ",
	NULL};

enum status libexec_ask(const char *name, const struct buffer *request, long timeout_ms,
	struct attributes *answer, struct failure *failure)
{
	struct buffer path = BUFFER_INIT(PATH_MAX_BYTES);
	struct buffer output = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	char *own_name = buffer_duplicate(name);
	char *argv[] = {own_name, NULL};
	char **environment = process_select_environment(LIBEXEC_ENVIRONMENT);
	int exit_code;
	enum status status = process_find_part(name, &path, failure);

	if ((!own_name || !environment) && !status)
		status = status_no_memory(failure);
	if (!status) {
		struct spawn spawn = {
			.path = path.data,
			.argv = argv,
			.envp = environment,
			.input = request->data,
			.input_length = request->length,
			.output = &output,
			.timeout_ms = timeout_ms + GRACE_MS,
		};

		status = spawn_run(&spawn, &exit_code, failure);
	}
	if (!status &&
		(attributes_parse(answer, output.data, output.length, NULL) || !answer->closed))
		status = status_fail(failure, STATUS_SYSTEM, "%s ended without an answer", name);
	free(environment);
	free(own_name);
	buffer_release(&output);
	buffer_release(&path);
	return status;
}

long libexec_sum_text(const char *name, const char *text)
{
	const char *const parts[] = {name, text ? "=" : NULL, text};
	const uint64_t prime = 1099511628211U;
	uint64_t sum = 14695981039346656037U;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (const char *byte = parts[i]; byte && *byte != '\0'; byte++)
			sum = (sum ^ (unsigned char)*byte) * prime;
	}
	return (long)((sum ^ (sum >> 20) ^ (sum >> 40)) & ((1U << SUM_BITS) - 1));
}

long libexec_sum_environment(void)
{
	char **environment = process_select_environment(LIBEXEC_ENVIRONMENT);
	long sum = 0;

	for (char **variable = environment; variable && *variable; variable++)
		sum ^= libexec_sum_text(*variable, NULL);
	free(environment);
	return sum;
}
