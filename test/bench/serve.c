/*
 * An API that costs next to nothing: answers every request on a loopback port, over connections
 * that stay open, and 401 where no bearer token is shown. Prints the port; ends when stdin does.
 * Expects small requests without a body, as the measurements make.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, REQUEST_MAX = 65536, BODY_BYTES = 900 };

static char welcome[BODY_BYTES + 128];
static size_t welcome_length;
static const char REFUSAL[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

static void check(int good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

static int listen_on_loopback(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(listener >= 0 && bind(listener, (struct sockaddr *)&address, size) == 0 &&
			listen(listener, SOMAXCONN) == 0 &&
			getsockname(listener, (struct sockaddr *)&address, &size) == 0,
		"serve: listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return listener;
}

static void watch(int events, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	check(epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) == 0, "serve: epoll_ctl");
}

static void welcome_client(int events, int listener)
{
	const int on = 1;
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (client < 0)
		return;
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	watch(events, client);
}

static void answer(int client)
{
	static char request[REQUEST_MAX];
	ssize_t length = read(client, request, sizeof(request));
	int shown = length > 0 && memmem(request, (size_t)length, "\r\nAuthorization: Bearer ", 24);
	const char *reply = shown ? welcome : REFUSAL;
	size_t reply_length = shown ? welcome_length : sizeof(REFUSAL) - 1;

	if (length <= 0 || write(client, reply, reply_length) != (ssize_t)reply_length)
		close(client);
}

int main(void)
{
	struct epoll_event ready[EVENTS_MAX];
	int events = epoll_create1(EPOLL_CLOEXEC);
	int listener = listen_on_loopback();

	welcome_length = (size_t)snprintf(welcome, sizeof(welcome),
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
		"{\"text\":\"%0*d\"}",
		BODY_BYTES, BODY_BYTES - (int)sizeof("{\"text\":\"\"}") + 1, 0);
	watch(events, listener);
	watch(events, STDIN_FILENO);
	for (;;) {
		int count = epoll_wait(events, ready, EVENTS_MAX, -1);

		for (int i = 0; i < count; i++) {
			if (ready[i].data.fd == STDIN_FILENO)
				return 0;
			if (ready[i].data.fd == listener)
				welcome_client(events, listener);
			else
				answer(ready[i].data.fd);
		}
	}
}
