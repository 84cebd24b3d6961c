/* values.h — the values of flags, variables and settings. */
#ifndef HF_SERVER_CONFIG_VALUES_H
#define HF_SERVER_CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* A unit that may follow a number, such as MiB; lists end with a NULL name. */
struct hf_unit {
	const char *name;
	uint64_t factor;
};
extern const struct hf_unit HF_UNITS_NONE[], HF_UNITS_BYTES[], HF_UNITS_SECONDS[];

/* Reads a decimal number with one of the units. Returns false if it has another form, or is not in `min` to `max`. */
bool hf_value_number(const char *text, const struct hf_unit *units, uint64_t min, uint64_t max, uint64_t *ret);

/* Reads true or false. Returns false if the text is neither. */
bool hf_value_bool(const char *text, bool *ret);

#endif
