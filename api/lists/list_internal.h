/* list_internal.h — what list_reader.c (buffers, lines) and list_json.c (arrays of an object) share. */
#ifndef HF_API_LISTS_LIST_INTERNAL_H
#define HF_API_LISTS_LIST_INTERNAL_H

#include "api/text/buf.h"
#include "list_reader.h"
#include "skim.h"

/* Where a JSON body has got to. */
struct hf_list_scan {
	enum {
		HF_SCAN_START,	/* before the outermost object */
		HF_SCAN_REST,	/* in it, outside of the arrays' elements */
		HF_SCAN_OPENED, /* behind an array's opening bracket */
		HF_SCAN_COMMA,	/* behind a comma of an array */
		HF_SCAN_ENDED,	/* behind an element */
		HF_SCAN_NESTED, /* in an element that is an object, an array or a string */
		HF_SCAN_SCALAR, /* in any other element */
		HF_SCAN_END	/* behind the outermost object */
	} state;
	bool in_string, escaped;		 /* escaped: behind a backslash of a string */
	unsigned depth;				 /* open brackets */
	uint64_t square[HF_LIST_DEPTH_MAX / 64]; /* a bit for each: it is a '[' */
	enum hf_list_member member;		 /* whose array it is in */
	struct hf_buf rest;
};

struct hf_list_reader {
	struct hf_list_options options;
	struct hf_buf text; /* what came in earlier pieces of a document that is not over */
	bool too_large;	    /* that document has become too large: only what `skim` finds in it is kept */
	struct hf_skim skim;
	uint32_t place;		   /* lines or elements that are over */
	uint32_t documents, items; /* handed over */
	struct hf_list_scan scan;  /* JSON alone */
	enum hf_err err;	   /* why the reading ended */
	struct hf_why why;
};

static inline bool hf_list_is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* Adds to one of the reader's buffers, whose length stays within item_max_bytes by the caller's care. HF_E_OVERLOADED. */
enum hf_err hf_list_add(struct hf_list_reader *reader, struct hf_buf *buf, const char *data, size_t len) HF_CHECKED;

/* Keeps a part of a document that goes on in the next piece. HF_E_OVERLOADED. */
enum hf_err hf_list_keep(struct hf_list_reader *reader, const char *data, size_t len) HF_CHECKED;

/* Hands over the document that ends with these bytes, behind those kept. */
enum hf_err hf_list_hand_over(struct hf_list_reader *reader, enum hf_list_member member, uint32_t place, const char *last,
			      size_t len) HF_CHECKED;

/* Whether a text is a whole object, array or string as far as its brackets and quotes tell; no text that was cut off is. Pure. */
bool hf_list_json_is_whole(const char *text, size_t len);

/* The JSON form of hf_list_reader_feed() and hf_list_reader_end(); they say why in reader->why. */
enum hf_err hf_list_json_feed(struct hf_list_reader *reader, const char *data, size_t len) HF_CHECKED;
enum hf_err hf_list_json_end(struct hf_list_reader *reader, json_t **ret_rest) HF_CHECKED;

#endif
