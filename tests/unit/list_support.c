/* list_support.c — reading a body in every cut. */
#include "list_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

bool outcome_charge(void *context, size_t bytes) {
	struct outcome *o = context;
	if (bytes > o->charge_max - o->charged)
		return false;
	o->charged += bytes;
	return true;
}

enum hf_err outcome_document(void *context, enum hf_list_member member, uint32_t place, const char *text, size_t len,
			     bool too_large, struct hf_why *why) {
	struct outcome *o = context;
	cr_assert(text ? len > 0 : too_large && len == 0);
	if (++o->n_calls == o->fail_at)
		return hf_fail(why, HF_E_STORAGE, "no more");
	hf_buf_printf(&o->calls, "%c%u ", member == HF_LIST_ITEM ? 'i' : 'r', place);
	hf_buf_text(&o->calls, !too_large ? "" : text ? "too large: " : "too large");
	hf_buf_add(&o->calls, text ? text : "", len);
	hf_buf_add(&o->calls, "\n", 1);
	return HF_OK;
}

struct outcome read_pieces(const char *body, size_t len, bool ndjson, size_t piece_max, unsigned seed, struct outcome o) {
	struct hf_list_reader *reader;
	struct hf_list_options options = {ndjson, ITEM_MAX, ITEMS_MAX, outcome_charge, outcome_document, &o};
	json_t *rest = NULL;
	cr_assert_eq(hf_list_reader_open(&options, &reader), HF_OK);
	for (size_t at = 0; at < len && !o.err;) {
		size_t n = seed ? 1 + (size_t)rand_r(&seed) % piece_max : piece_max;
		if (n > len - at)
			n = len - at;
		char *piece = malloc(n);
		memcpy(piece, body + at, n);
		o.err = hf_list_reader_feed(reader, piece, n, &o.why);
		free(piece);
		at += n;
	}
	if (!o.err)
		cr_expect_eq(hf_list_reader_feed(reader, NULL, 0, &o.why), HF_OK);
	o.end_err = hf_list_reader_end(reader, &o.why, &rest, &o.items);
	if (!o.err)
		o.err = o.end_err;
	hf_list_reader_close(reader);
	if (rest)
		o.rest = json_dumps(rest, JSON_COMPACT);
	json_decref(rest);
	hf_buf_add(&o.calls, "", 1);
	return o;
}

void outcome_free(struct outcome *o) {
	hf_buf_free(&o->calls);
	free(o->rest);
}

static void expect_same(const char *name, const struct outcome *a, struct outcome b, const char *cut) {
	cr_expect_eq(a->err, b.err, "%s, %s: %s", name, cut, b.why.text);
	cr_expect_eq(b.err, b.end_err, "%s, %s: the end says something else", name, cut);
	cr_expect_str_eq(a->why.text, b.why.text, "%s, %s: %s", name, cut, b.why.text);
	cr_expect_str_eq(a->calls.data, b.calls.data, "%s, %s: %s", name, cut, b.calls.data);
	cr_expect_str_eq(a->rest ? a->rest : "", b.rest ? b.rest : "", "%s, %s", name, cut);
	cr_expect_eq(a->items, b.items, "%s, %s", name, cut);
	outcome_free(&b);
}

struct outcome read_all_ways(const char *name, const char *body, size_t len, bool ndjson) {
	const struct outcome fresh = {.charge_max = SIZE_MAX};
	struct outcome whole = read_pieces(body, len, ndjson, len + 1, 0, fresh);
	cr_expect_eq(whole.err, whole.end_err, "%s: the end says something else", name);
	expect_same(name, &whole, read_pieces(body, len, ndjson, 1, 0, fresh), "byte by byte");
	for (unsigned seed = 1; seed <= 40; seed++)
		expect_same(name, &whole, read_pieces(body, len, ndjson, 2 + seed % 24, seed, fresh), "at random");
	return whole;
}
