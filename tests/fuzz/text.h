/* text.h — the text that a run of the fuzzer works on, and chance. */
#ifndef HF_TESTS_TEXT_H
#define HF_TESTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX (128 << 10) /* bytes; what would be longer is cut */

struct text {
	size_t len;
	char data[TEXT_MAX];
};

void text_set(struct text *t, const char *data, size_t len);

/* Puts `data` in the place of `gone` bytes at `at`. `data` is not in the text. */
void text_replace(struct text *t, size_t at, size_t gone, const char *data, size_t len);

/* A text of the source, that may hold a NUL. */
struct piece {
	const char *text;
	size_t len;
};

/* clang-format off */
#define P(literal) {literal, sizeof(literal) - 1}
/* clang-format on */

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
struct chance {
	uint64_t state;
};

uint64_t chance_next(struct chance *c);
size_t chance_below(struct chance *c, size_t n); /* 0 to n - 1; 0 if n is 0 */
bool chance_of(struct chance *c, int percent);

/* One of an array's items. */
#define CHANCE_ITEM(c, array) ((array)[chance_below((c), sizeof(array) / sizeof *(array))])

#endif
