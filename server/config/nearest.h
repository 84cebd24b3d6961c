/* nearest.h — which known word a misspelt one was meant to be. */
#ifndef HF_SERVER_CONFIG_NEAREST_H
#define HF_SERVER_CONFIG_NEAREST_H

/* Returns which of `n` words becomes `word` with the fewest edits (letters inserted, deleted, replaced, or swapped with the next),
 * or NULL if all need more edits than a third of the word's length. */
const char *hf_nearest(const char *word, const char *const words[], int n);

/* Writes the end of a message about an unknown word: "; did you mean --threads? See --help", with `prefix` before the nearest word,
 * or
 * "; see --help". Returns ret. */
#define HF_NEAREST_HINT 128
const char *hf_nearest_hint(const char *word, const char *const words[], int n, const char *prefix, char ret[HF_NEAREST_HINT]);

#endif
