#include "challenge.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"
#define SYMBOL "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* A piece of the value, not ended by NUL. */
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

/* What stands between quotes, its backslashes kept: none is in the one word that is looked for. */
static struct piece take_quoted(const char **p)
{
	struct piece piece = {++*p, 0};

	while (**p != '\0' && **p != '"')
		*p += **p == '\\' && (*p)[1] != '\0' ? 2 : 1;
	piece.length = (size_t)(*p - piece.start);
	*p += **p == '"';
	return piece;
}

bool challenge_says_invalid_token(const char *value)
{
	bool bearer = false;
	const char *p = value;

	for (p += strspn(p, BLANKS ","); *p != '\0'; p += strspn(p, BLANKS ",")) {
		struct piece name = take_symbol(&p);
		struct piece content;
		const char *equals = p + strspn(p, BLANKS);

		if (name.length == 0) {
			p++; /* no challenge has this byte here: look for the next word */
		} else if (*equals != '=') {
			bearer = piece_is(name, "bearer");
		} else {
			p = equals + 1;
			p += strspn(p, BLANKS);
			content = *p == '"' ? take_quoted(&p) : take_symbol(&p);
			if (bearer && piece_is(name, "error") && piece_is(content, "invalid_token"))
				return true;
		}
	}
	return false;
}
