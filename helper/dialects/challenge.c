#include "dialects/challenge.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"
#define SYMBOL "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* A part of the field; no NUL ends it. */
struct piece {
	const char *start;
	size_t length;
};

static bool piece_is(struct piece piece, const char *text)
{
	return piece.length == strlen(text) && strncasecmp(piece.start, text, piece.length) == 0;
}

static struct piece take_symbol(const char **p)
{
	struct piece piece = {*p, strspn(*p, SYMBOL)};

	*p += piece.length;
	return piece;
}

/* The text between quotes. Backslashes stay in it: "invalid_token" has none. */
static struct piece take_quoted(const char **p)
{
	struct piece piece = {++*p, 0};

	while (**p != '\0' && **p != '"')
		*p += **p == '\\' && (*p)[1] != '\0' ? 2 : 1;
	piece.length = (size_t)(*p - piece.start);
	*p += **p == '"';
	return piece;
}

static void take_parameter(
	struct challenges *challenges, bool of_bearer, struct piece name, const char **p)
{
	struct piece content;

	*p += strspn(*p, BLANKS "=");
	content = **p == '"' ? take_quoted(p) : take_symbol(p);
	if (of_bearer && piece_is(name, "error") && piece_is(content, "invalid_token"))
		challenges->invalid_token = true;
}

/*
 * A comma separates both challenges and parameters, so a word is a parameter if "=" follows it, and
 * otherwise the scheme of the next challenge.
 */
void challenges_add(struct challenges *challenges, const char *value)
{
	bool bearer = false;
	const char *p = value;

	for (p += strspn(p, BLANKS ","); *p != '\0'; p += strspn(p, BLANKS ",")) {
		struct piece name = take_symbol(&p);

		if (name.length == 0 && *p == '"') {
			take_quoted(&p);
		} else if (name.length == 0) {
			p += strcspn(p, BLANKS ","); /* malformed: skip it */
		} else if (p[strspn(p, BLANKS)] == '=') {
			take_parameter(challenges, bearer, name, &p);
		} else {
			bearer = piece_is(name, "bearer");
			challenges->bearer = challenges->bearer || bearer;
			challenges->basic = challenges->basic || piece_is(name, "basic");
		}
	}
}
