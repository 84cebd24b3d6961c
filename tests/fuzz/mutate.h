/* mutate.h — texts that are made of other texts. Each is a function of the text and of chance alone. */
#ifndef HF_TESTS_MUTATE_H
#define HF_TESTS_MUTATE_H

#include "text.h"

/* Anywhere, regardless of JSON: most of it is none afterwards. `other` is another text to take pieces from. */
void mutate_bytes(struct text *t, const struct text *other, struct chance *c);

/* What JSON is written of: a string, a number, white space. Mostly it remains JSON; often it means the same. */
void mutate_writing(struct text *t, struct chance *c);

/* What the JSON holds, `n` times: members and items, Kuma's above all. Nothing if it is no JSON. */
void mutate_tree(struct text *t, const struct text *other, size_t n, struct chance *c);

/* Writes a number of any form; mostly one that is JSON. Returns its length; ret has NUMBER_MAX bytes. */
#define NUMBER_MAX 512
size_t mutate_number(struct chance *c, char *ret);

#endif
