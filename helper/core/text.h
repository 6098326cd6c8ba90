#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/*
 * Text for a terminal. Its author must not be able to control the terminal, nor to make the text
 * look different from what it is.
 */

/*
 * In place, replace by '?' each byte that is not valid UTF-8, each control character (C0, DEL, C1;
 * so no escape sequence is left), and each invisible character or one that changes the direction or
 * the lines of the text. The text never grows.
 */
void text_clean(char *text);

/* The value of the two hex digits at the start of text; -1: there are not two. */
int text_hex_byte(const char *text);

/* How many of the first most bytes of text to keep, so that no character is split. */
size_t text_fit(const char *text, size_t most);

#endif
