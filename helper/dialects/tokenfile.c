#include "dialects/tokenfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buffer.h"

/* ---- the path ---- */

static enum status find_wlcg(struct buffer *path, struct failure *failure)
{
	const char *named = getenv("BEARER_TOKEN_FILE");
	const char *directory = getenv("XDG_RUNTIME_DIR");
	enum status status;

	if (named && *named != '\0')
		status = buffer_append_text(path, named);
	else
		status = buffer_printf(path, "%s/bt_u%ld",
			directory && *directory == '/' ? directory : "/tmp", (long)geteuid());
	return status ? status_fail(failure, STATUS_USAGE, "the token file's path is too long")
		      : STATUS_OK;
}

static enum status find_htslib(struct buffer *path, struct failure *failure)
{
	const char *named = getenv("HTS_AUTH_LOCATION");

	/* a URL, or a pattern with "%", is not a file that could be written */
	if (!named || *named == '\0' || strstr(named, "://") || strchr(named, '%'))
		return status_fail(
			failure, STATUS_USAGE, "HTS_AUTH_LOCATION does not name a file to write");
	return buffer_append_text(path, named)
		       ? status_fail(failure, STATUS_USAGE, "HTS_AUTH_LOCATION is too long")
		       : STATUS_OK;
}

/* An operand that begins like a path names the file. What is left is the URL. */
static const char *take_operand(struct call *call)
{
	for (char *const *operand = call->operands; *operand; operand++) {
		if (**operand != '/' && **operand != '.')
			continue;
		call->url = operand == call->operands ? operand[1] : call->operands[0];
		return *operand;
	}
	return NULL;
}

/* find is for a call that does not name the file. */
static enum status find_path(struct call *call,
	enum status (*find)(struct buffer *path, struct failure *failure), struct buffer *path,
	struct failure *failure)
{
	const char *named = take_operand(call);

	if (!named && call->url && call->operands[1])
		return status_fail(failure, STATUS_USAGE, "token-file: unexpected argument '%s'",
			call->operands[1]);
	if (!named)
		return find(path, failure);
	return buffer_append_text(path, named)
		       ? status_fail(failure, STATUS_USAGE, "the token file's path is too long")
		       : STATUS_OK;
}

/* ---- the content ---- */

static enum status compose_bare(const struct call *call, struct buffer *content)
{
	return buffer_printf(content, "%s\n", call->token.value);
}

/* A b64token has no character that JSON would escape, so cJSON is not needed. */
static enum status compose_htslib(const struct call *call, struct buffer *content)
{
	return buffer_printf(content,
		"{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%lld}\n",
		call->token.value, (long long)(token_usable_until(&call->token) - call->clock()));
}

/* ---- writing ---- */

/* In /tmp any user may have created a file of that name. Do not replace what is not ours. */
static enum status check_target(const char *path, struct failure *failure)
{
	struct stat found;

	if (lstat(path, &found) != 0)
		return errno == ENOENT ? STATUS_OK
				       : status_fail(failure, STATUS_SYSTEM, "%s: %s", path,
						 strerror(errno));
	if (!S_ISREG(found.st_mode) || found.st_uid != geteuid())
		return status_fail(failure, STATUS_UNSAFE,
			"%s: not a regular file of yours, so it is not replaced", path);
	return STATUS_OK;
}

/*
 * Write a new file and rename it: a reader sees the old token or the new one, never half of it.
 * mkostemp(3) makes the file with mode 0600 under a new name, and follows no link.
 */
static enum status replace_file(
	const char *path, const struct buffer *content, struct failure *failure)
{
	char fresh[PATH_MAX];
	int length = snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	bool written;
	int fd;

	if (length < 0 || (size_t)length >= sizeof(fresh))
		return status_fail(failure, STATUS_USAGE, "the token file's path is too long");
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0)
		return status_fail(
			failure, STATUS_SYSTEM, "cannot write %s: %s", path, strerror(errno));
	written = buffer_write(content, fd) == STATUS_OK;
	if (close(fd) != 0)
		written = false;
	if (!written || rename(fresh, path) != 0) {
		status_fail(failure, STATUS_SYSTEM, "cannot write %s: %s", path, strerror(errno));
		unlink(fresh);
		return STATUS_SYSTEM;
	}
	return STATUS_OK;
}

static enum status write_file(struct call *call,
	enum status (*find)(struct buffer *path, struct failure *failure),
	enum status (*compose)(const struct call *call, struct buffer *content),
	struct failure *failure)
{
	struct buffer path = BUFFER_INIT(PATH_MAX);
	struct buffer content = BUFFER_INIT((size_t)2 * TOKEN_MAX_BYTES);
	enum status status = find_path(call, find, &path, failure);

	if (!status)
		status = check_target(path.data, failure);
	if (!status)
		status = call_find_url(call, failure);
	if (!status)
		status = call_supply(call, NULL, failure);
	if (!status && (compose(call, &content) || buffer_printf(call->reply, "%s\n", path.data)))
		status = status_no_memory(failure);
	if (!status)
		status = replace_file(path.data, &content, failure);
	buffer_release(&content);
	buffer_release(&path);
	return status;
}

enum status tokenfile_write(struct call *call, struct failure *failure)
{
	return write_file(call, find_wlcg, compose_bare, failure);
}

enum status tokenfile_write_htslib(struct call *call, struct failure *failure)
{
	return write_file(call, find_htslib, compose_htslib, failure);
}

enum status tokenfile_show_htslib(struct call *call, struct failure *failure)
{
	enum status status = call_find_url(call, failure);

	if (!status)
		status = call_supply(call, NULL, failure);
	if (!status && compose_htslib(call, call->reply))
		status = status_no_memory(failure);
	return status;
}
