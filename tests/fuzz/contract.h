/* contract.h — what the contract makes of a document, over the naive reader: its canonical text, its claims, whose it is.
 *
 * Written from the contract, not from api/, and by other means where there is a choice. Texts live until naive_forget().
 */
#ifndef HF_TESTS_CONTRACT_H
#define HF_TESTS_CONTRACT_H

#include <stdint.h>

#include "naive.h"

__extension__ typedef unsigned __int128 contract_address; /* IPv4 as ::ffff:a.b.c.d */

/* The address that a text is (RFC 4291, 2.2; dotted decimal without leading zeros); the mapped form is one only if it is taken. */
bool contract_address_read(const char *text, size_t len, bool takes_mapped, contract_address *ret);

/* … as other programs write one: with blanks around it, as a mapped one, as a prefix of one address. */
bool contract_address_read_loosely(const char *text, contract_address *ret);

#define CONTRACT_CLAIMS_MAX 8 /* further addresses are refused */
#define CONTRACT_WRONG_MAX 4  /* further refusals are only counted */

struct contract_claims {
	int n, n_wrong;
	unsigned more; /* wrong ones beyond CONTRACT_WRONG_MAX */
	bool in_cluster;
	contract_address of[CONTRACT_CLAIMS_MAX];
	struct {
		bool too_many; /* else it is not an address */
		const char *text;
	} wrong[CONTRACT_WRONG_MAX];
};

struct contract {
	char *canonical;
	size_t canonical_len;
	uint8_t fingerprint[32];
	struct contract_claims claims;
	/* Whose it is, unless one of these is so. */
	bool malformed; /* a part is not an object, or a text not a string */
	bool unknown_kind, nameless, bad_name;
	const char *kind, *zone, *mesh, *service;
};

/* `document` is an object. `zone`: in whose list it stands. */
struct contract contract_read(const struct naive *document, const char *zone);

#endif
