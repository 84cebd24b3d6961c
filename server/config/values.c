/* values.c — numbers with units, and booleans. */
#include "values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct hf_unit HF_UNITS_NONE[] = {{"", 1}, {NULL, 0}};
const struct hf_unit HF_UNITS_BYTES[] = {{"", 1},	   {"KiB", 1 << 10},	       {"MiB", 1 << 20},
					 {"GiB", 1 << 30}, {"TiB", (uint64_t)1 << 40}, {NULL, 0}};
const struct hf_unit HF_UNITS_SECONDS[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {NULL, 0}};

bool hf_value_number(const char *text, const struct hf_unit *units, uint64_t min, uint64_t max, uint64_t *ret) {
	char *end;
	errno = 0;
	uint64_t value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		return false;
	while (units->name && strcmp(units->name, end) != 0)
		units++;
	if (!units->name || value > UINT64_MAX / units->factor)
		return false;
	value *= units->factor;
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

bool hf_value_bool(const char *text, bool *ret) {
	bool is_true = strcmp(text, "true") == 0;
	if (!is_true && strcmp(text, "false") != 0)
		return false;
	*ret = is_true;
	return true;
}
