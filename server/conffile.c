/* conffile.c — inih splits the lines; what it would read in a way of its own is refused before it sees it. */
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

/* inih knows sections, `key: value` and lines that continue the one before. */
static enum hf_err judge(const char *text, size_t len, size_t len_max, struct hf_why *why) {
	if (strlen(text) != len)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "there is a NUL byte in it");
	if (len > len_max)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the line is longer than %zu bytes", len_max);
	if (*text == '[')
		return hf_fail(why, HF_E_INVALID_PARAMETER, "there are no sections here");
	if (*text && !strchr("#;", *text) && text[strcspn(text, "=:")] != '=')
		return hf_fail(why, HF_E_INVALID_PARAMETER, "it is not KEY = VALUE");
	return HF_OK;
}

/* inih does not tell its handler at which line it is, so each call gives it one whole line, which ends in a newline. */
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
	for (char *at = text; at < end; at++) /* behind a blank they begin a comment; inih knows ; alone there */
		if ((*at == '#' || *at == ';') && at > text && (at[-1] == ' ' || at[-1] == '\t'))
			*(end = at) = '\0';
	while (end > text && strchr(" \t\r\n", end[-1]) && end[-1])
		*--end = '\0';
	r->err = judge(text, (size_t)(end - text), (size_t)size - 2, &r->why);
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
	else if (status < 0 || !feof(r.file)) /* a read that failed, or no memory */
		err = fail_at(path, 0, strerror(errno ? errno : ENOMEM), why);
	else if (status > 0)
		err = fail_at(path, (unsigned)status, "it is not KEY = VALUE", why);
	free(r.line);
	fclose(r.file);
	return err;
}
