#ifndef SKIM_H
#define SKIM_H

#include <stddef.h>

/*
 * Where wanted stands in text, upper and lower case being the same; NULL where it does not. For
 * looking through much text in which it is rare: a small part of what reading it would cost.
 * wanted is not empty.
 */
const char *skim_find(const char *text, size_t length, const char *wanted);

#endif
