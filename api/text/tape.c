/* tape.c — reading JSON into a row of values, in place in a copy of the text. */
#include "tape.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "json.h"
#include "parse.h"

#define FEW 16	       /* up to so many names are sorted without an allocation */
#define SURE_DIGITS 18 /* an integer of up to so many characters fits into int64 */

struct reader {
	struct hf_tape *tape;
	char *at, *end; /* a NUL stands at the end, and nowhere else in accepted text */
	bool no_memory;
};

static bool no_memory(struct reader *r) {
	r->no_memory = true;
	return false;
}

static struct hf_value *value_at(const struct reader *r, uint32_t place) { return &r->tape->values[place]; }

static bool grow(struct reader *r) {
	struct hf_tape *tape = r->tape;
	bool inside = tape->values == tape->values_inside;
	uint32_t cap = tape->cap * 2;
	struct hf_value *values = realloc(inside ? NULL : tape->values, sizeof *values * cap);
	if (!values)
		return no_memory(r);
	if (inside)
		memcpy(values, tape->values_inside, sizeof tape->values_inside);
	tape->values = values;
	tape->cap = cap;
	return true;
}

/* Adds a value to the row; NULL: out of memory. The row may move. */
static inline struct hf_value *add(struct reader *r, enum hf_value_type type, const char *text, size_t len) {
	if (r->tape->n == r->tape->cap && !grow(r))
		return NULL;
	struct hf_value *value = &r->tape->values[r->tape->n++];
	*value = (struct hf_value){.text = text, .len = (uint32_t)len, .span = 1, .type = (uint8_t)type};
	return value;
}

static inline void skip_space(struct reader *r) {
	if ((unsigned char)*r->at > ' ') /* usually nothing to skip */
		return;
	while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')
		r->at++;
}

/* Takes a character and the whitespace after it. */
static bool take(struct reader *r, char c) {
	if (*r->at != c)
		return false;
	r->at++;
	skip_space(r);
	return true;
}

static int hex4(const char *text) {
	int value = 0;
	for (int i = 0; i < 4; i++) {
		char c = text[i], low = (char)(c | 0x20);
		bool digit = c >= '0' && c <= '9';
		if (!digit && (low < 'a' || low > 'f'))
			return -1;
		value = value << 4 | (digit ? c - '0' : low - 'a' + 10);
	}
	return value;
}

static char *put_utf8(char *to, unsigned code) {
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
	*to++ = (char)(lead[more] | code >> (6 * more));
	while (more-- > 0)
		*to++ = (char)(0x80 | (code >> (6 * more) & 0x3f));
	return to;
}

/* Decodes \uXXXX or a surrogate pair; `at` points to the first u. Returns NULL if it is neither, or encodes a NUL. */
static const char *decode_code(const char *at, char **to) {
	int code = hex4(at + 1);
	if (code <= 0)
		return NULL;
	at += 5;
	if (code >= 0xd800 && code < 0xdc00) {
		int low = at[0] == '\\' && at[1] == 'u' ? hex4(at + 2) : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return NULL;
		code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
		at += 6;
	} else if (code >= 0xdc00 && code <= 0xdfff) {
		return NULL;
	}
	*to = put_utf8(*to, (unsigned)code);
	return at;
}

/* Decodes what follows a backslash. */
static const char *decode_escape(const char *at, char **to) {
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name = *at ? strchr(names, *at) : NULL;
	if (*at == 'u')
		return decode_code(at, to);
	if (!name)
		return NULL;
	*(*to)++ = values[name - names];
	return at + 1;
}

/* Continues with a string after its first `plain` bytes, which need no decoding. Decodes in place: an escape is never shorter than
 * what it encodes. */
static bool read_difficult(struct reader *r, size_t plain) {
	char *start = r->at, *to = start + plain;
	const char *from = to;
	bool escaped = false;
	while (*from != '"') {
		if (*from == '\\') {
			escaped = true;
			if (!(from = decode_escape(from + 1, &to)))
				return false;
			continue;
		}
		size_t n = hf_json_plain_length(from, (size_t)(r->end - from));
		if (n == 0 && (n = hf_utf8_length(from, (size_t)(r->end - from))) < 2)
			return false; /* a control character, the end of the text, or not UTF-8 */
		if (escaped)
			memmove(to, from, n);
		to += n;
		from += n;
	}
	*to = '\0';
	r->at += from + 1 - start;
	struct hf_value *value = add(r, HF_STRING, start, (size_t)(to - start));
	if (value)
		value->escaped = escaped;
	return value != NULL;
}

/* Reads a string after its opening quote, and the whitespace after it. */
static bool read_string(struct reader *r) {
	char *start = r->at;
	size_t n = hf_json_plain_length(start, (size_t)(r->end - start));
	bool good;
	if (start[n] == '"') {
		start[n] = '\0';
		r->at += n + 1;
		good = add(r, HF_STRING, start, n) != NULL;
	} else {
		good = read_difficult(r, n);
	}
	skip_space(r);
	return good;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool skip_digits(const char **at) {
	const char *start = *at;
	while (is_digit(**at))
		(*at)++;
	return *at > start;
}

static bool read_number(struct reader *r) {
	const char *start = r->at, *at = start + (*start == '-');
	bool real = false;
	if (*at == '0')
		at++;
	else if (!skip_digits(&at))
		return false;
	if (*at == '.') {
		real = true;
		at++;
		if (!skip_digits(&at))
			return false;
	}
	if (*at == 'e' || *at == 'E') {
		real = true;
		at++;
		at += *at == '+' || *at == '-';
		if (!skip_digits(&at))
			return false;
	}
	errno = 0;
	if (real && isinf(strtod(start, NULL)))
		return false;
	if (!real && at - start > SURE_DIGITS && (strtoll(start, NULL, 10), errno))
		return false;
	r->at += at - start;
	skip_space(r);
	return add(r, real ? HF_REAL : HF_INTEGER, start, (size_t)(at - start)) != NULL;
}

static bool read_word(struct reader *r, const char *word, enum hf_value_type type) {
	size_t len = strlen(word);
	if (strncmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	skip_space(r);
	return add(r, type, NULL, 0) != NULL;
}

/* Compares by bytes; a name contains no NUL and ends with one. */
static int compare_names(const struct hf_value *a, const struct hf_value *b) {
	int order = (unsigned char)a->text[0] - (unsigned char)b->text[0];
	return order ? order : strcmp(a->text, b->text);
}

static int by_name(const void *a, const void *b) {
	return compare_names(*(const struct hf_value *const *)a, *(const struct hf_value *const *)b);
}

static void sort_names(struct hf_value **names, uint32_t n) {
	if (n > FEW) {
		qsort(names, n, sizeof *names, by_name);
		return;
	}
	for (uint32_t i = 1; i < n; i++) {
		struct hf_value *name = names[i];
		uint32_t at = i;
		for (; at > 0 && compare_names(names[at - 1], name) > 0; at--)
			names[at] = names[at - 1];
		names[at] = name;
	}
}

/* Links an object's names in order; returns false if two are equal. */
static bool link_names(struct hf_value *object, struct hf_value **names) {
	struct hf_value *last = object;
	uint32_t n = 0;
	for (struct hf_value *at = object + 1; n < object->len; at += 1 + at[1].span)
		names[n++] = at;
	sort_names(names, n);
	for (uint32_t i = 0; i < n; last = names[i++]) {
		if (i > 0 && compare_names(last, names[i]) == 0)
			return false;
		last->sorted = (int32_t)(names[i] - last);
	}
	return true;
}

static bool end_object(struct reader *r, uint32_t place) {
	struct hf_value *object = value_at(r, place), *few[FEW];
	if (object->len <= FEW)
		return link_names(object, few);
	struct hf_value **many = malloc(sizeof(struct hf_value *) * object->len);
	if (!many)
		return no_memory(r);
	bool good = link_names(object, many);
	free(many);
	return good;
}

static bool read_value(struct reader *r, int depth);

static bool read_member(struct reader *r, int depth) {
	return *r->at == '"' && (r->at++, read_string(r)) && take(r, ':') && read_value(r, depth);
}

static bool read_container(struct reader *r, enum hf_value_type type, int depth) {
	uint32_t place = r->tape->n, len = 0;
	char close = type == HF_OBJECT ? '}' : ']';
	if (depth > HF_JSON_DEPTH_MAX || !add(r, type, NULL, 0))
		return false;
	skip_space(r);
	if (*r->at != close) {
		do {
			if (!(type == HF_OBJECT ? read_member(r, depth + 1) : read_value(r, depth + 1)))
				return false;
			len++;
		} while (take(r, ','));
	}
	if (!take(r, close))
		return false;
	value_at(r, place)->len = len;
	value_at(r, place)->span = r->tape->n - place;
	return type != HF_OBJECT || end_object(r, place);
}

/* Reads a value and the whitespace after it. */
static bool read_value(struct reader *r, int depth) {
	switch (*r->at) {
	case '"':
		r->at++;
		return read_string(r);
	case '{':
		r->at++;
		return read_container(r, HF_OBJECT, depth);
	case '[':
		r->at++;
		return read_container(r, HF_ARRAY, depth);
	case 't':
		return read_word(r, "true", HF_TRUE);
	case 'f':
		return read_word(r, "false", HF_FALSE);
	case 'n':
		return read_word(r, "null", HF_NULL);
	default:
		return read_number(r);
	}
}

static bool read_text(struct reader *r) {
	skip_space(r);
	return *r->at == '{' && read_value(r, 1) && r->at == r->end;
}

/* Explains what is wrong with a text: jansson finds the position and the reason. */
static enum hf_err explain(const char *text, size_t len, const char *what, struct hf_why *why) {
	json_t *json;
	enum hf_err err = hf_parse_object(text, len, what, why, &json);
	if (err)
		return err;
	json_decref(json); /* tests/fuzz shows that the two agree; should they ever differ, the stricter is right */
	return hf_fail(why, HF_E_INVALID_JSON, "%s cannot be read", what);
}

enum hf_err hf_tape_open(const char *text, size_t len, const char *what, struct hf_why *why, struct hf_tape *ret) {
	ret->text = len < HF_TAPE_TEXT ? ret->text_inside : len < INT32_MAX ? malloc(len + 1) : NULL;
	if (!ret->text)
		return hf_no_memory(why);
	if (len > 0)
		memcpy(ret->text, text, len);
	ret->text[len] = '\0';
	ret->values = ret->values_inside;
	ret->n = 0;
	ret->cap = HF_TAPE_VALUES;
	struct reader r = {.tape = ret, .at = ret->text, .end = ret->text + len};
	if (read_text(&r))
		return HF_OK;
	hf_tape_close(ret);
	return r.no_memory ? hf_no_memory(why) : explain(text, len, what, why);
}

void hf_tape_close(struct hf_tape *tape) {
	if (tape->text != tape->text_inside)
		free(tape->text);
	if (tape->values != tape->values_inside)
		free(tape->values);
}

const struct hf_value *hf_value_member(const struct hf_value *object, const char *name) {
	size_t len = strlen(name);
	if (!hf_value_is(object, HF_OBJECT))
		return NULL;
	const struct hf_value *at = object + 1;
	for (uint32_t i = 0; i < object->len; i++, at = hf_value_after(at + 1))
		if (at->len == len && memcmp(at->text, name, len) == 0)
			return at + 1;
	return NULL;
}
