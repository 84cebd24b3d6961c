/* buf.h — a growing byte buffer. After running out of memory it stays empty and `failed` stays set. One thread at a time. */
#ifndef HF_API_TEXT_BUF_H
#define HF_API_TEXT_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "storage/base/err.h"

struct hf_buf {
	char *data; /* not NUL-terminated */
	size_t len, cap;
	bool failed;
};

void hf_buf_free(struct hf_buf *buf);

/* Makes room for `more` bytes at the end and returns a pointer to it; NULL if out of memory. The caller adds the bytes it used to
 * `len`. */
char *hf_buf_reserve(struct hf_buf *buf, size_t more);

static inline void hf_buf_add(struct hf_buf *buf, const void *data, size_t len) {
	char *at = len <= buf->cap - buf->len ? buf->data + buf->len : hf_buf_reserve(buf, len);
	if (!at || len == 0)
		return;
	memcpy(at, data, len);
	buf->len += len;
}

static inline void hf_buf_text(struct hf_buf *buf, const char *text) { hf_buf_add(buf, text, strlen(text)); }

void hf_buf_printf(struct hf_buf *buf, const char *format, ...) HF_PRINTF(2, 3);

#endif
