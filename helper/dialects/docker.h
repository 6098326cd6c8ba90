#ifndef DOCKER_H
#define DOCKER_H

#include "dialects/call.h"

/*
 * The protocol of docker-credential-helpers, which docker, podman, skopeo and others speak. A token
 * is sent as the secret of a user name. Docker reads only stdout, so an error is a sentence there,
 * with exit status 1. store keeps client credentials for the host of a token endpoint. It does
 * nothing for a registry whose tokens we make, and fails for one that no profile covers.
 */
call_verb docker_get;
call_verb docker_store;
call_verb docker_erase;
call_verb docker_list;
call_verb docker_version;
call_verb docker_usage; /* and exit status 1 */
call_verb docker_help;  /* and 0 */

#endif
