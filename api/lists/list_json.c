/* list_json.c — lists in pieces: the form of a JSON object with arrays of documents.
 *
 * A machine over bytes that knows strings and brackets, and no other grammar. It cuts the elements out of `items` and `removed` and
 * judges the commas between them; all else is collected as `rest`, with the arrays emptied, and judged by the parser at the end.
 * Names with escapes need no care: an array under such a name stays in `rest`, whose size is bounded and where the parser,
 * which knows escapes, finds a second `items`.
 */
#include <string.h>

#include "api/text/parse.h"
#include "list_internal.h"

#define IN_ARRAY 2 /* open brackets where an element may begin: the object's and the array's */

/* What the machine stops at; it runs over all other bytes. */
enum { STRING_STOP = 1, PLAIN_STOP = 2, SCALAR_STOP = 4 };
static const unsigned char STOPS[256] = {
	['"'] = STRING_STOP | PLAIN_STOP | SCALAR_STOP,
	['\\'] = STRING_STOP,
	['{'] = PLAIN_STOP | SCALAR_STOP,
	['}'] = PLAIN_STOP | SCALAR_STOP,
	['['] = PLAIN_STOP | SCALAR_STOP,
	[']'] = PLAIN_STOP | SCALAR_STOP,
	[','] = SCALAR_STOP,
	[' '] = SCALAR_STOP,
	['\t'] = SCALAR_STOP,
	['\n'] = SCALAR_STOP,
	['\r'] = SCALAR_STOP,
};

static const char *run(const char *at, const char *end, unsigned char stop) {
	while (at < end && !(STOPS[(unsigned char)*at] & stop))
		at++;
	return at;
}

static const char *array_name(const struct hf_list_reader *reader) {
	return reader->scan.member == HF_LIST_ITEM ? "items" : "removed";
}

/* Whether the machine is between the brackets of one of the two arrays. */
static bool in_array(const struct hf_list_scan *scan) { return scan->state >= HF_SCAN_OPENED && scan->state <= HF_SCAN_SCALAR; }

static enum hf_err broken(struct hf_list_reader *reader, const char *what) {
	if (!in_array(&reader->scan))
		return hf_fail(&reader->why, HF_E_INVALID_JSON, "the list: %s", what);
	return hf_fail(&reader->why, HF_E_INVALID_JSON, "\"%s\", after element %u: %s", array_name(reader), reader->place, what);
}

/* Follows one byte outside of strings that is a quote or a bracket. */
static enum hf_err follow(struct hf_list_reader *reader, char c) {
	struct hf_list_scan *scan = &reader->scan;
	if (c == '"') {
		scan->in_string = true;
		return HF_OK;
	}
	bool square = c == '[' || c == ']';
	if (c == '[' || c == '{') {
		if (scan->depth == HF_LIST_DEPTH_MAX)
			return broken(reader, "it is nested too deep");
		uint64_t bit = (uint64_t)1 << scan->depth % 64, *word = &scan->square[scan->depth / 64];
		*word = square ? *word | bit : *word & ~bit;
		scan->depth++;
		return HF_OK;
	}
	scan->depth--; /* never of 0: where no bracket is open, no byte is followed that closes one */
	if ((scan->square[scan->depth / 64] >> scan->depth % 64 & 1) != square)
		return broken(reader, square ? "a \"{\" is closed by \"]\"" : "a \"[\" is closed by \"}\"");
	return HF_OK;
}

/* Runs over what is left of a string; its end too, if it is there. */
static const char *run_string(struct hf_list_scan *scan, const char *at, const char *end) {
	while (at < end && scan->in_string) {
		if (!scan->escaped)
			at = run(at, end, STRING_STOP);
		if (at == end)
			break;
		scan->in_string = scan->escaped || *at != '"';
		scan->escaped = !scan->escaped && *at == '\\';
		at++;
	}
	return at;
}

/* Whether `rest` ends with a member's name and colon. A quote behind a backslash does not begin a name. */
static bool ends_with_name(const struct hf_buf *rest, const char *quoted) {
	size_t at = rest->len, len = strlen(quoted);
	while (hf_list_is_space(rest->data[at - 1]))
		at--;
	if (rest->data[--at] != ':')
		return false;
	while (hf_list_is_space(rest->data[at - 1]))
		at--;
	return at > len && memcmp(rest->data + at - len, quoted, len) == 0 && rest->data[at - len - 1] != '\\';
}

static enum hf_err add_rest(struct hf_list_reader *reader, const char *data, size_t len) {
	struct hf_buf *rest = &reader->scan.rest;
	if (len > reader->options.item_max_bytes - rest->len)
		return hf_fail(&reader->why, HF_E_BODY_TOO_LARGE, "the list has more than %zu bytes beside its items",
			       reader->options.item_max_bytes);
	return hf_list_add(reader, rest, data, len);
}

/* One step outside of the arrays: a run of bytes, the rest of a string, or a byte that matters. */
static enum hf_err step_rest(struct hf_list_reader *reader, const char **at, const char *end) {
	struct hf_list_scan *scan = &reader->scan;
	const char *from = *at;
	*at = scan->in_string ? run_string(scan, from, end) : run(from, end, PLAIN_STOP);
	if (*at > from)
		return add_rest(reader, from, (size_t)(*at - from));
	(*at)++;
	bool items = false, removed = false;
	if (*from == '[' && scan->depth == 1) {
		items = ends_with_name(&scan->rest, "\"items\"");
		removed = ends_with_name(&scan->rest, "\"removed\"");
	}
	enum hf_err err = add_rest(reader, from, 1);
	if (!err)
		err = follow(reader, *from);
	if (!err && scan->depth == 0)
		scan->state = HF_SCAN_END;
	if (items || removed) {
		scan->state = HF_SCAN_OPENED;
		scan->member = items ? HF_LIST_ITEM : HF_LIST_REMOVED;
		reader->place = 0;
	}
	return err;
}

static bool begins_nested(char c) { return c == '{' || c == '[' || c == '"'; }

/* One byte between the elements of an array. The first one of an element only changes the state. */
static enum hf_err step_between(struct hf_list_reader *reader, const char **at) {
	struct hf_list_scan *scan = &reader->scan;
	char c = **at;
	if (c == ',' && scan->state != HF_SCAN_ENDED)
		return broken(reader, "a comma follows no element");
	if (c == ']' && scan->state == HF_SCAN_COMMA)
		return broken(reader, "no element follows the comma");
	if (c == ']') {
		enum hf_err err = add_rest(reader, *at, 1);
		(*at)++;
		scan->state = HF_SCAN_REST;
		return err ? err : follow(reader, c);
	}
	if (c == '}')
		return broken(reader, "a \"[\" is closed by \"}\"");
	if (c == ',') {
		scan->state = HF_SCAN_COMMA;
		(*at)++;
	} else if (hf_list_is_space(c)) {
		(*at)++;
	} else if (scan->state == HF_SCAN_ENDED) {
		return broken(reader, "a comma is missing");
	} else {
		scan->state = begins_nested(c) ? HF_SCAN_NESTED : HF_SCAN_SCALAR;
	}
	return HF_OK;
}

/* Runs to the end of an element that is an object, an array or a string; *ret_ended: it is there. */
static enum hf_err run_nested(struct hf_list_reader *reader, const char **at, const char *end, bool *ret_ended) {
	struct hf_list_scan *scan = &reader->scan;
	enum hf_err err = HF_OK;
	bool ended = false;
	while (!err && !ended && *at < end) {
		if (scan->in_string)
			*at = run_string(scan, *at, end);
		else if ((*at = run(*at, end, PLAIN_STOP)) < end)
			err = follow(reader, *(*at)++);
		else
			break;
		ended = scan->depth == IN_ARRAY && !scan->in_string;
	}
	*ret_ended = ended;
	return err;
}

bool hf_list_json_is_whole(const char *text, size_t len) {
	struct hf_list_reader reader = {.scan.depth = IN_ARRAY};
	const char *at = text, *end = text + len;
	bool ended;
	return len > 0 && begins_nested(*text) && run_nested(&reader, &at, end, &ended) == HF_OK && ended && at == end;
}

/* As much of an element as there is. */
static enum hf_err step_element(struct hf_list_reader *reader, const char **at, const char *end) {
	struct hf_list_scan *scan = &reader->scan;
	const char *from = *at;
	bool ended;
	enum hf_err err = HF_OK;
	if (scan->state == HF_SCAN_SCALAR)
		ended = (*at = run(from, end, SCALAR_STOP)) < end;
	else
		err = run_nested(reader, at, end, &ended);
	if (err)
		return err;
	if (!ended)
		return hf_list_keep(reader, from, (size_t)(*at - from));
	scan->state = HF_SCAN_ENDED;
	reader->place++;
	return hf_list_hand_over(reader, scan->member, reader->place, from, (size_t)(*at - from));
}

/* One byte before or behind the outermost object. */
static enum hf_err step_outside(struct hf_list_reader *reader, const char **at, const char *end) {
	struct hf_list_scan *scan = &reader->scan;
	if (hf_list_is_space(**at)) {
		(*at)++;
		return HF_OK;
	}
	if (scan->state == HF_SCAN_END)
		return broken(reader, "something follows its end");
	const char *mark = **at == '{' ? NULL : hf_parse_mark(*at, (size_t)(end - *at));
	if (**at != '{')
		return broken(reader, mark ? mark : "it is not a JSON object");
	scan->state = HF_SCAN_REST;
	return HF_OK;
}

enum hf_err hf_list_json_feed(struct hf_list_reader *reader, const char *data, size_t len) {
	const char *at = data, *end = data + len;
	enum hf_err err = HF_OK;
	while (!err && at < end) {
		switch (reader->scan.state) {
		case HF_SCAN_START:
		case HF_SCAN_END:
			err = step_outside(reader, &at, end);
			break;
		case HF_SCAN_REST:
			err = step_rest(reader, &at, end);
			break;
		case HF_SCAN_OPENED:
		case HF_SCAN_COMMA:
		case HF_SCAN_ENDED:
			err = step_between(reader, &at);
			break;
		case HF_SCAN_NESTED:
		case HF_SCAN_SCALAR:
			err = step_element(reader, &at, end);
			break;
		}
	}
	return err;
}

enum hf_err hf_list_json_end(struct hf_list_reader *reader, json_t **ret_rest) {
	const struct hf_list_scan *scan = &reader->scan;
	if (scan->state == HF_SCAN_START)
		return hf_fail(&reader->why, HF_E_INVALID_JSON, "the body is empty; a list without items is {\"items\":[]}");
	if (in_array(scan))
		return hf_fail(&reader->why, HF_E_INVALID_JSON, "the body ends in the middle of \"%s\", after element %u",
			       array_name(reader), reader->place);
	if (scan->state != HF_SCAN_END)
		return hf_fail(&reader->why, HF_E_INVALID_JSON, "the body ends in the middle of the list, after %u items",
			       reader->items);
	return hf_parse_object(scan->rest.data, scan->rest.len, "the list without its items", &reader->why, ret_rest);
}
