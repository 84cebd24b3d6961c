/* tape.h — a JSON object read into a flat row of values: no tree, and no allocation for a text of the usual size.
 *
 * A value precedes what it contains: an array its items, an object its members, each a name and a value.
 * An object's members are also linked in the order of their names' UTF-8 bytes, as the canonical configuration needs them.
 *
 * Accepts exactly what jansson accepts with JSON_REJECT_DUPLICATES: RFC 8259 in UTF-8, integers within int64, other numbers within
 * a double, no NUL in a text, no duplicate names, no lone surrogates, nesting up to HF_JSON_DEPTH_MAX. tests/fuzz compares the two;
 * parse.h says which to use.
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
	const char *text; /* a string: decoded, NUL-terminated; a number: as written, not terminated */
	uint32_t len;	  /* bytes of the text; items of an array; members of an object */
	uint32_t span;	  /* distance in values to the one after this and all that it contains */
	int32_t sorted;	  /* distance from an object to its first name, or from a name to the next, by bytes; 0: none follows */
	uint8_t type;
	bool escaped; /* a string written with escapes; any other string needs none */
};

#define HF_TAPE_TEXT 2048 /* texts up to this many bytes, NUL included, and so many values need no allocation */
#define HF_TAPE_VALUES 128

/* Holds a copy of the text, and the row. It points into itself, so it must not be moved or copied. */
struct hf_tape {
	char *text;
	struct hf_value *values; /* the first is the object */
	uint32_t n, cap;
	char text_inside[HF_TAPE_TEXT];
	struct hf_value values_inside[HF_TAPE_VALUES];
};

/* Reads an object; `what` names the text in messages. After success the caller calls hf_tape_close(). Thread-safe.
 * Fails with HF_E_INVALID_JSON if the text is not accepted JSON; `why` has line and column.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_tape_open(const char *text, size_t len, const char *what, struct hf_why *why, struct hf_tape *ret) HF_CHECKED;
void hf_tape_close(struct hf_tape *tape);

/* Returns the value after another one and everything that it contains. A container's first item or name is `value + 1`. */
static inline const struct hf_value *hf_value_after(const struct hf_value *value) { return value + value->span; }

/* Returns an object's first name by bytes, or the name after another one; NULL at the end. Its value is `name + 1`. */
static inline const struct hf_value *hf_value_sorted(const struct hf_value *value) {
	return value->sorted ? value + value->sorted : NULL;
}

static inline bool hf_value_is(const struct hf_value *value, enum hf_value_type type) { return value && value->type == type; }

/* Returns a string's text; NULL for any other value. */
static inline const char *hf_value_text(const struct hf_value *value) { return hf_value_is(value, HF_STRING) ? value->text : NULL; }

/* Returns the value of an object's member; NULL if it is missing, or if `object` is NULL or not an object. */
const struct hf_value *hf_value_member(const struct hf_value *object, const char *name);

#endif
