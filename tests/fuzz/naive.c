/* naive.c — JSON, by the book. */
#include "naive.h"

#include <errno.h>
#include <iconv.h>
#include <inttypes.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY ((size_t)64 << 20)

static char memory[MEMORY];
static size_t taken;

void *naive_take(size_t bytes) {
	char *place = memory + taken;
	bytes = (bytes + 15) / 16 * 16;
	if (bytes > MEMORY - taken)
		abort();
	taken += bytes;
	return place;
}

void naive_forget(void) {
	memset(memory, 0, taken);
	taken = 0;
}

const unsigned *naive_code_points(const char *text, size_t len, size_t *ret_n, const size_t **ret_at) {
	static iconv_t utf8;
	unsigned *points = naive_take((len + 1) * sizeof *points);
	size_t *at = naive_take((len + 1) * sizeof *at), n = 0;
	char *from = (char *)text, *to = (char *)points;
	size_t left = len, room = len * sizeof *points;
	if (!utf8)
		utf8 = iconv_open("UTF-32LE", "UTF-8");
	if (iconv(utf8, &from, &left, &to, &room) != 0)
		return NULL;
	for (size_t place = 0; place < len; n++) {
		at[n] = place;
		place += points[n] > 0xffff ? 4 : points[n] > 0x7ff ? 3 : points[n] > 0x7f ? 2 : 1;
	}
	at[n] = len;
	*ret_n = n;
	if (ret_at)
		*ret_at = at;
	return points;
}

/* --- reading --- */

struct reader {
	const unsigned *at, *start;
	const size_t *places;
};

static void skip_space(struct reader *r) {
	while (*r->at == 0x20 || *r->at == 0x09 || *r->at == 0x0a || *r->at == 0x0d)
		r->at++;
}

/* Takes a token and the whitespace around it. */
static bool take(struct reader *r, const char *token) {
	skip_space(r);
	const unsigned *at = r->at;
	for (; *token; token++)
		if (*at++ != (unsigned char)*token)
			return false;
	r->at = at;
	skip_space(r);
	return true;
}

/* The UTF-8 of a code point, by its bits (RFC 3629, 3). */
static char *put(char *to, unsigned code) {
	int tail = code > 0xffff ? 3 : code > 0x7ff ? 2 : code > 0x7f ? 1 : 0;
	*to++ = (char)(tail ? (0xff00u >> (tail + 1) & 0xff) | code >> 6 * tail : code);
	while (tail-- > 0)
		*to++ = (char)(0x80 | (code >> 6 * tail & 0x3f));
	return to;
}

/* The four digits of an escape; more than 0xffff if they are not. */
static unsigned unit(struct reader *r) {
	char digits[5] = "";
	for (int i = 0; i < 4; i++) {
		if (*r->at == 0 || *r->at > 0x7f || !strchr("0123456789abcdefABCDEF", (int)*r->at))
			return 0x10000;
		digits[i] = (char)*r->at++;
	}
	return (unsigned)strtoul(digits, NULL, 16);
}

/* What an escape after its backslash stands for; 0 if nothing that is taken. */
static unsigned escape(struct reader *r) {
	switch (*r->at++) {
	case '"':
		return '"';
	case '\\':
		return '\\';
	case '/':
		return '/';
	case 'b':
		return 8;
	case 't':
		return 9;
	case 'n':
		return 10;
	case 'f':
		return 12;
	case 'r':
		return 13;
	case 'u': {
		unsigned high = unit(r);
		if (high < 0xd800 || (high > 0xdfff && high < 0x10000))
			return high;
		if (high > 0xdbff || *r->at != '\\' || r->at[1] != 'u')
			return 0;
		r->at += 2;
		unsigned low = unit(r);
		return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + (high - 0xd800) * 0x400 + low - 0xdc00 : 0;
	}
	default:
		return 0;
	}
}

static const char *string(struct reader *r) {
	const unsigned *end = ++r->at;
	while (*end && *end != '"')
		end += *end == '\\' && end[1] ? 2 : 1;
	char *text = naive_take((size_t)(end - r->at) * 4 + 1), *to = text;
	while (*r->at != '"') {
		unsigned code = *r->at++;
		if (code < 0x20 || (code == '\\' && (code = escape(r)) == 0))
			return NULL;
		to = put(to, code);
	}
	r->at++;
	return text;
}

static bool number(struct reader *r, struct naive *ret) {
	static regex_t form;
	static bool compiled;
	regmatch_t parts[4];
	size_t n = 0;
	if (!compiled)
		compiled = regcomp(&form, "^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?$", REG_EXTENDED) == 0;
	while (r->at[n] && r->at[n] < 0x80 && strchr("+-.0123456789Ee", (int)r->at[n]))
		n++;
	char *text = naive_take(n + 1);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)r->at[i];
	if (regexec(&form, text, 4, parts, 0) != 0)
		return false;
	r->at += n;
	ret->text = text;
	ret->type = parts[2].rm_so < 0 && parts[3].rm_so < 0 ? NAIVE_INTEGER : NAIVE_REAL;
	if (ret->type == NAIVE_REAL)
		return isfinite(strtod(text, NULL));
	errno = 0;
	strtoimax(text, NULL, 10);
	return errno == 0;
}

static struct naive *value(struct reader *r, int depth_left);

struct member {
	const char *name;
	struct naive *value;
};

static int by_bytes(const void *a, const void *b) {
	return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

/* The items of an array, or the members of an object, after its bracket. */
static bool container(struct reader *r, struct naive *ret, const char *close, int depth_left) {
	bool object = ret->type == NAIVE_OBJECT;
	struct member *members = NULL;
	size_t room = 0;
	if (depth_left == 0)
		return false;
	for (bool closed = take(r, close); !closed; closed = take(r, close)) {
		if (ret->n == room) {
			struct member *more = naive_take((room = room * 2 + 8) * sizeof *more);
			members = ret->n ? memcpy(more, members, ret->n * sizeof *more) : more;
		}
		struct member *m = &members[ret->n];
		if ((ret->n > 0 && !take(r, ",")) || (object && *r->at != '"'))
			return false;
		if (object && (!(m->name = string(r)) || !take(r, ":")))
			return false;
		if (!(m->value = value(r, depth_left - 1)))
			return false;
		ret->n++;
	}
	if (object && ret->n > 0)
		qsort(members, ret->n, sizeof *members, by_bytes);
	ret->of = naive_take(ret->n * sizeof *ret->of);
	ret->names = naive_take(ret->n * sizeof *ret->names);
	for (size_t i = 0; i < ret->n; i++) {
		ret->of[i] = members[i].value;
		ret->names[i] = members[i].name;
		if (object && i > 0 && strcmp(ret->names[i - 1], ret->names[i]) == 0)
			return false;
	}
	return true;
}

static bool contents(struct reader *r, struct naive *ret, int depth_left) {
	static const char *const words[] = {[NAIVE_NULL] = "null", [NAIVE_FALSE] = "false", [NAIVE_TRUE] = "true"};
	for (int i = NAIVE_NULL; i <= NAIVE_TRUE; i++)
		if (take(r, words[i])) {
			ret->type = i;
			return true;
		}
	if (*r->at == '"') {
		ret->type = NAIVE_STRING;
		return (ret->text = string(r)) != NULL;
	}
	ret->type = *r->at == '{' ? NAIVE_OBJECT : NAIVE_ARRAY;
	if (*r->at != '{' && *r->at != '[')
		return number(r, ret);
	r->at++;
	return container(r, ret, ret->type == NAIVE_OBJECT ? "}" : "]", depth_left);
}

static struct naive *value(struct reader *r, int depth_left) {
	struct naive *ret = naive_take(sizeof *ret);
	skip_space(r);
	ret->begin = r->places[r->at - r->start];
	if (!contents(r, ret, depth_left))
		return NULL;
	const unsigned *end = r->at;
	while (end > r->start && (end[-1] == 0x20 || end[-1] == 0x09 || end[-1] == 0x0a || end[-1] == 0x0d))
		end--;
	ret->end = r->places[end - r->start];
	skip_space(r);
	return ret;
}

const struct naive *naive_read(const char *text, size_t len, int depth_max) {
	struct reader r;
	size_t n;
	r.start = r.at = naive_code_points(text, len, &n, &r.places);
	const struct naive *root = r.start ? value(&r, depth_max) : NULL;
	return root && r.at == r.start + n ? root : NULL;
}

/* --- asking --- */

const struct naive *naive_member(const struct naive *object, const char *name) {
	for (size_t i = 0; object && object->type == NAIVE_OBJECT && i < object->n; i++)
		if (strcmp(object->names[i], name) == 0)
			return object->of[i];
	return NULL;
}

const char *naive_text(const struct naive *value) { return value && value->type == NAIVE_STRING ? value->text : NULL; }

bool naive_is(const struct naive *value, const char *text) {
	const char *is = naive_text(value);
	return is && strcmp(is, text) == 0;
}

/* --- writing --- */

static void write_string(FILE *out, const char *text) {
	static const char *const escapes[128] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 128 && escapes[c])
			fputs(escapes[c], out);
		else if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void write_container(FILE *out, const struct naive *value, bool (*drops)(const char *name)) {
	bool object = value->type == NAIVE_OBJECT, some = false;
	fputc(object ? '{' : '[', out);
	for (size_t i = 0; i < value->n; i++) {
		if (object && drops && drops(value->names[i]))
			continue;
		fputs(some ? "," : "", out);
		some = true;
		if (object)
			write_string(out, value->names[i]);
		fputs(object ? ":" : "", out);
		naive_write(out, value->of[i], NULL);
	}
	fputc(object ? '}' : ']', out);
}

void naive_write(FILE *out, const struct naive *value, bool (*drops)(const char *name)) {
	switch (value->type) {
	case NAIVE_NULL:
		fputs("null", out);
		break;
	case NAIVE_FALSE:
		fputs("false", out);
		break;
	case NAIVE_TRUE:
		fputs("true", out);
		break;
	case NAIVE_INTEGER:
		fprintf(out, "%" PRIdMAX, strtoimax(value->text, NULL, 10));
		break;
	case NAIVE_REAL:
		fprintf(out, "%.17g", strtod(value->text, NULL));
		break;
	case NAIVE_STRING:
		write_string(out, value->text);
		break;
	case NAIVE_ARRAY:
	case NAIVE_OBJECT:
		write_container(out, value, drops);
	}
}
