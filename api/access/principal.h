/* principal.h — who sends a request, and what that one may do. Pure: it knows no request and no clock. Thread-safe.
 *
 * Everything is refused unless a rule here allows it. A principal is a small value: the call has a copy, which is cleared with it.
 */
#ifndef HF_API_ACCESS_PRINCIPAL_H
#define HF_API_ACCESS_PRINCIPAL_H

#include <stdbool.h>

#include "storage/base/err.h"
#include "storage/base/identity.h"

/* What a principal is, and what a route needs, from the least to the most. HF_ROLE_NONE: a route that nobody may call, and a
 * principal that may call nothing; it is what zeros mean. */
enum hf_role { HF_ROLE_NONE, HF_ROLE_PROBE, HF_ROLE_READ, HF_ROLE_ZONE, HF_ROLE_ADMIN };

/* What a zone's principal may do only if its token says so. */
enum hf_permission { HF_MAY_FORCE = 1, HF_MAY_PURGE = 2, HF_MAY_MAX_RELEASE = 4 };

#define HF_PRINCIPAL_ZONES_MAX 16

struct hf_principal {
	enum hf_role role;	  /* HF_ROLE_NONE: nobody */
	unsigned permissions;	  /* of enum hf_permission; for HF_ROLE_ZONE alone */
	char id[HF_NAME_MAX + 1]; /* "": an administrator on a server without tokens */
	int n_zones;		  /* for HF_ROLE_ZONE alone */
	char zones[HF_PRINCIPAL_ZONES_MAX][HF_NAME_MAX + 1];
};

/* What a request asks for. */
struct hf_demand {
	enum hf_role role;    /* that its route needs */
	const char *zone;     /* whose it is, decoded as its handler reads it; NULL: of no zone, or only its body says of which */
	bool needs_epoch;     /* a zone's principal must state the zone's epoch … */
	bool has_epoch;	      /* … and does */
	unsigned permissions; /* that it needs, of enum hf_permission */
};

/* Returns whether the principal's zones include a zone. */
bool hf_principal_has_zone(const struct hf_principal *principal, const char *zone);

/* Decides whether a principal may do what a request demands.
 * Fails with HF_E_FORBIDDEN if it may not; `why` says what is missing, and never what exists. */
enum hf_err hf_principal_check(const struct hf_principal *principal, const struct hf_demand *demand, struct hf_why *why) HF_CHECKED;

/* Decides whether a principal may transfer a lease: a zone's principal within one of its zones, an administrator anywhere.
 * Fails with HF_E_FORBIDDEN if it may not. */
enum hf_err hf_principal_check_transfer(const struct hf_principal *principal, const char *from_zone, const char *to_zone,
					struct hf_why *why) HF_CHECKED;

/* Return "read", "zone" … and "zone:force" …; read them. False: another text. */
const char *hf_role_name(enum hf_role role);
bool hf_role_parse(const char *text, enum hf_role *ret);
const char *hf_permission_name(enum hf_permission permission);
bool hf_permission_parse(const char *text, enum hf_permission *ret);

#endif
