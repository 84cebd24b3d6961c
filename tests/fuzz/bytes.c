/* bytes.c — mutations of bytes. */
#include <string.h>

#include "mutate.h"

#define PIECE_MAX 4096 /* the longest slice that is copied */

static const struct piece TOKENS[] = {
	/* clang-format off */
	P("{"), P("}"), P("["), P("]"), P(":"), P(","), P("\""), P("\\"), P("true"), P("false"), P("null"), P("nul"), P("tru"),
	P("NaN"), P("Infinity"), P("-"), P("+"), P("."), P("e"), P("E"), P("0"), P("00"), P("1"), P("-0"), P("1e400"),
	P("9223372036854775808"), P("9223372036854775807"), P("0.1"), P("1E+2"), P("\0"), P("\n"), P("\r\n"), P("\t"), P(" "),
	P("\v"), P("\f"), P("\x7f"), P("\x01"), P("\xef\xbb\xbf"), P("\xc2\xa0"), P("\xe2\x80\xa8"), P("\xff"), P("\x80"),
	P("\xc0\x80"), P("\xc3"), P("\xe2\x82"), P("\xed\xa0\x80"), P("\xf4\x90\x80\x80"), P("\xf0\x80\x80\x80"),
	P("\xe0\x80\x80"), P("\xf0\x9f\x98\x80"), P("\xe2\x82\xac"), P("\xc3\xa9"), P("\\u0000"), P("\\ud800"), P("\\udc00"),
	P("\\ud83d\\ude00"), P("\\u0022"), P("\\u005c"), P("\\u00e9"), P("\\uFFFF"), P("\\u12"), P("\\x"), P("\\/"), P("\\b"),
	P("\\\""), P("{}"), P("[]"), P("\"\""), P("\"\":"), P(",\"a\":1"), P("\"a\":1,"), P("[[[[[[[["), P("{\"a\":"), P("//"),
	P("'"), P("\"kind\":"), P("\"type\":"), P("\"spec\":"), P("\"labels\":"), P("\"metadata\":"), P("\"status\":"),
	P("\"name\":"), P("\"mesh\":"), P("\"namespace\":"), P("\"annotations\":"), P("\"vips\":"), P("\"ip\":"),
	P("\"state\":"), P("\"identities\":"), P("\"kuma.io/zone\":"), P("\"kuma.io/display-name\":"),
	P("\"k8s.kuma.io/namespace\":"), P("\"kuma.io/origin\":"), P("\"kuma.io/env\":"), P("\"kuma.io/mesh\":"),
	P("\"MeshService\""), P("\"global\""), P("\"universal\""), P("\"241.0.0.1\""), P("\"fd00::1\""), P("kuma.io/"),
	P("k8s."),
	/* clang-format on */
};

static size_t random_place(const struct text *t, struct chance *c) { return chance_below(c, t->len + 1); }

/* A slice that begins at `at`; mostly a short one. */
static size_t random_slice(const struct text *t, size_t at, struct chance *c) {
	size_t most = chance_of(c, 80) ? 16 : PIECE_MAX;
	return chance_below(c, (t->len - at < most ? t->len - at : most) + 1);
}

static void change_byte(struct text *t, struct chance *c) {
	if (t->len == 0)
		return;
	char *byte = t->data + chance_below(c, t->len);
	if (chance_of(c, 50))
		*byte = (char)(*byte ^ 1 << chance_below(c, 8));
	else
		*byte = (char)chance_below(c, 256);
}

static void insert_token(struct text *t, struct chance *c) {
	const struct piece *token = &CHANCE_ITEM(c, TOKENS);
	size_t at = random_place(t, c);
	text_replace(t, at, chance_of(c, 30) && at < t->len ? 1 : 0, token->text, token->len);
}

static void delete_slice(struct text *t, struct chance *c) {
	size_t at = random_place(t, c);
	text_replace(t, at, random_slice(t, at, c), "", 0);
}

/* Copies a slice of `from` into the text. */
static void copy_slice(struct text *t, const struct text *from, struct chance *c) {
	char piece[PIECE_MAX];
	size_t at = random_place(from, c), len = random_slice(from, at, c), to = random_place(t, c);
	memcpy(piece, from->data + at, len);
	text_replace(t, to, chance_of(c, 50) ? random_slice(t, to, c) : 0, piece, len);
}

/* The beginning of the one and the end of the other. */
static void splice(struct text *t, const struct text *other, struct chance *c) {
	size_t at = random_place(t, c), from = random_place(other, c);
	text_replace(t, at, t->len - at, other->data + from, other->len - from);
}

void mutate_bytes(struct text *t, const struct text *other, struct chance *c) {
	switch (chance_below(c, 7)) {
	case 0:
	case 1:
		change_byte(t, c);
		break;
	case 2:
		insert_token(t, c);
		break;
	case 3:
		delete_slice(t, c);
		break;
	case 4:
		copy_slice(t, t, c);
		break;
	case 5:
		if (chance_of(c, 50))
			splice(t, other, c);
		else
			copy_slice(t, other, c);
		break;
	default:
		t->len = random_place(t, c);
	}
}
