/* err.c — the error table's columns, and filling in the reason. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *slug;
	int status;
	const char *title;
} TABLE[] = {
#define HF_ERR_ROW(name, slug, status, title) [name] = {slug, status, title},
	HF_ERR_TABLE(HF_ERR_ROW)
#undef HF_ERR_ROW
};

enum hf_err hf_fail(struct hf_why *why, enum hf_err err, const char *format, ...) {
	if (why) {
		va_list args;
		va_start(args, format);
		vsnprintf(why->text, sizeof why->text, format, args);
		va_end(args);
	}
	return err;
}

enum hf_err hf_no_memory(struct hf_why *why) { return hf_fail(why, HF_E_OVERLOADED, "out of memory"); }

const char *hf_err_slug(enum hf_err err) { return TABLE[err].slug; }

int hf_err_status(enum hf_err err) { return TABLE[err].status; }

const char *hf_err_title(enum hf_err err) { return TABLE[err].title; }
