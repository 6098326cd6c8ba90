#ifndef CHOICES_H
#define CHOICES_H

#include <stdbool.h>
#include <stdint.h>

#include "fake.h"

/* What the application may set on a handle, and to what. */
enum choice_kind {
	CHOICE_LONG,
	CHOICE_TEXT,
	CHOICE_FUNCTION,
	CHOICE_FILE,  /* one of the handle's two */
	CHOICE_CURLU, /* and the next: none, or one of the application's two */
	CHOICE_LIST,
	CHOICE_FORM,
	CHOICE_ERROR_BUFFER,
};

struct choice {
	CURLoption option;
	enum choice_kind kind;
	union setting setting; /* of the first three kinds */
};

/* The one that two bytes stand for. */
struct choice choice_of(uint8_t option, uint8_t value);

/* The URL that a byte stands for. */
const char *choice_url(uint8_t value);

#endif
