/*
 * key=value lines: what is read can be written and reads the same again, and it makes no difference
 * whether it came from memory or through a descriptor.
 */
#include "core/attributes.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static void check_same(const struct attributes *one, const struct attributes *other)
{
	const char *key = NULL;
	const char *other_key = NULL;
	const char *value;
	const char *other_value;

	do {
		key = attributes_each(one, key, &value);
		other_key = attributes_each(other, other_key, &other_value);
		assert(!key == !other_key);
		assert(!key || (strcmp(key, other_key) == 0 && strcmp(value, other_value) == 0));
	} while (key);
}

static void check_written(const struct attributes *attributes)
{
	struct buffer text = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct attributes again = ATTRIBUTES_INIT;
	const char *value;

	for (const char *key = NULL; (key = attributes_each(attributes, key, &value));) {
		assert(!strpbrk(value, "\r\n") && !strpbrk(key, "=\r\n"));
		assert(attributes_contains(attributes, key, value));
		assert(attributes_get(attributes, key));
		assert(attributes_add(&text, key, value) == STATUS_OK);
	}
	assert(attributes_parse(&again, buffer_text(&text), text.length, NULL) == STATUS_OK);
	check_same(attributes, &again);
	attributes_release(&again);
	buffer_release(&text);
}

static enum status read_through_descriptor(
	struct attributes *attributes, const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	enum status status;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	status = attributes_read(attributes, fd, NULL);
	close(fd);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attributes parsed = ATTRIBUTES_INIT;
	struct attributes read = ATTRIBUTES_INIT;
	struct failure failure = {.reason = ""};
	enum status status = attributes_parse(&parsed, (const char *)data, size, &failure);

	assert(read_through_descriptor(&read, data, size) == status);
	check_same(&parsed, &read);
	if (status == STATUS_OK) {
		check_written(&parsed);
	} else {
		fuzz_check_reason(&failure);
		assert(!attributes_each(&parsed, NULL, &(const char *){NULL}));
	}
	attributes_release(&parsed);
	attributes_release(&read);
	return 0;
}
