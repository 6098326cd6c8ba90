#ifndef ENTRA_H
#define ENTRA_H

#include "core/status.h"

struct profile;
struct settings;

/*
 * Set what a profile with provider = entra leaves out, from the variables that Azure sets in a
 * workload: token_url, client_id, auth_method and client_assertion_file. STATUS_CONFIG: failure
 * names the variable.
 */
enum status entra_overlay(struct profile *profile, const struct settings *settings,
	struct failure *failure) MUST_CHECK;

#endif
