/* principal.c — the rules of access. */
#include "principal.h"

#include <stddef.h>
#include <string.h>

static const char *const ROLES[] = {[HF_ROLE_NONE] = "none",
				    [HF_ROLE_PROBE] = "probe",
				    [HF_ROLE_READ] = "read",
				    [HF_ROLE_ZONE] = "zone",
				    [HF_ROLE_ADMIN] = "admin"};

static const struct {
	enum hf_permission permission;
	const char *name, *parameter;
} PERMISSIONS[] = {
	{HF_MAY_FORCE, "zone:force", "force"},
	{HF_MAY_PURGE, "zone:purge", "purge"},
	{HF_MAY_MAX_RELEASE, "zone:maxrelease", "maxRelease above the default"},
};
#define N_PERMISSIONS (sizeof PERMISSIONS / sizeof *PERMISSIONS)

const char *hf_role_name(enum hf_role role) { return ROLES[role]; }

bool hf_role_parse(const char *text, enum hf_role *ret) {
	for (enum hf_role role = HF_ROLE_READ; role <= HF_ROLE_ADMIN; role++)
		if (strcmp(text, ROLES[role]) == 0) {
			*ret = role;
			return true;
		}
	return false;
}

const char *hf_permission_name(enum hf_permission permission) {
	for (size_t i = 0; i < N_PERMISSIONS; i++)
		if (PERMISSIONS[i].permission == permission)
			return PERMISSIONS[i].name;
	return "none";
}

bool hf_permission_parse(const char *text, enum hf_permission *ret) {
	for (size_t i = 0; i < N_PERMISSIONS; i++)
		if (strcmp(text, PERMISSIONS[i].name) == 0) {
			*ret = PERMISSIONS[i].permission;
			return true;
		}
	return false;
}

bool hf_principal_has_zone(const struct hf_principal *principal, const char *zone) {
	for (int i = 0; i < principal->n_zones; i++)
		if (strcmp(principal->zones[i], zone) == 0)
			return true;
	return false;
}

/* Checks what a zone's principal asks for on a route that zones may call. */
static enum hf_err check_zone(const struct hf_principal *principal, const struct hf_demand *demand, struct hf_why *why) {
	if (demand->zone && !hf_principal_has_zone(principal, demand->zone))
		return hf_fail(why, HF_E_FORBIDDEN, "the token is not for zone \"%.63s\"", demand->zone);
	for (size_t i = 0; i < N_PERMISSIONS; i++)
		if (demand->permissions & ~principal->permissions & PERMISSIONS[i].permission)
			return hf_fail(why, HF_E_FORBIDDEN, "%s needs the permission %s, which the token does not have",
				       PERMISSIONS[i].parameter, PERMISSIONS[i].name);
	if (demand->needs_epoch && !demand->has_epoch)
		return hf_fail(
			why, HF_E_FORBIDDEN,
			"a zone's token writes only with the header Holdfast-Zone-Epoch; connecting the zone returns its epoch");
	return HF_OK;
}

enum hf_err hf_principal_check(const struct hf_principal *principal, const struct hf_demand *demand, struct hf_why *why) {
	if (demand->role == HF_ROLE_PROBE)
		return HF_OK;
	if (demand->role == HF_ROLE_NONE || principal->role < demand->role)
		return hf_fail(why, HF_E_FORBIDDEN, "the token has the role %s; this needs %s", hf_role_name(principal->role),
			       hf_role_name(demand->role));
	if (principal->role == HF_ROLE_ZONE && demand->role == HF_ROLE_ZONE)
		return check_zone(principal, demand, why);
	return HF_OK;
}

enum hf_err hf_principal_check_transfer(const struct hf_principal *principal, const char *from_zone, const char *to_zone,
					struct hf_why *why) {
	if (principal->role == HF_ROLE_ADMIN)
		return HF_OK;
	if (principal->role != HF_ROLE_ZONE || !hf_principal_has_zone(principal, from_zone))
		return hf_fail(why, HF_E_FORBIDDEN, "the token is not for zone \"%.63s\"", from_zone);
	if (strcmp(from_zone, to_zone) != 0)
		return hf_fail(why, HF_E_FORBIDDEN, "a transfer from one zone to another needs the role admin");
	return HF_OK;
}
