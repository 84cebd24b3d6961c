/* naive.h — JSON read as RFC 8259 and the contract describe it: slowly, and by other means than api/.
 *
 * The bytes are decoded into code points by iconv, numbers are matched by a regular expression, and every value is a node of a
 * tree. Nothing of api/ is used. Nodes and texts live until naive_forget(); running out of memory ends the program.
 */
#ifndef HF_TESTS_NAIVE_H
#define HF_TESTS_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define NAIVE_DEPTH_MAX 64 /* containers within containers */

struct naive {
	enum { NAIVE_NULL, NAIVE_FALSE, NAIVE_TRUE, NAIVE_INTEGER, NAIVE_REAL, NAIVE_STRING, NAIVE_ARRAY, NAIVE_OBJECT } type;
	const char *text;  /* a string's, decoded; a number's, as it is written */
	size_t begin, end; /* where it stands in the text, in bytes */
	size_t n;	   /* how many values it holds */
	struct naive **of; /* its items, or the values of its members, these in the order of their names' bytes */
	const char **names;
};

void *naive_take(size_t bytes); /* zeros */
void naive_forget(void);

/* The code points of a text, `*ret_n` of them and a 0 after them; NULL if it is not UTF-8. `at`, if not NULL, becomes the place of
 * each in the text and of its end. */
const unsigned *naive_code_points(const char *text, size_t len, size_t *ret_n, const size_t **at);

/* The value that a text is, or NULL if it is not JSON as the contract takes it: without NUL, without two members of one name in one
 * object, with integers within int64 and other numbers within a double, and at most `depth_max` deep. */
const struct naive *naive_read(const char *text, size_t len, int depth_max);

/* The member's value; NULL if `object` is NULL, not an object, or without such a member. */
const struct naive *naive_member(const struct naive *object, const char *name);

const char *naive_text(const struct naive *value); /* a string's, else NULL */
bool naive_is(const struct naive *value, const char *text);

/* Writes a value in the canonical form: members by name, the shortest escapes, no spaces. `drops`, if not NULL, says which members
 * of the outermost object are left out. */
void naive_write(FILE *out, const struct naive *value, bool (*drops)(const char *name));

#endif
