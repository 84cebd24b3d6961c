/* members.h — reading an object's members strictly: each once, none missing, none unknown.
 *
 * The first fault sticks; what is taken after it is empty, and nothing is said of it. So a reader is a straight line that checks
 * once, at its end. Texts are borrowed from the document. Thread-safe.
 */
#ifndef HF_API_SHAPES_MEMBERS_H
#define HF_API_SHAPES_MEMBERS_H

#include <jansson.h>

#include "storage/model/lease.h"

#define HF_MEMBERS_MAX 24

struct hf_members {
	const json_t *object;
	const char *of; /* its name, for the words */
	struct hf_why *why;
	enum hf_err err;
	int n;
	const char *taken[HF_MEMBERS_MAX];
};

/* Begins with a value, which must be an object; `what` names it. HF_E_INVALID_PARAMETER sticks if it is none. */
struct hf_members hf_members_begin(const json_t *value, const char *what, struct hf_why *why);

/* Makes `err` the fault, unless there is one, with the member's name before the words. */
void hf_members_fail(struct hf_members *m, enum hf_err err, const char *name, const char *words);

bool hf_members_has(const struct hf_members *m, const char *name);

/* The member's value; NULL after a fault. Missing: HF_E_INVALID_PARAMETER. */
const json_t *hf_members_take(struct hf_members *m, const char *name);

const char *hf_members_text(struct hf_members *m, const char *name);		     /* never NULL */
void hf_members_copy(struct hf_members *m, const char *name, size_t max, char *ret); /* 1 to `max` bytes; ret has max + 1 */
void hf_members_name(struct hf_members *m, const char *name, size_t max, char *ret); /* of the form of all names */
uint64_t hf_members_uint(struct hf_members *m, const char *name, uint64_t min, uint64_t max);
int64_t hf_members_time(struct hf_members *m, const char *name); /* in milliseconds; of the years 1970 to 9999 */
struct hf_addr hf_members_address(struct hf_members *m, const char *name);
struct hf_digest hf_members_digest(struct hf_members *m, const char *name);

/* One of `n` texts; its place. NULL texts are passed over. */
int hf_members_choice(struct hf_members *m, const char *name, const char *const *texts, int n);

/* An identity's four members, or without the service three. */
void hf_members_identity(struct hf_members *m, bool with_service, struct hf_identity *ret);

/* The fault, or HF_E_INVALID_PARAMETER for a member that nobody took. */
enum hf_err hf_members_end(struct hf_members *m) HF_CHECKED;

#endif
