/* tape.h — a JSON object read into a flat row of values: no tree, and nothing allocated for a text of the usual size.
 *
 * A value stands in the row before what it holds: an array before its items, an object before its members, each a name and a value.
 * An object's members are linked by name too, in the order of their UTF-8 bytes, as the canonical configuration wants them.
 *
 * What is accepted is what jansson accepts with JSON_REJECT_DUPLICATES: RFC 8259 in UTF-8, integers within int64, other numbers
 * within a double; no NUL in any text, no two members of one name, no lone surrogate. Containers within containers:
 * HF_JSON_DEPTH_MAX. tests/fuzz holds the two against each other.
 */
#ifndef HF_API_TEXT_TAPE_H
#define HF_API_TEXT_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "storage/base/err.h"

enum hf_value_type { HF_NULL, HF_FALSE, HF_TRUE, HF_INTEGER, HF_REAL, HF_STRING, HF_ARRAY, HF_OBJECT };

struct hf_value {
	const char *text; /* a string's, decoded, with a NUL behind it; a number's as it is written, with none */
	uint32_t len;	  /* bytes of the text; items of an array; members of an object */
	uint32_t span;	  /* values in the row from this one to the one behind it and all that it holds */
	int32_t sorted;	  /* values from an object to its first name, or from a name to the next one, by bytes; 0: there is none */
	uint8_t type;
	bool escaped; /* a string that was written with escapes; others hold nothing that needs one */
};

#define HF_TAPE_TEXT 2048 /* bytes of text, its NUL included, and values that need no allocation */
#define HF_TAPE_VALUES 128

/* Holds a copy of the text, and the row. It points into itself: it stays where it is. */
struct hf_tape {
	char *text;
	struct hf_value *values; /* the first is the object */
	uint32_t n, cap;
	char text_inside[HF_TAPE_TEXT];
	struct hf_value values_inside[HF_TAPE_VALUES];
};

/* Reads an object; `what` names the text in messages. After success hf_tape_close(). Errors with line and column:
 * HF_E_INVALID_JSON; HF_E_OVERLOADED: out of memory. Thread-safe. */
enum hf_err hf_tape_open(const char *text, size_t len, const char *what, struct hf_why *why, struct hf_tape *ret) HF_CHECKED;
void hf_tape_close(struct hf_tape *tape);

/* The value behind another one and all that it holds. A container's first item or name is `value + 1`. */
static inline const struct hf_value *hf_value_behind(const struct hf_value *value) { return value + value->span; }

/* An object's first name by bytes, or the name behind another one; NULL: none. Its value is `name + 1`. */
static inline const struct hf_value *hf_value_sorted(const struct hf_value *value) {
	return value->sorted ? value + value->sorted : NULL;
}

static inline bool hf_value_is(const struct hf_value *value, enum hf_value_type type) { return value && value->type == type; }

/* A string's text, else NULL. */
static inline const char *hf_value_text(const struct hf_value *value) { return hf_value_is(value, HF_STRING) ? value->text : NULL; }

/* The value of an object's member; NULL if there is none, or `object` is NULL or none. */
const struct hf_value *hf_value_member(const struct hf_value *object, const char *name);

#endif
