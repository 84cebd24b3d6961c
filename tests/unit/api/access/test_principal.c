/* Tests for api/access/principal.c, and that each route has a role. */
#include "api/access/principal.h"

#include <criterion/criterion.h>
#include <string.h>

#include "api/routes.h"

static struct hf_principal of_zone(const char *zone, unsigned permissions) {
	struct hf_principal principal = {.role = HF_ROLE_ZONE, .n_zones = 1, .permissions = permissions};
	strcpy(principal.zones[0], zone);
	return principal;
}

Test(principal, zeros_may_do_nothing_and_nobody_may_call_a_route_without_a_role) {
	struct hf_principal nobody = {0}, admin = {.role = HF_ROLE_ADMIN};
	for (enum hf_role role = HF_ROLE_NONE; role <= HF_ROLE_ADMIN; role++)
		cr_expect_eq(hf_principal_check(&nobody, &(struct hf_demand){.role = role}, NULL),
			     role == HF_ROLE_PROBE ? HF_OK : HF_E_FORBIDDEN);
	cr_expect_eq(hf_principal_check(&admin, &(struct hf_demand){0}, NULL), HF_E_FORBIDDEN);
}

Test(principal, roles_include_those_before_them) {
	for (enum hf_role has = HF_ROLE_READ; has <= HF_ROLE_ADMIN; has++)
		for (enum hf_role needs = HF_ROLE_PROBE; needs <= HF_ROLE_ADMIN; needs++)
			cr_expect_eq(
				hf_principal_check(&(struct hf_principal){.role = has}, &(struct hf_demand){.role = needs}, NULL),
				has >= needs ? HF_OK : HF_E_FORBIDDEN);
}

Test(principal, a_zone_is_its_own_alone) {
	static const struct {
		struct hf_demand demand;
		unsigned permissions;
		enum hf_err err;
	} cases[] = {
		{{.zone = "east"}, 0, HF_OK},
		{{.zone = "west"}, 7, HF_E_FORBIDDEN},
		{{.zone = "eas"}, 7, HF_E_FORBIDDEN},
		{{.zone = ""}, 7, HF_E_FORBIDDEN},
		{{.zone = "east", .needs_epoch = true}, 7, HF_E_FORBIDDEN},
		{{.zone = "east", .needs_epoch = true, .has_epoch = true}, 0, HF_OK},
		{{.zone = "east", .permissions = HF_MAY_FORCE}, HF_MAY_PURGE | HF_MAY_MAX_RELEASE, HF_E_FORBIDDEN},
		{{.zone = "east", .permissions = HF_MAY_FORCE | HF_MAY_PURGE}, HF_MAY_FORCE, HF_E_FORBIDDEN},
		{{.zone = "east", .permissions = HF_MAY_FORCE | HF_MAY_PURGE}, HF_MAY_FORCE | HF_MAY_PURGE, HF_OK},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hf_principal east = of_zone("east", cases[i].permissions), admin = {.role = HF_ROLE_ADMIN};
		struct hf_demand demand = cases[i].demand;
		demand.role = HF_ROLE_ZONE;
		cr_expect_eq(hf_principal_check(&east, &demand, NULL), cases[i].err, "case %zu", i);
		cr_expect_eq(hf_principal_check(&admin, &demand, NULL), HF_OK, "case %zu", i);
	}
}

Test(principal, transfers_between_zones_are_an_administrators) {
	struct hf_principal east = of_zone("east", 7), read = {.role = HF_ROLE_READ}, admin = {.role = HF_ROLE_ADMIN};
	cr_expect_eq(hf_principal_check_transfer(&east, "east", "east", NULL), HF_OK);
	cr_expect_eq(hf_principal_check_transfer(&east, "east", "west", NULL), HF_E_FORBIDDEN);
	cr_expect_eq(hf_principal_check_transfer(&east, "west", "east", NULL), HF_E_FORBIDDEN);
	cr_expect_eq(hf_principal_check_transfer(&east, "west", "west", NULL), HF_E_FORBIDDEN);
	cr_expect_eq(hf_principal_check_transfer(&read, "east", "east", NULL), HF_E_FORBIDDEN);
	cr_expect_eq(hf_principal_check_transfer(&admin, "east", "west", NULL), HF_OK);
}

Test(principal, every_route_has_a_role_and_every_zone_variable_is_one) {
	for (int i = 0; i < HF_ROUTES_COUNT; i++) {
		const struct hf_route *route = &HF_ROUTES[i];
		const char *at = strchr(route->pattern, '{');
		cr_expect_neq(route->role, HF_ROLE_NONE, "%s", route->pattern);
		for (enum hf_zone_variable n = HF_ZONE_FIRST; at && n < route->zone; n++)
			at = strchr(at + 1, '{');
		if (route->zone)
			cr_expect(at && strncmp(at, "{zone}", 6) == 0, "%s", route->pattern);
		if (route->role == HF_ROLE_ZONE && strstr(route->pattern, "{zone}"))
			cr_expect_neq(route->zone, HF_NO_ZONE, "%s", route->pattern);
	}
}
