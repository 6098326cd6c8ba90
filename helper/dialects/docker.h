#ifndef DOCKER_H
#define DOCKER_H

#include "dialects/call.h"

/*
 * docker-credential-helpers, as docker, podman, skopeo and others run docker-credential-NAME: a
 * token goes by user name and secret. Docker reads stdout alone, so an error is a sentence there,
 * with exit status 1. store keeps client credentials for the host of a token endpoint; a registry's
 * tokens come from us, and what belongs to a registry that no profile covers is not taken.
 */
call_verb docker_get;
call_verb docker_store;
call_verb docker_erase;
call_verb docker_list;
call_verb docker_version;
call_verb docker_usage; /* and exit status 1 */
call_verb docker_help;  /* and 0 */

#endif
