/* list_support.h — what the tests of the list reader share: reading a body in every cut, and what that led to. */
#ifndef HF_TESTS_LIST_SUPPORT_H
#define HF_TESTS_LIST_SUPPORT_H

#include "api/lists/list_reader.h"
#include "api/text/buf.h"

#define ITEM_MAX 64
#define ITEMS_MAX 8

#define LONG_64 "\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij\""  /* 64 bytes */
#define LONG_65 "\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk\"" /* 65 bytes */
#define BLANKS_70 "                                                                      "

/* What a body led to: each call as a line "i1 {…}" or "r2 too large", then what the reader answered. */
struct outcome {
	struct hf_buf calls;
	enum hf_err err, end_err; /* end_err: what hf_list_reader_end() said, also after a failure */
	struct hf_why why;
	char *rest;
	uint32_t items;
	size_t charged, charge_max;
	int fail_at; /* this call of document() fails; 0: none */
	int n_calls;
};

/* The two calls of the options, with a struct outcome as their context. */
bool outcome_charge(void *context, size_t bytes);
enum hf_err outcome_document(void *context, enum hf_list_member member, uint32_t place, const char *text, size_t len,
			     bool too_large, struct hf_why *why);
void outcome_free(struct outcome *o);

/* Reads a body in pieces of 1 to `piece_max` bytes (random if there is a seed); each is a copy, so that reading past it is seen. */
struct outcome read_pieces(const char *body, size_t len, bool ndjson, size_t piece_max, unsigned seed, struct outcome o);

/* Reads a body whole, byte by byte and in random cuts, and expects the same each time. */
struct outcome read_all_ways(const char *name, const char *body, size_t len, bool ndjson);

#endif
