/* conffile.c — inih splits the lines; lines that it would read differently are refused first. */
#include "conffile.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SHOWN 80
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

struct reading {
	const struct hf_conffile_taker *taker;
	FILE *file;
	char *line;
	size_t line_size;
	unsigned number; /* of the line */
	enum hf_err err;
	struct hf_why why;
};

/* Refuses what only inih knows: sections, `key: value`, and lines that continue the previous one. */
static enum hf_err judge(const char *text, size_t len, size_t len_max, struct hf_why *why) {
	if (strlen(text) != len)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the line has a NUL byte");
	if (len > len_max)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the line is longer than %zu bytes", len_max);
	if (*text == '[')
		return hf_fail(why, HF_E_INVALID_PARAMETER, "sections are not supported");
	if (*text && !strchr("#;", *text) && text[strcspn(text, "=:")] != '=')
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the line is not KEY = VALUE");
	return HF_OK;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Returns the value of a line, or NULL. */
static char *value_of(char *text) {
	char *equals = strchr(text, '=');
	return equals ? equals + 1 + strspn(equals + 1, " \t") : NULL;
}

/* Returns the closing quote of a value that begins with a quote, or NULL. */
static char *closing_quote(char *value) { return value && (*value == '"' || *value == '\'') ? strchr(value + 1, *value) : NULL; }

/* Cuts off a comment, which begins with # or ; at the start or after a blank, outside quotes (inih knows only ; after a blank).
 * Returns the new end. */
static char *cut_comment(char *text, char *end) {
	char *value = value_of(text), *quote = closing_quote(value);
	for (char *at = text; at < end; at++) {
		if (quote && at == value)
			at = quote;
		else if ((*at == '#' || *at == ';') && at > text && is_blank(at[-1]))
			*(end = at) = '\0';
	}
	return end;
}

/* Removes the quotes of a value. */
static enum hf_err unquote(char *text, char **end, struct hf_why *why) {
	char *value = value_of(text), *quote = closing_quote(value);
	if (!value || *text == '#' || *text == ';' || (*value != '"' && *value != '\''))
		return HF_OK;
	if (!quote)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the quote before the value is not closed after it");
	if (quote[1])
		return hf_fail(why, HF_E_INVALID_PARAMETER, "something follows the quote after the value");
	char *inner = value + 1;
	size_t len = (size_t)(quote - inner);
	*quote = '\0';
	if (strstr(inner, " ;") || strstr(inner, "\t;")) /* a comment for inih */
		return hf_fail(why, HF_E_INVALID_PARAMETER, "a value cannot have a ; after a blank");
	if (len > 0 && (is_blank(inner[0]) || is_blank(inner[len - 1]))) /* which inih would remove */
		return hf_fail(why, HF_E_INVALID_PARAMETER, "a value cannot begin or end with a blank");
	memmove(value, inner, len + 1);
	*end = value + len;
	return HF_OK;
}

/* inih's reader. inih does not pass line numbers on, so each call returns one whole line, which ends with a newline. */
static char *next_line(char *ret, int size, void *stream) {
	struct reading *r = stream;
	ssize_t got = r->err ? -1 : getline(&r->line, &r->line_size, r->file);
	if (got < 0)
		return NULL;
	char *text = r->line, *end = r->line + got;
	r->number++;
	if (r->number == 1 && strncmp(text, BYTE_ORDER_MARK, 3) == 0)
		text += 3;
	text += strspn(text, " \t\r\n");
	end = cut_comment(text, end);
	while (end > text && strchr(" \t\r\n", end[-1]) && end[-1])
		*--end = '\0';
	r->err = judge(text, (size_t)(end - text), (size_t)size - 2, &r->why);
	if (!r->err)
		r->err = unquote(text, &end, &r->why);
	if (r->err)
		return NULL;
	snprintf(ret, (size_t)size, "%s\n", text);
	return ret;
}

static int on_pair(void *context, const char *section, const char *key, const char *value) {
	struct reading *r = context;
	(void)section;
	r->err = r->taker->take(r->taker->context, r->number, key, value, &r->why);
	return !r->err;
}

static enum hf_err fail_at(const char *path, unsigned line, const char *text, struct hf_why *why) {
	size_t len = strlen(path);
	bool cut = len > PATH_SHOWN;
	char place[24] = "";
	if (line > 0)
		snprintf(place, sizeof place, "%u:", line);
	return hf_fail(why, HF_E_INVALID_PARAMETER, "%s%s:%s %s", cut ? "…" : "", cut ? path + len - PATH_SHOWN : path, place,
		       text);
}

enum hf_err hf_conffile_read(const char *path, const struct hf_conffile_taker *taker, struct hf_why *why) {
	struct reading r = {.taker = taker, .file = fopen(path, "re")};
	if (!r.file)
		return fail_at(path, 0, strerror(errno), why);
	errno = 0;
	int status = ini_parse_stream(next_line, &r, on_pair, &r);
	enum hf_err err = HF_OK;
	if (r.err)
		err = fail_at(path, r.number, r.why.text, why);
	else if (status < 0 || !feof(r.file)) /* the read failed, or out of memory */
		err = fail_at(path, 0, strerror(errno ? errno : ENOMEM), why);
	else if (status > 0)
		err = fail_at(path, (unsigned)status, "the line is not KEY = VALUE", why);
	free(r.line);
	fclose(r.file);
	return err;
}
