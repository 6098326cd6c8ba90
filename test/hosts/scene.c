/*
 * A libcurl program that does what it reads on its standard input, a line a command, so that a test
 * can play any sequence of calls. Handles have names. What a transfer came to is printed:
 *
 *	a: 0 200		CURLcode and response code
 *	a: 67 0 sypht: ...	and what stands in the error buffer
 */
#include <curl/curl.h>
#include <errno.h>
#include <locale.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACTORS_MAX = 64, LINE_BYTES = 4096, WAIT_MS = 1000 };

struct actor {
	char name[64];
	CURL *easy;
	CURLM *multi;
	CURLU *url;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	CURLcode result;     /* in a thread */
	CURL *reach_in;      /* while it receives: this handle ... */
	char new_url[512];   /* ... is given this URL */
	in_port_t elsewhere; /* where its sockets are led */
};

static struct actor actors[ACTORS_MAX];

static struct actor *actor_named(const char *name)
{
	for (size_t i = 0; i < ACTORS_MAX; i++) {
		if (actors[i].name[0] == '\0')
			snprintf(actors[i].name, sizeof(actors[i].name), "%s", name);
		if (strcmp(actors[i].name, name) == 0)
			return &actors[i];
	}
	fprintf(stderr, "too many handles\n");
	exit(2);
}

static struct actor *actor_of(const CURL *easy)
{
	for (size_t i = 0; i < ACTORS_MAX; i++)
		if (actors[i].easy == easy)
			return &actors[i];
	return NULL;
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
	struct actor *actor = context;

	(void)bytes;
	if (actor->reach_in && actor_of(actor->reach_in)->url)
		curl_url_set(actor_of(actor->reach_in)->url, CURLUPART_URL, actor->new_url, 0);
	else if (actor->reach_in)
		curl_easy_setopt(actor->reach_in, CURLOPT_URL, actor->new_url);
	return size * count;
}

/* What every handle needs here; curl_easy_reset() takes it away too. */
static void prepare(struct actor *actor)
{
	const char *authorities = getenv("CURL_CA_BUNDLE");

	curl_easy_setopt(actor->easy, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(actor->easy, CURLOPT_WRITEDATA, actor);
	curl_easy_setopt(actor->easy, CURLOPT_ERRORBUFFER, actor->error);
	curl_easy_setopt(actor->easy, CURLOPT_NOSIGNAL, 1L);
	if (authorities)
		curl_easy_setopt(actor->easy, CURLOPT_CAINFO, authorities);
}

static void report(struct actor *actor, CURLcode result)
{
	long response = 0;

	curl_easy_getinfo(actor->easy, CURLINFO_RESPONSE_CODE, &response);
	printf("%s: %d %ld%s%s\n", actor->name, result, response, result ? " " : "",
		result ? actor->error : "");
}

static void do_easy(struct actor *actor, char *rest)
{
	(void)rest;
	actor->easy = curl_easy_init();
	prepare(actor);
}

static void do_dup(struct actor *actor, char *rest)
{
	struct actor *copy = actor_named(rest);

	copy->easy = curl_easy_duphandle(actor->easy);
	prepare(copy);
}

static void do_reset(struct actor *actor, char *rest)
{
	(void)rest;
	curl_easy_reset(actor->easy);
	prepare(actor);
}

static void do_cleanup(struct actor *actor, char *rest)
{
	(void)rest;
	curl_easy_cleanup(actor->easy);
	actor->easy = NULL;
}

static void do_set(struct actor *actor, char *rest)
{
	const char *name = strsep(&rest, " ");
	const struct curl_easyoption *option = curl_easy_option_by_name(name);
	bool null = rest && strcmp(rest, "NULL") == 0;
	CURLcode code = CURLE_UNKNOWN_OPTION;

	if (!option || !rest)
		code = CURLE_UNKNOWN_OPTION;
	else if (option->type == CURLOT_LONG || option->type == CURLOT_VALUES)
		code = curl_easy_setopt(actor->easy, option->id, strtol(rest, NULL, 0));
	else if (option->type == CURLOT_OFF_T)
		code = curl_easy_setopt(
			actor->easy, option->id, (curl_off_t)strtoll(rest, NULL, 0));
	else if (option->type == CURLOT_SLIST)
		code = curl_easy_setopt(
			actor->easy, option->id, null ? NULL : curl_slist_append(NULL, rest));
	else
		code = curl_easy_setopt(actor->easy, option->id, null ? NULL : rest);
	if (code)
		printf("%s: set %s: %d\n", actor->name, name, code);
}

/* The list grows in place, also when it was set long ago. */
static void do_header(struct actor *actor, char *rest)
{
	bool first = !actor->headers;

	actor->headers = curl_slist_append(actor->headers, rest);
	if (first)
		curl_easy_setopt(actor->easy, CURLOPT_HTTPHEADER, actor->headers);
}

/* The same for a CURLU. */
static void do_curlu(struct actor *actor, char *rest)
{
	if (!actor->url) {
		actor->url = curl_url();
		curl_easy_setopt(actor->easy, CURLOPT_CURLU, actor->url);
	}
	curl_url_set(actor->url, CURLUPART_URL, rest, 0);
}

static void do_perform(struct actor *actor, char *rest)
{
	(void)rest;
	actor->error[0] = '\0';
	errno = 4711;
	report(actor, curl_easy_perform(actor->easy));
}

/* reach A B URL: while A receives, B is given another URL, in its CURLU if it has one. */
static void do_reach(struct actor *actor, char *rest)
{
	actor->reach_in = actor_named(strsep(&rest, " "))->easy;
	snprintf(actor->new_url, sizeof(actor->new_url), "%s", rest);
}

static int progress(void *context, curl_off_t download_total, curl_off_t downloaded,
	curl_off_t upload_total, curl_off_t uploaded)
{
	struct actor *actor = context;
	long response = 0;

	(void)download_total;
	(void)downloaded;
	(void)upload_total;
	(void)uploaded;
	curl_easy_getinfo(actor->easy, CURLINFO_RESPONSE_CODE, &response);
	if (response && strcspn(actor->new_url, "=") < strcspn(actor->new_url, ":"))
		putenv(actor->new_url);
	else if (response && actor->url)
		curl_url_set(actor->url, CURLUPART_URL, actor->new_url, 0);
	return 0;
}

/* meanwhile A URL: once there is a response, A's CURLU becomes another; or A NAME=VALUE. */
static void do_meanwhile(struct actor *actor, char *rest)
{
	snprintf(actor->new_url, sizeof(actor->new_url), "%s", rest);
	curl_easy_setopt(actor->easy, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(actor->easy, CURLOPT_XFERINFODATA, actor);
	curl_easy_setopt(actor->easy, CURLOPT_NOPROGRESS, 0L);
}

static curl_socket_t open_elsewhere(
	void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct actor *actor = context;

	(void)purpose;
	((struct sockaddr_in *)&address->addr)->sin_port = htons(actor->elsewhere);
	return socket(address->family, address->socktype, address->protocol);
}

static int set_up(void *context, curl_socket_t socket, curlsocktype purpose)
{
	(void)context;
	(void)socket;
	(void)purpose;
	return CURL_SOCKOPT_OK;
}

/* sockets A opens PORT, which leads there; or sets-up, or leaves them to libcurl again. */
static void do_sockets(struct actor *actor, char *rest)
{
	const char *how = strsep(&rest, " ");

	actor->elsewhere = (in_port_t)(rest ? atoi(rest) : 0);
	curl_easy_setopt(actor->easy, CURLOPT_OPENSOCKETDATA, actor);
	curl_easy_setopt(actor->easy, CURLOPT_OPENSOCKETFUNCTION,
		strcmp(how, "opens") == 0 ? open_elsewhere : NULL);
	curl_easy_setopt(
		actor->easy, CURLOPT_SOCKOPTFUNCTION, strcmp(how, "sets-up") == 0 ? set_up : NULL);
}

static void *perform_thread(void *context)
{
	struct actor *actor = context;

	actor->error[0] = '\0';
	actor->result = curl_easy_perform(actor->easy);
	return NULL;
}

/* together A B...: all of them at once, each in a thread of its own. */
static void do_together(struct actor *actor, char *rest)
{
	struct actor *members[ACTORS_MAX];
	pthread_t threads[ACTORS_MAX];
	size_t count = 0;

	for (members[count++] = actor; rest && count < ACTORS_MAX;)
		members[count++] = actor_named(strsep(&rest, " "));
	for (size_t i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, perform_thread, members[i]))
			exit(2);
	for (size_t i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		report(members[i], members[i]->result);
	}
}

static void do_multi(struct actor *actor, char *rest)
{
	(void)rest;
	actor->multi = curl_multi_init();
}

static void do_add(struct actor *actor, char *rest)
{
	CURLMcode code = curl_multi_add_handle(actor->multi, actor_named(rest)->easy);

	if (code)
		printf("%s: add %s: %d\n", actor->name, rest, code);
}

static void do_remove(struct actor *actor, char *rest)
{
	CURLMcode code = curl_multi_remove_handle(actor->multi, actor_named(rest)->easy);

	if (code)
		printf("%s: remove %s: %d\n", actor->name, rest, code);
}

static void do_messages(struct actor *actor, char *rest)
{
	CURLMsg *message;
	int queued;

	(void)rest;
	while ((message = curl_multi_info_read(actor->multi, &queued)))
		if (message->msg == CURLMSG_DONE)
			report(actor_of(message->easy_handle), message->data.result);
}

static void do_step(struct actor *actor, char *rest)
{
	int running;

	(void)rest;
	curl_multi_perform(actor->multi, &running);
}

/* Until nothing runs any more; the messages are left unread. */
static void do_spin(struct actor *actor, char *rest)
{
	int running = 1;

	(void)rest;
	while (running && !curl_multi_perform(actor->multi, &running) && running)
		curl_multi_poll(actor->multi, NULL, 0, WAIT_MS, NULL);
}

static void do_run(struct actor *actor, char *rest)
{
	do_spin(actor, rest);
	do_messages(actor, rest);
}

static int note_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *own)
{
	(void)easy;
	(void)own;
	*(curl_socket_t *)context = what == CURL_POLL_REMOVE ? CURL_SOCKET_BAD : socket;
	return 0;
}

/* The way of event loops, with one transfer at a time. */
static void do_events(struct actor *actor, char *rest)
{
	curl_socket_t socket = CURL_SOCKET_BAD;
	int running = 1;

	curl_multi_setopt(actor->multi, CURLMOPT_SOCKETFUNCTION, note_socket);
	curl_multi_setopt(actor->multi, CURLMOPT_SOCKETDATA, &socket);
	curl_multi_socket_action(actor->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	while (running) {
		curl_multi_poll(actor->multi, NULL, 0, 10, NULL);
		curl_multi_socket_action(actor->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		if (socket != CURL_SOCKET_BAD)
			curl_multi_socket_action(actor->multi, socket, 0, &running);
	}
	do_messages(actor, rest);
}

static void do_multi_set(struct actor *actor, char *rest)
{
	const char *name = strsep(&rest, " ");

	if (strcmp(name, "MAX_TOTAL_CONNECTIONS") == 0)
		curl_multi_setopt(
			actor->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, strtol(rest, NULL, 0));
	else
		printf("%s: no such option: %s\n", actor->name, name);
}

static void do_close(struct actor *actor, char *rest)
{
	(void)rest;
	curl_multi_cleanup(actor->multi);
	actor->multi = NULL;
}

/* fork A: a child performs A, the parent waits for it. */
static void do_fork(struct actor *actor, char *rest)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		do_perform(actor, rest);
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (status)
		printf("%s: the child ended with %d\n", actor->name, status);
}

static void do_setenv(struct actor *actor, char *rest)
{
	setenv(actor->name, rest ? rest : "", 1);
}

static void do_clearenv(struct actor *actor, char *rest)
{
	(void)actor;
	(void)rest;
	clearenv();
}

static const struct {
	const char *word;
	void (*act)(struct actor *, char *rest);
} commands[] = {
	{"easy", do_easy},
	{"dup", do_dup},
	{"reset", do_reset},
	{"cleanup", do_cleanup},
	{"set", do_set},
	{"header", do_header},
	{"curlu", do_curlu},
	{"perform", do_perform},
	{"reach", do_reach},
	{"meanwhile", do_meanwhile},
	{"sockets", do_sockets},
	{"together", do_together},
	{"fork", do_fork},
	{"multi", do_multi},
	{"multi-set", do_multi_set},
	{"add", do_add},
	{"remove", do_remove},
	{"step", do_step},
	{"spin", do_spin},
	{"run", do_run},
	{"events", do_events},
	{"messages", do_messages},
	{"close", do_close},
	{"setenv", do_setenv},
	{"clearenv", do_clearenv},
};

static bool act(char *line)
{
	const char *word = strsep(&line, " ");
	const char *name = line ? strsep(&line, " ") : "";

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].word, word) != 0)
			continue;
		commands[i].act(actor_named(name), line);
		return true;
	}
	return false;
}

int main(void)
{
	char line[LINE_BYTES];

	setlocale(LC_ALL, ""); /* international host names go by it */
	curl_global_init(CURL_GLOBAL_ALL);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line && !act(line)) {
			fprintf(stderr, "no such command: %s\n", line);
			return 2;
		}
	}
	for (size_t i = 0; i < ACTORS_MAX; i++) {
		curl_easy_cleanup(actors[i].easy);
		if (actors[i].multi)
			curl_multi_cleanup(actors[i].multi);
		curl_url_cleanup(actors[i].url);
		curl_slist_free_all(actors[i].headers);
	}
	curl_global_cleanup();
	return 0;
}
