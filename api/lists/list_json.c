/* list_json.c — a list that is a JSON object with arrays of documents.
 *
 * A byte-wise state machine that knows only strings and brackets. It cuts the elements out of `items` and `removed` and checks the
 * commas between them; everything else is collected as `rest`, with the arrays emptied, and parsed at the end.
 * Names with escapes need no care: an array under such a name stays in `rest`, whose size is bounded and where the parser,
 * which knows escapes, finds a second `items`.
 */
#include "list_json.h"

#include <string.h>

#include "api/text/parse.h"

#define IN_ARRAY 2 /* open brackets where an element may begin: the object's and the array's */

/* The bytes at which the machine stops; it skips all others. */
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

static const char *array_name(const struct hf_list_json *json) { return json->member == HF_LIST_ITEM ? "items" : "removed"; }

/* Returns whether the machine is inside one of the two arrays. */
static bool in_array(const struct hf_list_json *json) { return json->state >= HF_SCAN_OPENED && json->state <= HF_SCAN_SCALAR; }

static enum hf_err broken(struct hf_list_json *json, const char *what) {
	if (!in_array(json))
		return hf_fail(&json->buffer->why, HF_E_INVALID_JSON, "the list: %s", what);
	return hf_fail(&json->buffer->why, HF_E_INVALID_JSON, "\"%s\", after element %u: %s", array_name(json), json->buffer->place,
		       what);
}

/* Follows one byte outside of strings that is a quote or a bracket. */
static enum hf_err follow(struct hf_list_json *json, char c) {
	if (c == '"') {
		json->in_string = true;
		return HF_OK;
	}
	bool square = c == '[' || c == ']';
	if (c == '[' || c == '{') {
		if (json->depth == HF_LIST_DEPTH_MAX)
			return broken(json, "it is nested too deep");
		uint64_t bit = (uint64_t)1 << json->depth % 64, *word = &json->square[json->depth / 64];
		*word = square ? *word | bit : *word & ~bit;
		json->depth++;
		return HF_OK;
	}
	json->depth--; /* depth is not 0: a closing bracket is followed only while one is open */
	if ((json->square[json->depth / 64] >> json->depth % 64 & 1) != square)
		return broken(json, square ? "a \"{\" is closed by \"]\"" : "a \"[\" is closed by \"}\"");
	return HF_OK;
}

/* Skips the rest of a string, with its end if it is in this piece. */
static const char *run_string(struct hf_list_json *json, const char *at, const char *end) {
	while (at < end && json->in_string) {
		if (!json->escaped)
			at = run(at, end, STRING_STOP);
		if (at == end)
			break;
		json->in_string = json->escaped || *at != '"';
		json->escaped = !json->escaped && *at == '\\';
		at++;
	}
	return at;
}

/* Returns whether `rest` ends with a member's name and colon. A quote after a backslash does not begin a name. */
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

static enum hf_err add_rest(struct hf_list_json *json, const char *data, size_t len) {
	struct hf_buf *rest = &json->rest;
	if (len > json->buffer->options.item_max_bytes - rest->len)
		return hf_fail(&json->buffer->why, HF_E_BODY_TOO_LARGE, "the list has more than %zu bytes beside its items",
			       json->buffer->options.item_max_bytes);
	return hf_list_add(json->buffer, rest, data, len);
}

/* Takes one step outside of the arrays: plain bytes, the rest of a string, or a byte that matters. */
static enum hf_err step_rest(struct hf_list_json *json, const char **at, const char *end) {
	const char *from = *at;
	*at = json->in_string ? run_string(json, from, end) : run(from, end, PLAIN_STOP);
	if (*at > from)
		return add_rest(json, from, (size_t)(*at - from));
	(*at)++;
	bool items = false, removed = false;
	if (*from == '[' && json->depth == 1) {
		items = ends_with_name(&json->rest, "\"items\"");
		removed = ends_with_name(&json->rest, "\"removed\"");
	}
	enum hf_err err = add_rest(json, from, 1);
	if (!err)
		err = follow(json, *from);
	if (!err && json->depth == 0)
		json->state = HF_SCAN_END;
	if (items || removed) {
		json->state = HF_SCAN_OPENED;
		json->member = items ? HF_LIST_ITEM : HF_LIST_REMOVED;
		json->buffer->place = 0;
	}
	return err;
}

static bool begins_nested(char c) { return c == '{' || c == '[' || c == '"'; }

/* Reads one byte between the elements of an array. The first byte of an element only changes the state. */
static enum hf_err step_between(struct hf_list_json *json, const char **at) {
	char c = **at;
	if (c == ',' && json->state != HF_SCAN_ENDED)
		return broken(json, "a comma follows no element");
	if (c == ']' && json->state == HF_SCAN_COMMA)
		return broken(json, "no element follows the comma");
	if (c == ']') {
		enum hf_err err = add_rest(json, *at, 1);
		(*at)++;
		json->state = HF_SCAN_REST;
		return err ? err : follow(json, c);
	}
	if (c == '}')
		return broken(json, "a \"[\" is closed by \"}\"");
	if (c == ',') {
		json->state = HF_SCAN_COMMA;
		(*at)++;
	} else if (hf_list_is_space(c)) {
		(*at)++;
	} else if (json->state == HF_SCAN_ENDED) {
		return broken(json, "a comma is missing");
	} else {
		json->state = begins_nested(c) ? HF_SCAN_NESTED : HF_SCAN_SCALAR;
	}
	return HF_OK;
}

/* Skips to the end of an element that is an object, an array or a string; sets *ret_ended if that end is in this piece. */
static enum hf_err run_nested(struct hf_list_json *json, const char **at, const char *end, bool *ret_ended) {
	enum hf_err err = HF_OK;
	bool ended = false;
	while (!err && !ended && *at < end) {
		if (json->in_string)
			*at = run_string(json, *at, end);
		else if ((*at = run(*at, end, PLAIN_STOP)) < end)
			err = follow(json, *(*at)++);
		else
			break;
		ended = json->depth == IN_ARRAY && !json->in_string;
	}
	*ret_ended = ended;
	return err;
}

bool hf_list_json_is_whole(const char *text, size_t len) {
	struct hf_list_buffer buffer = {.place = 0};
	struct hf_list_json json = {.buffer = &buffer, .depth = IN_ARRAY};
	const char *at = text, *end = text + len;
	bool ended;
	return len > 0 && begins_nested(*text) && run_nested(&json, &at, end, &ended) == HF_OK && ended && at == end;
}

/* Reads as much of an element as this piece has. */
static enum hf_err step_element(struct hf_list_json *json, const char **at, const char *end) {
	const char *from = *at;
	bool ended;
	enum hf_err err = HF_OK;
	if (json->state == HF_SCAN_SCALAR)
		ended = (*at = run(from, end, SCALAR_STOP)) < end;
	else
		err = run_nested(json, at, end, &ended);
	if (err)
		return err;
	if (!ended)
		return hf_list_keep(json->buffer, from, (size_t)(*at - from));
	json->state = HF_SCAN_ENDED;
	json->buffer->place++;
	return hf_list_hand_over(json->buffer, json->member, json->buffer->place, from, (size_t)(*at - from));
}

/* Reads one byte before or after the outermost object. */
static enum hf_err step_outside(struct hf_list_json *json, const char **at, const char *end) {
	if (hf_list_is_space(**at)) {
		(*at)++;
		return HF_OK;
	}
	if (json->state == HF_SCAN_END)
		return broken(json, "something follows its end");
	const char *mark = **at == '{' ? NULL : hf_parse_mark(*at, (size_t)(end - *at));
	if (**at != '{')
		return broken(json, mark ? mark : "it is not a JSON object");
	json->state = HF_SCAN_REST;
	return HF_OK;
}

enum hf_err hf_list_json_feed(struct hf_list_json *json, const char *data, size_t len) {
	const char *at = data, *end = data + len;
	enum hf_err err = HF_OK;
	while (!err && at < end) {
		switch (json->state) {
		case HF_SCAN_START:
		case HF_SCAN_END:
			err = step_outside(json, &at, end);
			break;
		case HF_SCAN_REST:
			err = step_rest(json, &at, end);
			break;
		case HF_SCAN_OPENED:
		case HF_SCAN_COMMA:
		case HF_SCAN_ENDED:
			err = step_between(json, &at);
			break;
		case HF_SCAN_NESTED:
		case HF_SCAN_SCALAR:
			err = step_element(json, &at, end);
			break;
		}
	}
	return err;
}

enum hf_err hf_list_json_end(struct hf_list_json *json, json_t **ret_rest) {
	if (json->state == HF_SCAN_START)
		return hf_fail(&json->buffer->why, HF_E_INVALID_JSON, "the body is empty; a list without items is {\"items\":[]}");
	if (in_array(json))
		return hf_fail(&json->buffer->why, HF_E_INVALID_JSON, "the body ends in the middle of \"%s\", after element %u",
			       array_name(json), json->buffer->place);
	if (json->state != HF_SCAN_END)
		return hf_fail(&json->buffer->why, HF_E_INVALID_JSON, "the body ends in the middle of the list, after %u items",
			       json->buffer->items);
	return hf_parse_object(json->rest.data, json->rest.len, "the list without its items", &json->buffer->why, ret_rest);
}
