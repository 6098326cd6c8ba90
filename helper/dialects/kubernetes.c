#include "dialects/kubernetes.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

static bool is_spoken(const char *version)
{
	return version && (strcmp(version, "client.authentication.k8s.io/v1") == 0 ||
				  strcmp(version, "client.authentication.k8s.io/v1beta1") == 0);
}

static enum status write_answer(const struct call *call, const char *version)
{
	char time[JSON_TIME_BYTES];

	return json_printf(call->reply,
		"{\"apiVersion\":%s,\"kind\":\"ExecCredential\",\"status\":"
		"{\"token\":%s,\"expirationTimestamp\":%s}}\n",
		version, call->token.value, json_time(token_usable_until(&call->token), time));
}

/* kubectl refuses an answer in another version than it asked for. */
static enum status answer_request(
	struct call *call, const struct json *request, struct failure *failure)
{
	const char *version = json_text(json_member(request, "apiVersion"));
	const char *kind = json_text(json_member(request, "kind"));
	const struct json *cluster = json_member(json_member(request, "spec"), "cluster");
	enum status status;

	if (!is_spoken(version) || !kind || strcmp(kind, "ExecCredential") != 0)
		return status_fail(failure, STATUS_MALFORMED,
			"KUBERNETES_EXEC_INFO: expected an ExecCredential of "
			"client.authentication.k8s.io/v1 or v1beta1");
	/* the URL of the command line is the user's choice, so it counts more than the cluster's */
	if (!call->url)
		call->url = json_text(json_member(cluster, "server"));
	status = call_find_url(call, failure);
	if (!status)
		status = call_supply(call, NULL, failure);
	if (!status && write_answer(call, version))
		status = status_no_memory(failure);
	call->url = NULL; /* it may belong to the request, which is about to be freed */
	return status;
}

enum status kubernetes_answer(struct call *call, struct failure *failure)
{
	const char *text = getenv("KUBERNETES_EXEC_INFO");
	struct json *request = json_read(text ? text : "", text ? strlen(text) : 0);
	enum status status = answer_request(call, request, failure);

	json_free(request);
	return status;
}
