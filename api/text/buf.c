/* buf.c — a growing byte buffer. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hf_buf_free(struct hf_buf *buf) {
	free(buf->data);
	*buf = (struct hf_buf){0};
}

char *hf_buf_reserve(struct hf_buf *buf, size_t more) {
	if (buf->failed)
		return NULL;
	if (buf->cap - buf->len < more) {
		size_t cap = buf->cap ? buf->cap : 512;
		while (cap - buf->len < more)
			cap *= 2;
		char *data = realloc(buf->data, cap);
		if (!data) {
			hf_buf_free(buf);
			buf->failed = true;
			return NULL;
		}
		buf->data = data;
		buf->cap = cap;
	}
	return buf->data + buf->len;
}

void hf_buf_printf(struct hf_buf *buf, const char *format, ...) {
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	char *at = len < 0 ? NULL : hf_buf_reserve(buf, (size_t)len + 1);
	if (at) {
		vsnprintf(at, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}
