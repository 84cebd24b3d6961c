/* text.c — a text of bounded size, and a small random generator. */
#include "text.h"

#include <string.h>

void text_set(struct text *t, const char *data, size_t len) {
	t->len = len < TEXT_MAX ? len : TEXT_MAX;
	memcpy(t->data, data, t->len);
}

void text_replace(struct text *t, size_t at, size_t gone, const char *data, size_t len) {
	size_t rest = t->len - at - gone;
	if (len > TEXT_MAX - at)
		len = TEXT_MAX - at;
	if (rest > TEXT_MAX - at - len)
		rest = TEXT_MAX - at - len;
	memmove(t->data + at + len, t->data + at + gone, rest);
	memcpy(t->data + at, data, len);
	t->len = at + len + rest;
}

uint64_t chance_next(struct chance *c) {
	uint64_t z = c->state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

size_t chance_below(struct chance *c, size_t n) { return n > 0 ? chance_next(c) % n : 0; }

bool chance_of(struct chance *c, int percent) { return chance_below(c, 100) < (size_t)percent; }
