/* members.h — reading an object's members strictly: each once, none missing, none unknown.
 *
 * The first fault sticks: later calls return empty values and do not change the message. So a reader is a straight line of calls
 * that checks for errors once, at its end. Texts are borrowed from the document. Thread-safe.
 *
 *	struct hf_members m = hf_members_begin(object, "zone", why);
 *	hf_members_name(&m, "zone", HF_NAME_MAX, zone->name);
 *	return hf_members_end(&m);
 */
#ifndef HF_API_TEXT_MEMBERS_H
#define HF_API_TEXT_MEMBERS_H

#include <jansson.h>

#include "storage/base/address.h"
#include "storage/base/digest.h"
#include "storage/base/identity.h"

#define HF_MEMBERS_MAX 24

struct hf_members {
	const json_t *object;
	const char *of; /* the object's name in messages; NULL: messages begin with the member */
	struct hf_why *why;
	enum hf_err err;
	bool checked; /* by hf_members_allow(): no member is unknown */
	int n;
	const char *taken[HF_MEMBERS_MAX];
};

/* Begins reading a value; `of` names it in messages and may be NULL.
 * HF_E_INVALID_PARAMETER (sticks): not an object. */
struct hf_members hf_members_begin(const json_t *value, const char *of, struct hf_why *why);

/* Refuses unknown members before any is read. Both lists end with NULL; `ignored` may be NULL, and is accepted without being
 * suggested in the message. HF_E_INVALID_PARAMETER (sticks): a member is in neither list. */
void hf_members_allow(struct hf_members *m, const char *const *known, const char *const *ignored);

/* Sets `err` as the fault unless an earlier one stands. The message is the member's name and `words`. */
void hf_members_fail(struct hf_members *m, enum hf_err err, const char *name, const char *words);

bool hf_members_has(const struct hf_members *m, const char *name);

/* Returns the member's value; NULL after a fault.
 * HF_E_INVALID_PARAMETER (sticks): the member is missing. */
const json_t *hf_members_take(struct hf_members *m, const char *name);

/* Each of these takes a member and checks its type and form. HF_E_INVALID_PARAMETER sticks if it is missing or wrong; except
 * HF_E_INVALID_NAME and HF_E_INVALID_ADDRESS where the text is not a name or an address. */
const char *hf_members_text(struct hf_members *m, const char *name);		     /* never NULL */
void hf_members_copy(struct hf_members *m, const char *name, size_t max, char *ret); /* 1 to `max` bytes; ret has max + 1 */
void hf_members_name(struct hf_members *m, const char *name, size_t max, char *ret); /* hf_name_check(); ret has max + 1 bytes */
uint64_t hf_members_uint(struct hf_members *m, const char *name, uint64_t min, uint64_t max);
int64_t hf_members_time(struct hf_members *m, const char *name); /* milliseconds, within the years 1970 to 9999 */
/* A duration such as "30s" from `min_s` to `max_s` seconds, in milliseconds. */
int64_t hf_members_duration(struct hf_members *m, const char *name, int min_s, int max_s);
struct hf_addr hf_members_address(struct hf_members *m, const char *name);
struct hf_digest hf_members_digest(struct hf_members *m, const char *name);
enum hf_kind hf_members_kind(struct hf_members *m, const char *name);

/* Takes a member that must be one of `n` texts, and returns its index. NULL texts are skipped. */
int hf_members_choice(struct hf_members *m, const char *name, const char *const *texts, int n);

/* Takes an identity's four members, or the first three without the service. */
void hf_members_identity(struct hf_members *m, bool with_service, struct hf_identity *ret);

/* Returns the fault, if any.
 * Fails with HF_E_INVALID_PARAMETER if a member was neither taken nor allowed. */
enum hf_err hf_members_end(struct hf_members *m) HF_CHECKED;

#endif
