/* bytes.h — reading and writing the fields of a record, big-endian.
 *
 * A writer fills a buffer that its caller sized for the largest record; a parser walks borrowed bytes and sets `bad` if any are
 * missing, so that a decoder checks once, at its end. Pure and thread-safe.
 */
#ifndef HF_STORAGE_BASE_BYTES_H
#define HF_STORAGE_BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "address.h"

/* Borrowed bytes: a key or a value. */
struct hf_slice {
	const void *data;
	size_t len;
};

/* Compares keys by their bytes; a prefix comes first. Returns less than, equal to or greater than 0. */
static inline int hf_slice_compare(struct hf_slice a, struct hf_slice b) {
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Returns whether a key begins with the prefix and is longer. */
static inline bool hf_slice_extends(struct hf_slice key, struct hf_slice prefix) {
	return key.len > prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

struct hf_writer {
	uint8_t *start, *at;
};

static inline struct hf_writer hf_writer_begin(uint8_t *buffer) { return (struct hf_writer){buffer, buffer}; }

static inline struct hf_slice hf_writer_end(const struct hf_writer *w) {
	return (struct hf_slice){w->start, (size_t)(w->at - w->start)};
}

/* Numbers are 1 to 8 bytes wide. */
static inline void hf_put_uint(struct hf_writer *w, uint64_t value, int width_bytes) {
	uint64_t bytes = htobe64(value << (64 - 8 * width_bytes));
	memcpy(w->at, &bytes, (size_t)width_bytes);
	w->at += width_bytes;
}

static inline void hf_put_bytes(struct hf_writer *w, const void *data, size_t len) {
	memcpy(w->at, data, len);
	w->at += len;
}

/* Writes a text of at most 255 bytes: its length in one byte, then its bytes. */
static inline void hf_put_text(struct hf_writer *w, const char *text) {
	size_t len = strlen(text);
	hf_put_uint(w, len, 1);
	hf_put_bytes(w, text, len);
}

static inline void hf_put_addr(struct hf_writer *w, struct hf_addr a) {
	hf_addr_put(a, w->at);
	w->at += HF_ADDR_BYTES;
}

struct hf_parser {
	const uint8_t *at, *end;
	bool bad;
};

static inline struct hf_parser hf_parser_begin(struct hf_slice s) {
	return (struct hf_parser){s.data, (const uint8_t *)s.data + s.len, false};
}

/* Returns whether all bytes were read, and none was missing. */
static inline bool hf_parser_end(const struct hf_parser *p) { return !p->bad && p->at == p->end; }

static inline const uint8_t *hf_take_bytes(struct hf_parser *p, size_t len) {
	if (p->bad || (size_t)(p->end - p->at) < len) {
		p->bad = true;
		return NULL;
	}
	p->at += len;
	return p->at - len;
}

static inline uint64_t hf_take_uint(struct hf_parser *p, int width_bytes) {
	const uint8_t *at = hf_take_bytes(p, (size_t)width_bytes);
	uint64_t bytes = 0;
	if (at)
		memcpy(&bytes, at, (size_t)width_bytes);
	return be64toh(bytes) >> (64 - 8 * width_bytes);
}

static inline void hf_take_copy(struct hf_parser *p, void *ret, size_t len) {
	const uint8_t *at = hf_take_bytes(p, len);
	if (at)
		memcpy(ret, at, len);
}

/* Reads a text that hf_put_text() wrote into a buffer of `max` + 1 bytes. */
static inline void hf_take_text(struct hf_parser *p, size_t max, char *ret) {
	size_t len = hf_take_uint(p, 1);
	if (len > max)
		p->bad = true;
	const uint8_t *at = hf_take_bytes(p, len);
	if (at)
		memcpy(ret, at, len);
	ret[at ? len : 0] = '\0';
}

static inline struct hf_addr hf_take_addr(struct hf_parser *p) {
	const uint8_t *at = hf_take_bytes(p, HF_ADDR_BYTES);
	return at ? hf_addr_read(at) : (struct hf_addr){0};
}

#endif
