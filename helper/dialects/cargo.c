#include "dialects/cargo.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/profile.h"
#include "dialects/challenge.h"
#include "json.h"

enum { REQUEST_MAX_BYTES = 256 * 1024 };

/* One line from cargo. Its members are NULL if the line lacks them. */
struct request {
	const struct json *json;
	const char *kind;
	const char *index_url;
};

/* ---- answers ---- */

static enum status write_error(struct call *call, const char *kind)
{
	return buffer_printf(call->reply, "{\"Err\":{\"kind\":\"%s\"}}\n", kind);
}

static enum status write_failure(struct call *call, const char *message)
{
	return json_printf(call->reply,
		"{\"Err\":{\"kind\":\"other\",\"message\":%s,\"caused-by\":[]}}\n", message);
}

static enum status write_token(struct call *call)
{
	return buffer_printf(call->reply,
		"{\"Ok\":{\"kind\":\"get\",\"token\":\"Bearer %s\",\"cache\":\"expires\","
		"\"expiration\":%lld,\"operation_independent\":true}}\n",
		call->token.value, (long long)token_usable_until(&call->token));
}

/* ---- requests ---- */

/*
 * cargo sends the words after the program's name in its config as "args" of each request, not on
 * the command line. Of our options only --profile makes sense there.
 */
static void take_arguments(struct call *call, const struct json *arguments)
{
	static const char option[] = "--profile";
	const size_t length = sizeof(option) - 1;
	bool named = false;

	for (const struct json *item = json_first(arguments); item; item = json_next(item)) {
		const char *word = json_text(item);

		if (word && named)
			call->profile_name = word;
		named = word && !named && strcmp(word, option) == 0;
		if (word && strncmp(word, option, length) == 0 && word[length] == '=')
			call->profile_name = word + length + 1;
	}
}

/* headers: of the registry's response that made cargo ask. */
static bool token_was_refused(const struct json *headers)
{
	static const char name[] = "www-authenticate:";
	struct challenges challenges = CHALLENGES_INIT;

	for (const struct json *item = json_first(headers); item; item = json_next(item)) {
		const char *header = json_text(item);

		if (header && strncasecmp(header, name, sizeof(name) - 1) == 0)
			challenges_add(&challenges, header + sizeof(name) - 1);
	}
	return challenges.invalid_token;
}

/* cargo marks the URL of a registry with the sparse protocol by this prefix. */
static enum status find_registry(
	struct call *call, const struct request *request, struct failure *failure)
{
	static const char prefix[] = "sparse+";
	const char *url = request->index_url;

	if (strncmp(url, prefix, sizeof(prefix) - 1) == 0)
		url += sizeof(prefix) - 1;
	return call_find_server(call, url, failure);
}

static enum status answer_get(
	struct call *call, const struct request *request, struct failure *failure)
{
	const struct json *registry = json_member(request->json, "registry");
	enum status status = STATUS_OK;

	if (token_was_refused(json_member(registry, "headers")))
		status = call_refuse(call, failure);
	if (!status)
		status = call_supply(call, NULL, failure);
	return status ? status : write_token(call);
}

static enum status answer_logout(
	struct call *call, const struct request *request, struct failure *failure)
{
	enum status status = call_erase(call, call->profile, NULL, failure);

	(void)request;
	return status ? status
		      : buffer_append_text(call->reply, "{\"Ok\":{\"kind\":\"logout\"}}\n");
}

/* Not "login": it would hand us a token, and ours come from the endpoint. */
static const struct {
	const char *kind;
	enum status (*run)(
		struct call *call, const struct request *request, struct failure *failure);
} KINDS[] = {{"get", answer_get}, {"logout", answer_logout}};

enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };

static enum status answer_request(
	struct call *call, const struct request *request, struct failure *failure)
{
	double version = 0;
	enum status status;
	size_t i = 0;

	if (!json_number(json_member(request->json, "v"), &version) || version != 1)
		return write_failure(call, "expected a request of version 1");
	if (!request->kind || !request->index_url)
		return write_failure(call, "expected a request with kind and registry.index-url");
	status = find_registry(call, request, failure);
	if (status)
		return status;
	if (!call->profile)
		return write_error(call, "url-not-supported");
	while (i < KIND_COUNT && strcmp(KINDS[i].kind, request->kind) != 0)
		i++;
	return i < KIND_COUNT ? KINDS[i].run(call, request, failure)
			      : write_error(call, "operation-not-supported");
}

/*
 * Answer one whole line. A failure is an answer, too: cargo reads what follows from the same pipe,
 * and would take an early end for a broken provider.
 */
static enum status answer_line(struct call *call, const char *line, size_t length)
{
	const char *profile_name = call->profile_name;
	struct json *json = json_read(line, length);
	struct request request = {
		.json = json,
		.kind = json_text(json_member(json, "kind")),
		.index_url = json_text(json_member(json_member(json, "registry"), "index-url")),
	};
	struct failure failure = {.reason = ""};
	enum status status;

	call_release(call); /* profile and token of the request before */
	take_arguments(call, json_member(json, "args"));
	status = answer_request(call, &request, &failure);
	if (status) {
		buffer_clear(call->reply);
		status = write_failure(call, failure.reason);
	}
	if (!status)
		status = buffer_write(call->reply, STDOUT_FILENO);
	buffer_clear(call->reply);
	call->profile_name = profile_name;
	json_free(json);
	return status;
}

/* Answer the complete lines. Keep the beginning of the next one in input. */
static enum status answer_lines(struct call *call, struct buffer *input)
{
	size_t start = 0;
	char *end;
	enum status status = STATUS_OK;

	while (!status && start < input->length &&
		(end = memchr(input->data + start, '\n', input->length - start))) {
		size_t length = (size_t)(end - input->data) - start;

		if (length > 0)
			status = answer_line(call, input->data + start, length);
		start += length + 1;
	}
	if (start > 0) {
		memmove(input->data, input->data + start, input->length - start);
		input->length -= start;
	}
	return status;
}

enum status cargo_converse(struct call *call, struct failure *failure)
{
	struct buffer input = BUFFER_INIT(REQUEST_MAX_BYTES);
	size_t got = 1;
	enum status status = buffer_append_text(call->reply, "{\"v\":[1]}\n");

	if (!status)
		status = buffer_write(call->reply, STDOUT_FILENO);
	buffer_clear(call->reply);
	while (!status && got > 0) {
		status = buffer_read_some(&input, STDIN_FILENO, &got);
		if (!status)
			status = answer_lines(call, &input);
	}
	if (!status && input.length > 0)
		status = answer_line(call, input.data, input.length);
	buffer_release(&input);
	return status ? status_fail(failure, status,
				"cargo closed the connection, or did not keep to its protocol")
		      : STATUS_OK;
}
