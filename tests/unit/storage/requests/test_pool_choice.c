/* Which pool a new lease goes to: the named one, else most selectors, then by name. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

static struct fixture f;

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(pool_choice, .init = setup, .fini = teardown);

static void state_name(struct hf_names *names, const char *name) {
	if (name)
		snprintf(names->names[names->n++], HF_NAME_MAX + 1, "%s", name);
}

static void put(const char *name, const char *cidr, unsigned kinds, const char *mesh, const char *zone) {
	POOL_PUT_REQUEST request = pool_request(name, cidr, "", 60);
	request.config.kinds = kinds;
	state_name(&request.config.meshes, mesh);
	state_name(&request.config.zones, zone);
	cr_assert_eq(commit(&f, &request.write), HF_OK, "%s", request.write.why.text);
}

static const struct {
	const char *name;
	enum hf_kind kind;
	const char *zone, *mesh, *named, *pool; /* named: by the request; pool: NULL if none */
} CHOICES[] = {
	{"the default pool of a kind", HF_MESH_SERVICE, "east", "default", "", "meshservice"},
	{"the default pool of another kind", HF_MESH_EXTERNAL_SERVICE, "east", "default", "", "meshexternalservice"},
	{"two selectors beat one", HF_MESH_SERVICE, "east", "demo", "", "b-demo"},
	{"equal numbers: by name", HF_MESH_SERVICE, "west", "default", "", "a-west"},
	{"three beat two", HF_MESH_SERVICE, "west", "demo", "", "z-west-demo"},
	{"a named pool, whatever its selector", HF_MESH_SERVICE, "east", "default", "z-west-demo", "z-west-demo"},
	{"a named pool without selectors", HF_MESH_SERVICE, "west", "demo", "any", "any"},
	{"no kind's pool fits but the open one", HF_MESH_MULTIZONE_SERVICE, "east", "default", "", "any"},
	{"a named pool that is not there", HF_MESH_SERVICE, "east", "default", "nowhere", NULL},
};

Test(pool_choice, most_selectors_then_name) {
	POOL_DELETE_REQUEST multizone = {.name = "meshmultizoneservice"};
	hf_pool_delete_begin(&multizone);
	cr_assert_eq(commit(&f, &multizone.write), HF_OK);
	put("any", "10.0.0.0/24", 0, NULL, NULL);
	put("b-demo", "10.0.1.0/24", 1u << HF_MESH_SERVICE, "demo", NULL);
	put("a-west", "10.0.2.0/24", 1u << HF_MESH_SERVICE, NULL, "west");
	put("b-west", "10.0.3.0/24", 1u << HF_MESH_SERVICE, NULL, "west");
	put("z-west-demo", "10.0.4.0/24", 1u << HF_MESH_SERVICE, "demo", "west");
	for (size_t i = 0; i < sizeof CHOICES / sizeof *CHOICES; i++) {
		char name[16];
		snprintf(name, sizeof name, "s%zu", i);
		struct hf_acquire a = acquire_request(identity(CHOICES[i].zone, CHOICES[i].mesh, name), "{}");
		a.want.id.kind = CHOICES[i].kind;
		snprintf(a.want.pool, sizeof a.want.pool, "%s", CHOICES[i].named);
		enum hf_err err = acquire(&f, &a);
		cr_expect_eq(err, CHOICES[i].pool ? HF_OK : HF_E_NO_POOL, "%s: %s", CHOICES[i].name, a.write.why.text);
		if (!err)
			cr_expect_str_eq(a.lease.pool, CHOICES[i].pool, "%s: %s", CHOICES[i].name, a.lease.pool);
	}
}

Test(pool_choice, no_pool_that_fits_is_no_pool) {
	POOL_DELETE_REQUEST gone = {.name = "meshservice"};
	hf_pool_delete_begin(&gone);
	cr_assert_eq(commit(&f, &gone.write), HF_OK);
	struct hf_acquire a = acquire_request(identity("east", "default", "redis"), "{}");
	cr_assert_eq(acquire(&f, &a), HF_E_NO_POOL);
	cr_assert(strstr(a.write.why.text, "kind MeshService, mesh \"default\", zone \"east\""), "%s", a.write.why.text);
}

Test(pool_choice, an_exhausted_pool_is_not_passed_over) {
	put("tiny", "10.0.0.0/32", 1u << HF_MESH_SERVICE, "default", NULL);
	struct hf_acquire a = acquire_request(identity("east", "default", "a"), "{}");
	struct hf_acquire b = acquire_request(identity("east", "default", "b"), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	cr_assert_eq(acquire(&f, &b), HF_E_POOL_EXHAUSTED);
	cr_assert(strstr(b.write.why.text, "\"tiny\""), "%s", b.write.why.text);
}

Test(pool_choice, a_sequential_pool_goes_on_and_a_hashed_one_gives_the_same_again) {
	put("next", "10.0.0.0/24", 1u << HF_MESH_SERVICE, "next", NULL);
	struct hf_acquire a = acquire_request(identity("east", "next", "a"), "{}");
	struct hf_acquire b = acquire_request(identity("east", "next", "b"), "{}");
	cr_assert_eq(acquire(&f, &a), HF_OK);
	cr_assert_eq(release(&f, a.want.id, true, NULL), HF_OK);
	cr_assert_eq(acquire(&f, &b), HF_OK);
	cr_assert_str_eq(vip_text(&b.lease, 0), "10.0.0.1", "a freed address is the last to be given out again");
	POOL_PUT_REQUEST hashed = pool_request("hashed", "10.1.0.0/16", "", 60);
	hashed.config.strategy = HF_HASHED;
	hashed.config.kinds = 1u << HF_MESH_SERVICE;
	state_name(&hashed.config.meshes, "hashed");
	cr_assert_eq(commit(&f, &hashed.write), HF_OK);
	struct hf_acquire c = acquire_request(identity("east", "hashed", "c"), "{}"), d = c;
	cr_assert_eq(acquire(&f, &c), HF_OK);
	cr_assert_eq(release(&f, c.want.id, true, NULL), HF_OK);
	cr_assert_eq(acquire(&f, &d), HF_OK);
	cr_assert_eq(d.lease.vips[0].n, c.lease.vips[0].n);
}

static struct hf_addr address(const char *text) {
	struct hf_addr a;
	cr_assert_eq(hf_addr_parse(text, NULL, &a), HF_OK, "%s", text);
	return a;
}

/* "a b": addresses into a list. */
static int read_addresses(const char *texts, struct hf_addr *ret) {
	char copy[128], *rest = NULL;
	int n = 0;
	snprintf(copy, sizeof copy, "%s", texts);
	for (char *one = strtok_r(copy, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
		ret[n++] = address(one);
	return n;
}

/* Pools of a store that came from an installation with its own CIDRs: "kuma" states nothing and is nobody's first choice. What is
 * refused is written behind the addresses that are had. */
static const struct {
	const char *name, *named, *addresses, *claims, *pool, *vips;
	enum hf_err err;
	enum hf_refusal refused[3];
} BY_ADDRESS[] = {
	{"a claim", "", "", "10.200.0.2", "kuma", "10.200.0.2", HF_OK, {0}},
	{"an address", "", "10.200.0.3", "", "kuma", "10.200.0.3", HF_OK, {0}},
	{"neither", "", "", "", "meshservice", "241.0.0.0", HF_OK, {0}},
	{"an address before a claim", "", "10.200.0.4", "241.0.0.9", "kuma", "10.200.0.4", HF_OK, {HF_CLAIM_OUTSIDE_POOL}},
	{"the first claim that is free",
	 "",
	 "",
	 "10.200.0.99 10.9.9.9 241.0.0.9 10.200.0.5",
	 "meshservice",
	 "241.0.0.9",
	 HF_OK,
	 {HF_CLAIM_TAKEN, HF_CLAIM_OUTSIDE_POOL, HF_CLAIM_HAD}},
	{"the first of two that are free",
	 "",
	 "",
	 "10.200.0.6 241.0.0.9",
	 "kuma",
	 "10.200.0.6",
	 HF_OK,
	 {HF_CLAIM_HAD, HF_CLAIM_OUTSIDE_POOL}},
	{"two of a family", "", "", "10.200.0.7 10.200.0.8", "kuma", "10.200.0.7", HF_OK, {HF_CLAIM_HAD, HF_CLAIM_SECOND}},
	{"a claim that is taken chooses nothing", "", "", "10.200.0.99", "meshservice", "241.0.0.0", HF_OK, {HF_CLAIM_TAKEN}},
	{"nor does a reserved one", "", "", "10.200.1.1", "meshservice", "241.0.0.0", HF_OK, {HF_CLAIM_OUTSIDE_POOL}},
	{"a reserved one in its pool", "kuma", "", "10.200.1.1", "kuma", "10.200.0.0", HF_OK, {HF_CLAIM_RESERVED}},
	{"a claim in a pool for others", "", "", "10.201.0.1", "meshservice", "241.0.0.0", HF_OK, {HF_CLAIM_OUTSIDE_POOL}},
	{"an address in a pool for others", "", "10.201.0.1", "", NULL, NULL, HF_E_ADDRESS_OUTSIDE_POOL, {0}},
	{"named all the same", "west", "10.201.0.1", "", "west", "10.201.0.1", HF_OK, {0}},
	{"an address that is taken", "", "10.200.0.99", "", NULL, NULL, HF_E_ADDRESS_TAKEN, {0}},
	{"an address that is reserved", "", "10.200.1.1", "", NULL, NULL, HF_E_ADDRESS_TAKEN, {0}},
	{"an address in no pool", "", "10.9.9.9", "", NULL, NULL, HF_E_ADDRESS_OUTSIDE_POOL, {0}},
	{"a named pool, whatever is claimed", "kuma", "", "241.0.0.9", "kuma", "10.200.0.0", HF_OK, {HF_CLAIM_OUTSIDE_POOL}},
	{"a drained range", "", "", "10.202.0.1", "meshservice", "241.0.0.0", HF_OK, {HF_CLAIM_OUTSIDE_POOL}},
};

static void open_layout(void) {
	fixture_open(&f);
	POOL_PUT_REQUEST kuma = pool_request("kuma", "10.200.0.0/16 10.202.0.0/16", "10.200.1.0/24", 60);
	cr_assert_eq(commit(&f, &kuma.write), HF_OK, "%s", kuma.write.why.text);
	put("west", "10.201.0.0/16", 0, NULL, "west");
	static const char *const held[] = {"10.200.0.99", "10.202.0.9"};
	for (int i = 0; i < 2; i++) {
		struct hf_acquire holder = acquire_request(identity("east", "default", i ? "drained" : "holder"), "{}");
		holder.want.n_addresses = read_addresses(held[i], holder.want.addresses);
		cr_assert_eq(acquire(&f, &holder), HF_OK, "%s", holder.write.why.text);
	}
	POOL_PUT_REQUEST drained = pool_request("kuma", "10.200.0.0/16", "10.200.1.0/24", 60);
	drained.drain = true;
	cr_assert_eq(commit(&f, &drained.write), HF_OK, "%s", drained.write.why.text);
}

Test(pool_choice, by_address) {
	for (size_t i = 0; i < sizeof BY_ADDRESS / sizeof *BY_ADDRESS; i++) {
		const char *name = BY_ADDRESS[i].name;
		fixture_remove(&f);
		fixture_dir(&f);
		open_layout();
		struct hf_acquire a = acquire_request(identity("east", "default", "a"), "{}");
		snprintf(a.want.pool, sizeof a.want.pool, "%s", BY_ADDRESS[i].named);
		a.want.n_addresses = read_addresses(BY_ADDRESS[i].addresses, a.want.addresses);
		a.want.n_claims = read_addresses(BY_ADDRESS[i].claims, a.want.claims);
		cr_expect_eq(acquire(&f, &a), BY_ADDRESS[i].err, "%s: %s", name, a.write.why.text);
		if (!BY_ADDRESS[i].pool)
			continue;
		cr_expect_str_eq(a.lease.pool, BY_ADDRESS[i].pool, "%s: %s", name, a.lease.pool);
		cr_expect_str_eq(vip_text(&a.lease, 0), BY_ADDRESS[i].vips, "%s: %s", name, vip_text(&a.lease, 0));
		for (int c = 0; c < a.want.n_claims && c < 3; c++)
			cr_expect_eq(a.refused[c], BY_ADDRESS[i].refused[c], "%s: claim %d: %s", name, c,
				     hf_refusal_name(a.refused[c]));
		cr_expect_eq(a.outcome, a.want.n_claims && a.lease.vips[0].n == a.want.claims[0].n ? HF_ADOPTED : a.outcome, "%s",
			     name);
	}
}
