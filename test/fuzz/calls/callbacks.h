#ifndef CALLBACKS_H
#define CALLBACKS_H

#include <stdint.h>
#include <stdio.h>

#include "app.h"

/*
 * The application's callbacks, and the streams that are their data. Two files belong to each easy
 * handle. A callback tells what it is given, and does what it is armed with when its time has come.
 */
enum callback {
	CALLBACK_WRITE,
	CALLBACK_HEADER,
	CALLBACK_READ,
	CALLBACK_PROGRESS,
	CALLBACK_OPEN,
	CALLBACK_READY,
	CALLBACK_KINDS,
};

enum action { ACTION_STEP, ACTION_PAUSE, ACTION_ABORT, ACTION_KINDS };

/* What is done at the time'th call from now. */
struct arm {
	enum callback callback;
	unsigned time;
	enum action action;
	uint8_t step[APP_STEP_BYTES];
};

/* Between the two, stdin and stdout are streams of the application too. */
void callbacks_open(void);
void callbacks_close(void);

void callbacks_arm(unsigned easy, const struct arm *arm);

/* All streams of an easy handle, back to offset. */
void callbacks_begin(unsigned easy, unsigned offset);

FILE *callbacks_file(unsigned id);
unsigned callbacks_file_id(const void *file);

/* How deep in callbacks. */
unsigned callbacks_depth(void);

size_t callback_write(char *bytes, size_t size, size_t count, void *file);
size_t callback_header(char *bytes, size_t size, size_t count, void *file);
size_t callback_read(char *bytes, size_t size, size_t count, void *file);
int callback_seek(void *file, curl_off_t offset, int origin);
int callback_seek_not(void *file, curl_off_t offset, int origin);
curlioerr callback_ioctl(CURL *handle, int command, void *file);
int callback_progress(
	void *file, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up);
curl_socket_t callback_open(void *file, curlsocktype purpose, struct curl_sockaddr *address);
int callback_ready(void *file, char *ip, char *local_ip, int port, int local_port);

#endif
