#include "dialects/explain.h"

#include <string.h>

#include "core/profile.h"
#include "core/profiles.h"
#include "core/settings.h"

/* The profile and its origin that are most similar to the origin in question. */
struct nearest {
	const struct origin *asked;
	struct profile *profile; /* NULL: no profile has an origin with this host */
	struct origin origin;
};

/*
 * The host must be the same. Then the same origin is nearest (of a profile that --profile
 * excludes), next one with the same scheme: a wrong port is a smaller mistake than http for https.
 */
static bool is_nearer(const struct nearest *nearest, const struct origin *origin)
{
	if (strcmp(origin->host, nearest->asked->host) != 0)
		return false;
	return !nearest->profile || origin_equal(origin, nearest->asked) ||
	       (origin->secure == nearest->asked->secure &&
		       nearest->origin.secure != nearest->asked->secure);
}

/* Keep the profile if it is nearer than the nearest so far. */
static bool look_at(struct profile *profile, void *context)
{
	struct nearest *nearest = context;
	bool nearer = false;

	for (size_t i = 0; i < profile->origin.count; i++) {
		struct origin origin;

		if (!origin_from_url(&origin, profile->origin.items[i]) ||
			!is_nearer(nearest, &origin))
			continue;
		if (!nearer) {
			profile_free(nearest->profile);
			nearest->profile = profile;
			nearer = true;
		}
		nearest->origin = origin;
	}
	if (!nearer)
		profile_free(profile);
	return true;
}

static enum status write_chosen(const struct call *call)
{
	const char *why = "the first that names it";

	if (call->profile_name)
		why = call->profile_name == call->settings->profile
			      ? "the only one used, because of SYPHT_PROFILE"
			      : "the only one used, because of --profile";
	return buffer_printf(call->reply, ": profile %s, %s\n", call->profile->name, why);
}

static enum status write_nearest(const struct call *call, const struct nearest *nearest)
{
	struct buffer *reply = call->reply;
	const char *differs = "port";
	enum status status;

	if (origin_equal(&nearest->origin, nearest->asked))
		return buffer_printf(reply,
			": none, as profile %s is the only one looked at; profile %s names it\n",
			call->profile_name, nearest->profile->name);
	if (nearest->origin.secure != nearest->asked->secure)
		differs = "scheme";
	status = buffer_printf(reply, ": none; profile %s has ", nearest->profile->name);
	if (!status)
		status = origin_write(&nearest->origin, reply);
	return status ? status
		      : buffer_printf(reply, ", with another %s: correct the URL or the profile\n",
				differs);
}

/* No profile names the host. Write the line that the config would need. */
static enum status write_advice(const struct call *call, const struct origin *origin)
{
	struct buffer *reply = call->reply;
	char *path = settings_config_path(call->settings);
	enum status status;

	if (!origin_may_carry(origin))
		status = buffer_append_text(
			reply, ": none; http is for this machine only, so use https\n");
	else {
		status = buffer_append_text(
			reply, ": no profile names it; to change that, add origin = ");
		if (!status)
			status = origin_write(origin, reply);
		if (!status)
			status = buffer_printf(
				reply, " to a profile in %s\n", path ? path : "the config");
	}
	buffer_free_text(path);
	return status;
}

enum status explain_write(struct call *call, const struct origin *origin, struct failure *failure)
{
	struct nearest nearest = {.asked = origin};
	enum status status = call_find_profile(call, origin, failure);

	/* NULL: all profiles, also those that --profile excludes; one of them may be meant */
	if (!status && !call->profile)
		status = profiles_each(call->settings, NULL, look_at, &nearest, failure);
	if (status)
		goto done;
	if (buffer_append_text(call->reply, "scope     ") || origin_write(origin, call->reply))
		status = STATUS_NO_MEMORY;
	else if (call->profile)
		status = write_chosen(call);
	else if (nearest.profile)
		status = write_nearest(call, &nearest);
	else
		status = write_advice(call, origin);
	if (status)
		status_no_memory(failure);
done:
	profile_free(nearest.profile);
	return status;
}
