/* list_json.h — a list that is a JSON object with arrays of documents. One thread at a time. */
#ifndef HF_API_LISTS_LIST_JSON_H
#define HF_API_LISTS_LIST_JSON_H

#include <jansson.h>

#include "list_buffer.h"

#define HF_LIST_DEPTH_MAX 128 /* brackets within brackets in a body, the outermost and the array's included */

/* The state of reading a body. */
struct hf_list_json {
	struct hf_list_buffer *buffer;
	enum {
		HF_SCAN_START,	/* before the outermost object */
		HF_SCAN_REST,	/* in it, outside of the arrays' elements */
		HF_SCAN_OPENED, /* after an array's opening bracket */
		HF_SCAN_COMMA,	/* after a comma of an array */
		HF_SCAN_ENDED,	/* after an element */
		HF_SCAN_NESTED, /* in an element that is an object, an array or a string */
		HF_SCAN_SCALAR, /* in any other element */
		HF_SCAN_END	/* after the outermost object */
	} state;
	bool in_string, escaped;		 /* escaped: after a backslash of a string */
	unsigned depth;				 /* open brackets */
	uint64_t square[HF_LIST_DEPTH_MAX / 64]; /* a bit for each: it is a '[' */
	enum hf_list_member member;		 /* the array that is being read */
	struct hf_buf rest;
};

/* Returns whether a text is a whole object, array or string as far as its brackets and quotes show; a text that was cut off never
 * is. Pure. */
bool hf_list_json_is_whole(const char *text, size_t len);

/* The JSON form of hf_list_reader_feed() and hf_list_reader_end(), with the same errors; the reason is in buffer->why. */
enum hf_err hf_list_json_feed(struct hf_list_json *json, const char *data, size_t len) HF_CHECKED;
enum hf_err hf_list_json_end(struct hf_list_json *json, json_t **ret_rest) HF_CHECKED;

#endif
