/* export.c — lines of exports: none is accepted but in the form in which it is written. */
#include "api/shapes/export_json.h"
#include "api/shapes/export_read.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "naive.h"

#define DEPTH_MAX 2048 /* jansson's */

static bool is_one_of(const char *name, const char *const *names) {
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/* Times, addresses and digests are read in more forms than one: what they mean is for the tests of those. */
static bool same_text(const char *name, const char *read, const char *written) {
	static const char *const times[] = {"createdAt", "modifiedAt", "changedAt", "restoredAt", "quarantinedUntil",
					    "at",	 "from",       "to",	    "until",	  NULL};
	static const char *const addresses[] = {"ip", "address", "ipv4", "ipv6", "cidrs", "reserved", "draining", NULL};
	static const char *const digests[] = {"storeId", "fingerprint", "document", NULL};
	const char *form = is_one_of(name, times)	? "0123456789-:.TtZz+"
			   : is_one_of(name, addresses) ? "0123456789abcdefABCDEF:./-"
			   : strcmp(name, "ttl") == 0	? "0123456789msh"
							: NULL;
	/* In the form in which it is written it is the same. A leap second is written as the second after it. */
	if ((form && strlen(read) == 24 && read[10] == 'T' && read[17] != '6' && read[23] == 'Z') ||
	    (form && read[strspn(read, "0123456789.")] == '\0'))
		form = NULL;
	if (form)
		return read[strspn(read, form)] == '\0' && written[strspn(written, form)] == '\0';
	return (is_one_of(name, digests) ? strcasecmp(read, written) : strcmp(read, written)) == 0;
}

/* Whether what is written says that the caller had no name, where an older export said nothing. */
static bool is_nameless(const struct naive *read, size_t i, const struct naive *written, size_t k) {
	return k < written->n && strcmp(written->names[k], "by") == 0 && written->of[k]->type == NAIVE_STRING &&
	       strcmp(written->of[k]->text, "anonymous") == 0 && (i == read->n || strcmp(read->names[i], "by") != 0);
}

static bool same_value(const char *name, const struct naive *read, const struct naive *written);

static bool same_members(const struct naive *read, const struct naive *written) {
	size_t k = 0;
	for (size_t i = 0; i < read->n; i++, k++) {
		k += is_nameless(read, i, written, k);
		if (k >= written->n || strcmp(read->names[i], written->names[k]) != 0 ||
		    !same_value(read->names[i], read->of[i], written->of[k]))
			return false;
	}
	return k + is_nameless(read, read->n, written, k) == written->n;
}

/* `name`: of the member that it is, or is in. */
static bool same_value(const char *name, const struct naive *read, const struct naive *written) {
	if (read->type == NAIVE_OBJECT && written->type == NAIVE_OBJECT)
		return same_members(read, written);
	bool same = read->type == written->type && read->n == written->n;
	if (same && read->type == NAIVE_STRING)
		return same_text(name, read->text, written->text);
	if (same && read->type == NAIVE_INTEGER)
		return strcmp(name, "holdfastExport") == 0 || strtoull(read->text, NULL, 10) == strtoull(written->text, NULL, 10);
	for (size_t i = 0; same && i < read->n; i++)
		same = same_value(name, read->of[i], written->of[i]);
	return same;
}

/* What is written says what was read, and is read as what it was. */
static const char *difference_of_written(const struct naive *value, const struct hf_buf *out) {
	struct hf_line line = {.sort = HF_LINE_STORE};
	struct hf_buf again = {0};
	const struct naive *written = naive_read(out->data, out->len, NAIVE_DEPTH_MAX);
	if (memchr(out->data, '\n', out->len) != out->data + out->len - 1)
		return "whether a line is a line";
	if (!written || !same_value("", value, written))
		return "a line that was read and written";
	bool same = hf_export_read(out->data, out->len - 1, NULL, &line) == HF_OK &&
		    hf_export_write(&again, &line, NULL) == HF_OK && again.len == out->len &&
		    memcmp(again.data, out->data, out->len) == 0;
	hf_line_drop(&line);
	hf_buf_free(&again);
	return same ? NULL : "a line that was written and read";
}

static bool is_printable(const char *text) {
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

const char *fuzz_export(const char *text, size_t len) {
	struct hf_line line = {.sort = HF_LINE_STORE};
	struct hf_why why = {""};
	struct hf_buf out = {0};
	const struct naive *value = naive_read(text, len, DEPTH_MAX);
	bool is_object = value && value->type == NAIVE_OBJECT;
	enum hf_err err = hf_export_read(text, len, &why, &line);
	if ((err == HF_E_INVALID_JSON) != !is_object)
		return "whether it is a JSON object";
	if (err && (!why.text[0] || !is_printable(why.text)))
		return "what is said of a line";
	if (err && err != HF_E_INVALID_JSON && err != HF_E_INVALID_PARAMETER && err != HF_E_INVALID_NAME &&
	    err != HF_E_INVALID_ADDRESS && err != HF_E_POOL_OVERLAP)
		return "why a line is refused";
	if (err)
		return NULL;
	const char *differs = hf_export_write(&out, &line, &why) ? "whether a line can be written" : NULL;
	if (!differs)
		differs = difference_of_written(value, &out);
	hf_line_drop(&line);
	hf_buf_free(&out);
	return differs;
}
