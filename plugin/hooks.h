#ifndef HOOKS_H
#define HOOKS_H

#include "handle.h"
#include "options.h"
#include "resolve.h"

/*
 * The hooked functions of libcurl. Each exists three times: the real one (resolve.h), our decision
 * (here), and the exported one, once for each symbol version (exports.c). Calls that libcurl makes
 * for its own purposes are passed on at once.
 */
CURL *hook_easy_init(struct site site);
CURL *hook_easy_duphandle(struct site site, CURL *handle);
void hook_easy_reset(struct site site, CURL *handle);
void hook_easy_cleanup(struct site site, CURL *handle);
CURLcode hook_easy_setopt(struct site site, CURL *handle, CURLoption option, union setting setting);
CURLcode hook_easy_perform(struct site site, CURL *handle);
CURLcode hook_easy_pause(struct site site, CURL *handle, int bitmask);
CURLcode hook_easy_getinfo(struct site site, CURL *handle, CURLINFO info, void *out);

CURLMcode hook_multi_add_handle(struct site site, CURLM *multi, CURL *handle);
CURLMcode hook_multi_remove_handle(struct site site, CURLM *multi, CURL *handle);
CURLMsg *hook_multi_info_read(struct site site, CURLM *multi, int *queued);
CURLMcode hook_multi_perform(struct site site, CURLM *multi, int *running);
CURLMcode hook_multi_socket(struct site site, CURLM *multi, curl_socket_t socket, int *running);
CURLMcode hook_multi_socket_action(
	struct site site, CURLM *multi, curl_socket_t socket, int events, int *running);
CURLMcode hook_multi_socket_all(struct site site, CURLM *multi, int *running);
CURLMcode hook_multi_setopt(
	struct site site, CURLM *multi, CURLMoption option, union setting setting);
CURLMcode hook_multi_cleanup(struct site site, CURLM *multi);

#endif
