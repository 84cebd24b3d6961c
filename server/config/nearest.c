/* nearest.c — the distance between two words (optimal string alignment). */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 63 /* longer words have no nearest one */

static int least(int a, int b, int c) {
	int ab = a < b ? a : b;
	return ab < c ? ab : c;
}

static int distance(const char *a, const char *b) {
	int rows[WORD_MAX + 1][WORD_MAX + 1], la = (int)strlen(a), lb = (int)strlen(b);
	for (int i = 0; i <= la; i++)
		rows[i][0] = i;
	for (int j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (int i = 1; i <= la; i++)
		for (int j = 1; j <= lb; j++) {
			rows[i][j] = least(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && rows[i - 2][j - 2] + 1 < rows[i][j])
				rows[i][j] = rows[i - 2][j - 2] + 1;
		}
	return rows[la][lb];
}

const char *hf_nearest(const char *word, const char *const words[], int n) {
	const char *nearest = NULL;
	int fewest = (int)strlen(word) / 3 + 1;
	for (int i = 0; strlen(word) <= WORD_MAX && i < n; i++) {
		int edits = strlen(words[i]) <= WORD_MAX ? distance(word, words[i]) : fewest;
		if (edits < fewest) {
			fewest = edits;
			nearest = words[i];
		}
	}
	return nearest;
}

const char *hf_nearest_hint(const char *word, const char *const words[], int n, const char *prefix, char ret[HF_NEAREST_HINT]) {
	const char *nearest = hf_nearest(word, words, n);
	if (nearest)
		snprintf(ret, HF_NEAREST_HINT, "; did you mean %s%s? See --help", prefix, nearest);
	else
		strcpy(ret, "; see --help");
	return ret;
}
