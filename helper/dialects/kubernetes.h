#ifndef KUBERNETES_H
#define KUBERNETES_H

#include "dialects/call.h"

/*
 * ExecCredential of client.authentication.k8s.io, v1 and v1beta1: a request in
 * KUBERNETES_EXEC_INFO, the token on stdout in the same version. The token is for the URL, else for
 * the cluster's server where the request tells it (provideClusterInfo), else for the default
 * profile.
 */
call_verb kubernetes_answer;

#endif
