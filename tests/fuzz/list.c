/* list.c — lists of documents: what is handed over is what stands there, wherever the pieces are cut. */
#include "api/lists/list_reader.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "naive.h"

#define SMALL_ITEM 48 /* limits that texts reach */
#define SMALL_LIST 6

/* What a body led to: a line for each document, then what surrounded them; and where the documents stood, if it came whole. */
struct outcome {
	char *said;
	enum hf_err err;
	struct hf_why why;
};

struct reading {
	FILE *said;
	const char *body;
	char *hollow; /* a copy of the body, in which each document becomes a 0 and blanks; NULL: not wanted */
};

static enum hf_err take(void *context, enum hf_list_member member, uint32_t place, const char *text, size_t len, bool too_large,
			struct hf_why *why) {
	struct reading *r = context;
	(void)why;
	fprintf(r->said, "%c%u%s ", member == HF_LIST_ITEM ? 'i' : 'r', place, too_large ? " too large" : "");
	fwrite(text ? text : "", 1, len, r->said);
	fputc('\n', r->said);
	if (r->hollow && len > 0)
		memset(memset(r->hollow + (text - r->body), ' ', len), '0', 1);
	return HF_OK;
}

/* Reads a body in pieces of at most `piece` bytes, or of random length if there is a seed. */
static struct outcome read_list(const char *body, size_t len, bool ndjson, bool small, size_t piece, unsigned seed, char *hollow) {
	struct outcome o = {.err = HF_OK};
	struct hf_list_reader *reader;
	json_t *rest = NULL;
	uint32_t items = 0;
	size_t said_len;
	struct reading r = {open_memstream(&o.said, &said_len), body, hollow};
	struct hf_list_options options = {ndjson, small ? SMALL_ITEM : len + 1, small ? SMALL_LIST : (uint32_t)len + 1, NULL, take,
					  &r};
	if (!r.said || hf_list_reader_open(&options, &reader))
		abort();
	for (size_t at = 0; at < len && !o.err;) {
		size_t n = seed ? 1 + (size_t)rand_r(&seed) % piece : piece;
		n = n < len - at ? n : len - at;
		char *copy = hollow || n == 1 ? NULL : memcpy(malloc(n), body + at, n);
		o.err = hf_list_reader_feed(reader, copy ? copy : body + at, n, &o.why);
		free(copy);
		at += n;
	}
	o.err = hf_list_reader_end(reader, &o.why, &rest, &items);
	hf_list_reader_close(reader);
	char *text = rest ? json_dumps(rest, JSON_SORT_KEYS) : NULL;
	fprintf(r.said, "%u items, rest %s", items, text ? text : "");
	free(text);
	json_decref(rest);
	if (fclose(r.said) != 0)
		abort();
	return o;
}

static const char *difference_of_cut(const char *body, size_t len, bool ndjson, bool small, size_t piece, unsigned seed,
				     const struct outcome *whole) {
	struct outcome cut = read_list(body, len, ndjson, small, piece, seed, NULL);
	bool same = cut.err == whole->err && strcmp(cut.said, whole->said) == 0;
	if (!strstr(cut.why.text, "byte order mark")) /* which is what the first of its bytes is taken for if it comes alone */
		same = same && strcmp(cut.why.text, whole->why.text) == 0;
	free(cut.said);
	return same ? NULL : "what pieces of a list lead to";
}

static const char *difference_of_cuts(const char *body, size_t len, bool ndjson, bool small, const struct outcome *whole) {
	unsigned seed = 1;
	for (size_t i = 0; i < len; i++)
		seed = seed * 31 + (unsigned char)body[i];
	const char *differs = difference_of_cut(body, len, ndjson, small, 1, 0, whole);
	return differs ? differs : difference_of_cut(body, len, ndjson, small, 2 + len / 3, seed | 1, whole);
}

/* --- what stands there --- */

/* Whether the value's name is written without escapes. */
static bool is_plainly_named(const char *body, const struct naive *value, const char *name) {
	size_t at = value->begin, len = strlen(name);
	while (body[at - 1] != '"')
		at--;
	return at > len + 2 && memcmp(body + at - 1 - len, name, len) == 0 && body[at - 2 - len] == '"';
}

static void say_array(FILE *said, const char *body, const struct naive *array, char member) {
	for (size_t i = 0; i < array->n; i++) {
		fprintf(said, "%c%zu ", member, i + 1);
		fwrite(body + array->of[i]->begin, 1, array->of[i]->end - array->of[i]->begin, said);
		fputc('\n', said);
	}
}

/* What a list that is JSON hands over, in the order in which it stands there; NULL: it is written with escapes. */
static char *expected_json(const char *body, const struct naive *list) {
	const struct naive *items = naive_member(list, "items"), *removed = naive_member(list, "removed");
	char *text;
	size_t len;
	FILE *said = open_memstream(&text, &len);
	if ((items && !is_plainly_named(body, items, "items")) || (removed && !is_plainly_named(body, removed, "removed"))) {
		fclose(said);
		free(text);
		return NULL;
	}
	bool swapped = items && removed && removed->begin < items->begin;
	if (items && items->type == NAIVE_ARRAY && !swapped)
		say_array(said, body, items, 'i');
	if (removed && removed->type == NAIVE_ARRAY)
		say_array(said, body, removed, 'r');
	if (items && items->type == NAIVE_ARRAY && swapped)
		say_array(said, body, items, 'i');
	fprintf(said, "%zu items, rest {", items && items->type == NAIVE_ARRAY ? items->n : 0);
	fclose(said);
	return text;
}

static const char *difference_of_json(const char *body, size_t len, const struct outcome *whole, const char *hollow) {
	const struct naive *list = naive_read(body, len, NAIVE_DEPTH_MAX), *around = naive_read(hollow, len, NAIVE_DEPTH_MAX);
	if (!whole->err && !(around && around->type == NAIVE_OBJECT))
		return "whether a list is JSON around its documents";
	if (!list || list->type != NAIVE_OBJECT)
		return NULL;
	if (whole->err)
		return "whether JSON is a list";
	char *expected = expected_json(body, list);
	bool same = !expected || strncmp(whole->said, expected, strlen(expected)) == 0;
	free(expected);
	return same ? NULL : "what a list hands over";
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* A line is a document without the blanks around it; the last one too, if it is whole without a line end. */
static const char *difference_of_lines(const char *body, size_t len, const struct outcome *whole) {
	char *text;
	size_t text_len, last = len;
	const struct naive *value = NULL;
	FILE *said = open_memstream(&text, &text_len);
	for (size_t line = 1, at = 0, next; at < len; line++, at = next) {
		const char *newline = memchr(body + at, '\n', len - at);
		size_t from = at, to = newline ? (size_t)(newline - body) : len;
		next = newline ? to + 1 : len;
		while (from < to && is_space(body[from]))
			from++;
		while (to > from && is_space(body[to - 1]))
			to--;
		if (from == to)
			continue;
		if (!newline) {
			value = naive_read(body + from, to - from, NAIVE_DEPTH_MAX);
			last = from;
		}
		fprintf(said, "i%zu ", line);
		fwrite(body + from, 1, to - from, said);
		fputc('\n', said);
	}
	fclose(said);
	bool is_whole = last == len || (value && value->type >= NAIVE_STRING),
	     maybe = last < len && !value && body[last] && strchr("{[\"", body[last]);
	bool same = whole->err ? !is_whole : strncmp(text, whole->said, text_len) == 0 && (is_whole || maybe);
	free(text);
	if (!same)
		return "what lines hand over";
	/* What is cut off is not whole. */
	if (!value || value->type < NAIVE_STRING)
		return NULL;
	size_t cut = last + 1 + (len * 7919) % (value->end > 1 ? value->end - 1 : 1);
	struct outcome o = read_list(body, cut, true, false, cut, 0, NULL);
	free(o.said);
	return o.err == HF_E_INVALID_JSON || cut >= last + value->end ? NULL : "whether a line that is cut off is whole";
}

static const char *difference(const char *body, size_t len, bool ndjson) {
	char *hollow = memcpy(naive_take(len + 1), body, len);
	struct outcome whole = read_list(body, len, ndjson, false, len, 0, ndjson ? NULL : hollow);
	const char *differs = ndjson ? difference_of_lines(body, len, &whole) : difference_of_json(body, len, &whole, hollow);
	if (!differs)
		differs = difference_of_cuts(body, len, ndjson, false, &whole);
	free(whole.said);
	if (differs)
		return differs;
	whole = read_list(body, len, ndjson, true, len, 0, NULL);
	differs = difference_of_cuts(body, len, ndjson, true, &whole);
	free(whole.said);
	return differs;
}

const char *fuzz_list(const char *text, size_t len) {
	const char *differs = difference(text, len, false);
	return differs ? differs : difference(text, len, true);
}
