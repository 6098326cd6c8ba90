#ifndef KUBERNETES_H
#define KUBERNETES_H

#include "dialects/call.h"

/*
 * ExecCredential of client.authentication.k8s.io, v1 and v1beta1. The request is in the variable
 * KUBERNETES_EXEC_INFO. The answer on stdout has the same version. The token is for the URL on the
 * command line, else for the cluster's server if the request names it (provideClusterInfo), else
 * for the default profile.
 */
call_verb kubernetes_answer;

#endif
