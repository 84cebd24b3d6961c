/* writing.c — mutations of how JSON is written: each picks a place of its kind by going through the text once. */
#include <stdio.h>
#include <string.h>

#include "mutate.h"

enum place { CHARACTER, NUMBER, GAP };

/* Where in the text such a place is, and how long it is. */
struct found {
	size_t at, len, n; /* n: how many there are */
};

static bool is_number(char c) { return (c >= '0' && c <= '9') || (c != '\0' && strchr("+-.eE", c)); }

static void find(struct found *f, struct chance *c, size_t at, size_t len) {
	if (chance_below(c, ++f->n) == 0) {
		f->at = at;
		f->len = len;
	}
}

static size_t character_length(const char *text, size_t len) {
	size_t n = 1;
	if (*text == '\\')
		n = len > 1 && text[1] == 'u' ? 6 : 2;
	else if ((unsigned char)*text >= 0xc0)
		while (n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
			n++;
	return n < len ? n : len;
}

/* Any of the text's characters in strings, numbers, or gaps where white space may be. */
static bool find_any(const struct text *t, enum place place, struct chance *c, struct found *ret) {
	bool in_string = false;
	*ret = (struct found){0};
	for (size_t at = 0, len; at < t->len; at += len) {
		char ch = t->data[at];
		len = 1;
		if (ch == '"') {
			in_string = !in_string;
		} else if (in_string) {
			len = character_length(t->data + at, t->len - at);
			if (place == CHARACTER)
				find(ret, c, at, len);
		} else if (ch == '-' || (ch >= '0' && ch <= '9')) {
			while (at + len < t->len && is_number(t->data[at + len]))
				len++;
			if (place == NUMBER)
				find(ret, c, at, len);
		}
		if (place == GAP && !in_string && strchr("{}[]:,\"", ch) && ch != '\0')
			find(ret, c, at + (ch == '"' ? 1 : chance_below(c, 2)), 0);
	}
	return ret->n > 0;
}

static size_t put_code(char *to, unsigned code, struct chance *c) {
	const char *format = chance_of(c, 50) ? "\\u%04x" : "\\u%04X";
	if (code < 0x10000)
		return (size_t)sprintf(to, format, code);
	code -= 0x10000;
	size_t n = (size_t)sprintf(to, format, 0xd800 | code >> 10);
	return n + (size_t)sprintf(to + n, format, 0xdc00 | (code & 0x3ff));
}

static unsigned decode(const char *text, size_t len) {
	const unsigned char *s = (const unsigned char *)text;
	unsigned code = len == 1 ? s[0] : s[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++)
		code = code << 6 | (s[i] & 0x3fu);
	return code;
}

/* Writes some characters of a string as escapes that mean the same. */
static void escape_characters(struct text *t, struct chance *c) {
	struct found f;
	if (!find_any(t, CHARACTER, c, &f))
		return;
	for (size_t n = 1 + chance_below(c, 8); n > 0 && f.at < t->len && t->data[f.at] != '"' && t->data[f.at] != '\\'; n--) {
		char escape[16];
		size_t len = character_length(t->data + f.at, t->len - f.at);
		if (len > 4)
			return;
		size_t escaped = put_code(escape, decode(t->data + f.at, len), c);
		if (t->data[f.at] == '/' && chance_of(c, 50))
			escaped = (size_t)sprintf(escape, "\\/");
		text_replace(t, f.at, len, escape, escaped);
		f.at += escaped;
	}
}

/* clang-format off */
static const struct piece GOOD[] = {
	P("a"), P("\\n"), P("\\\\"), P("\\\""), P("\\/"), P("\\b\\f\\r\\t"), P("\\u0001"), P("\\u001F"), P("\\u007f"), P("\x7f"),
	P("\\u0080"), P("\\u07ff"), P("\\u0800"), P("\\ud7ff"), P("\\ue000"), P("\\uFFFF"), P("\\ud800\\udc00"),
	P("\\uDBFF\\uDFFF"), P("\\u0022"), P("\\u005c"), P("\\u002f"), P("\xc2\x80"), P("\xdf\xbf"), P("\xe0\xa0\x80"),
	P("\xed\x9f\xbf"), P("\xee\x80\x80"), P("\xef\xbf\xbf"), P("\xf0\x90\x80\x80"), P("\xf4\x8f\xbf\xbf"), P("\xe2\x80\xa8"),
}, BAD[] = {
	P("\\u0000"), P("\\ud800"), P("\\udc00"), P("\\udfff\\ud800"), P("\\ud800\\u0041"), P("\\ud800\\n"), P("\\ud83d\\ud83d"),
	P("\\u12"), P("\\u12G4"), P("\\u"), P("\\U0041"), P("\\a"), P("\\'"), P("\\0"), P("\\x41"), P("\n"), P("\t"), P("\x1f"),
	P("\0"), P("\\\0"), P("\x80"), P("\xbf"), P("\xc0\xaf"), P("\xc1\xbf"), P("\xc3"), P("\xe0\x9f\xbf"), P("\xe2\x82"),
	P("\xed\xa0\x80"), P("\xf0\x8f\xbf\xbf"), P("\xf0\x9f\x98"), P("\xf4\x90\x80\x80"), P("\xf5\x80\x80\x80"), P("\xfe"),
	P("\xff"), P("\\\xc3\xa9"), P("\\u00\xc3\xa9"),
};
/* clang-format on */

/* Puts another character in a string, mostly a good one. */
static void change_character(struct text *t, struct chance *c) {
	struct found f;
	if (!find_any(t, CHARACTER, c, &f))
		return;
	const struct piece *piece = chance_of(c, 85) ? &CHANCE_ITEM(c, GOOD) : &CHANCE_ITEM(c, BAD);
	text_replace(t, f.at, chance_of(c, 50) ? f.len : 0, piece->text, piece->len);
}

static size_t put_digits(char *to, size_t n, struct chance *c) {
	for (size_t i = 0; i < n; i++)
		to[i] = chance_of(c, 20) ? '0' : chance_of(c, 20) ? '9' : (char)('0' + chance_below(c, 10));
	return n;
}

/* Digits without a zero before them. */
static size_t put_whole(char *to, struct chance *c) {
	size_t n = put_digits(to, 1 + chance_below(c, chance_of(c, 95) ? 19 : 400), c);
	if (to[0] == '0')
		n = 1;
	return n;
}

size_t mutate_number(struct chance *c, char *ret) {
	static const char *const good[] = {"0",
					   "-0",
					   "0.0",
					   "-0.0",
					   "-0e5",
					   "1E+2",
					   "1e-2",
					   "0e0",
					   "1e-400",
					   "-1e-400",
					   "4.9e-324",
					   "2.2250738585072014e-308",
					   "1.7976931348623157e308",
					   "9223372036854775807",
					   "-9223372036854775808",
					   "9223372036854775808.0",
					   "9007199254740993",
					   "9007199254740993.0",
					   "0.1",
					   "100000000000000000000e0",
					   "999999999999999999",
					   "1000000000000000000",
					   "-999999999999999999",
					   "0.30000000000000004"},
				 *const bad[] = {"01",
						 "-01",
						 "1.",
						 ".5",
						 "+1",
						 "-",
						 "1e",
						 "1e+",
						 "0x10",
						 "1e400",
						 "-1e400",
						 "--1",
						 "1.e1",
						 "9223372036854775808",
						 "-9223372036854775809",
						 "18446744073709551616",
						 "1.5.5",
						 "1e5e5",
						 "00",
						 "1 2",
						 "inf",
						 "nan",
						 "1f",
						 "1\xc3\xa9"};
	char *to = ret;
	if (chance_of(c, 50)) {
		const char *text = chance_of(c, 75) ? CHANCE_ITEM(c, good) : CHANCE_ITEM(c, bad);
		return (size_t)sprintf(ret, "%s", text);
	}
	if (chance_of(c, 30))
		*to++ = '-';
	to += put_whole(to, c);
	if (chance_of(c, 30)) {
		*to++ = '.';
		to += put_digits(to, 1 + chance_below(c, 20), c);
	}
	if (chance_of(c, 30))
		to += sprintf(to, "%c%s%d", chance_of(c, 50) ? 'e' : 'E',
			      chance_of(c, 50)	 ? ""
			      : chance_of(c, 50) ? "-"
						 : "+",
			      (int)chance_below(c, chance_of(c, 80) ? 20 : 340));
	return (size_t)(to - ret);
}

static void change_number(struct text *t, struct chance *c) {
	struct found f;
	char number[NUMBER_MAX];
	size_t len = mutate_number(c, number);
	if (find_any(t, NUMBER, c, &f))
		text_replace(t, f.at, f.len, number, len);
}

static void insert_space(struct text *t, struct chance *c) {
	static const char *const good[] = {" ", "\n", "\r\n", "\t", "  \n\t", "\n\n\n\n"},
				 *const bad[] = {"\v", "\f", "\xc2\xa0", "\xef\xbb\xbf", "\xff", "//", "x", "1", "\""};
	char blank[200];
	struct found f;
	if (!find_any(t, GAP, c, &f))
		return;
	const char *space = chance_of(c, 92) ? CHANCE_ITEM(c, good) : CHANCE_ITEM(c, bad);
	if (chance_of(c, 5)) {
		memset(blank, ' ', sizeof blank);
		text_replace(t, f.at, 0, blank, chance_below(c, sizeof blank));
	} else if (chance_of(c, 3)) {
		text_replace(t, f.at, 0, "\0\0", 1 + chance_below(c, 2));
	} else {
		text_replace(t, f.at, 0, space, strlen(space));
	}
}

void mutate_writing(struct text *t, struct chance *c) {
	switch (chance_below(c, 5)) {
	case 0:
	case 1:
		escape_characters(t, c);
		break;
	case 2:
		change_character(t, c);
		break;
	case 3:
		change_number(t, c);
		break;
	default:
		insert_space(t, c);
	}
}
