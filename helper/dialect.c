/*
 * sypht-dialect: answers the callers that speak JSON, and status. sypht-credential recognises them,
 * and executes this program with the name of the dialect. Only this program and sypht-mint link
 * cJSON.
 */
#include "cli.h"
#include "dialects/bazel.h"
#include "dialects/cargo.h"
#include "dialects/docker.h"
#include "dialects/kubernetes.h"
#include "dialects/status.h"
#include "dialects/statusjson.h"

static const char USAGE[] =
	"usage: sypht-dialect --protocol=NAME [WORD…]\n"
	"\n"
	"A part of sypht-credential, which runs it for callers that speak JSON:\n"
	"bazel, cargo, docker, kubernetes, status.\n";

static enum status refuse_verb(struct call *call, struct failure *failure)
{
	(void)call;
	return status_fail(failure, STATUS_USAGE, "no such command in this protocol");
}

static enum status refuse_directly(struct call *call, struct failure *failure)
{
	(void)call;
	return status_fail(failure, STATUS_USAGE, "sypht-dialect needs --protocol=NAME");
}

static const struct verb NONE[] = {{NULL, refuse_directly, CLI_ANY_NUMBER}};

static const struct verb BAZEL[] = {
	{"get", bazel_get, 0},
	{NULL, refuse_verb, CLI_ANY_NUMBER},
};

static const struct verb CARGO[] = {{NULL, cargo_converse, CLI_ANY_NUMBER}};

static const struct verb DOCKER[] = {
	{"get", docker_get, 0},
	{"store", docker_store, 0},
	{"erase", docker_erase, 0},
	{"list", docker_list, 0},
	{"version", docker_version, 0},
	{"help", docker_help, 0},
	{NULL, docker_usage, CLI_ANY_NUMBER},
};

static const struct verb KUBERNETES[] = {
	{"kubernetes", kubernetes_answer, 1},
	{NULL, kubernetes_answer, 1},
};

static enum status show_status(struct call *call, struct failure *failure)
{
	return call->json ? statusjson_show(call, failure) : status_show(call, failure);
}

static const struct verb STATUS[] = {
	{"status", show_status, 1},
	{NULL, refuse_verb, CLI_ANY_NUMBER},
};

static const struct dialect DIALECTS[] = {
	{"none", NULL, NONE, NULL},
	{"bazel", NULL, BAZEL, NULL},
	{"cargo", NULL, CARGO, NULL},
	{"docker", NULL, DOCKER, docker_usage},
	{"kubernetes", NULL, KUBERNETES, NULL},
	{"status", NULL, STATUS, NULL},
	{NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	static const struct cli_command command = {"sypht-dialect", USAGE, DIALECTS};

	return cli_main(&command, argc, argv);
}
