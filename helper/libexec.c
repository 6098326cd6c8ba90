#include "libexec.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/spawn.h"
#include "process.h"

/* The program itself reports a missed deadline. This limit is for one that hangs. */
enum { GRACE_MS = 500, PATH_MAX_BYTES = 4096, SUM_BITS = 12 };

/*
 * The variables that the program and its libraries may use. All others, such as LD_PRELOAD with our
 * plugin, stay here.
 */
static const char *const LIBEXEC_ENVIRONMENT[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
	"all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_DIR", "OPENSSL_CONF", "TZ",
	"PKCS11_MODULE_PATH", "SOFTHSM2_CONF", "TPM2_PKCS11_STORE", NULL};

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

/* Replace what the answer holds: it must not look like a token to a reader that ignores status. */
static enum status write_refusal(
	enum status status, const struct failure *failure, struct buffer *answer)
{
	const struct attributes_row rows[] = {
		{"status", NULL, status},
		{"error", failure->reason, 0},
		{"retry_after", NULL, failure->retry_after_s},
		{0},
	};

	buffer_clear(answer);
	return attributes_add_rows(answer, rows);
}

int libexec_main(libexec_answerer *answer_question)
{
	/* together they are not more than the reader takes */
	struct buffer story = BUFFER_INIT(ATTRIBUTES_MAX_BYTES / 2);
	struct buffer answer = BUFFER_INIT(ATTRIBUTES_MAX_BYTES / 2);
	struct attributes asked = ATTRIBUTES_INIT;
	struct failure failure = {.reason = ""};
	enum status status;

	process_harden();
	status = attributes_read(&asked, STDIN_FILENO, &failure);
	if (!status)
		status = answer_question(&asked, &story, &answer, &failure);
	if (status && write_refusal(status, &failure, &answer))
		buffer_clear(&answer);
	/* an empty line marks the answer as complete */
	if (buffer_append_text(&answer, "\n") || buffer_write(&story, STDOUT_FILENO) ||
		buffer_write(&answer, STDOUT_FILENO))
		status = STATUS_SYSTEM;

	buffer_release(&answer);
	buffer_release(&story);
	attributes_release(&asked);
	return status_exit_code(status);
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
