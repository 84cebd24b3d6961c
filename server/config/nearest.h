/* nearest.h — which word was meant, for what is misspelt. */
#ifndef HF_SERVER_CONFIG_NEAREST_H
#define HF_SERVER_CONFIG_NEAREST_H

/* Of `n` words the one that takes the fewest edits (letters put in, taken out, exchanged or swapped with the next) to become
 * `word`; NULL if it takes more than a third of the word's length. */
const char *hf_nearest(const char *word, const char *const words[], int n);

#endif
