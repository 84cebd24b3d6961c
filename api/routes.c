/* routes.c — the route table. */
#include "routes.h"

#include "api/call/metrics.h"
#include "api/resources/resources.h"

/* Who may call a route: its role, the path variable that is its zone, and whether a zone's principal must state the zone's epoch.
 */
#define PROBE HF_ROLE_PROBE, HF_NO_ZONE, HF_UNFENCED
#define READ HF_ROLE_READ, HF_NO_ZONE, HF_UNFENCED
#define ADMIN HF_ROLE_ADMIN, HF_NO_ZONE, HF_UNFENCED
#define ZONE_OF(variable, fence) HF_ROLE_ZONE, variable, fence

#define LEASES_OF(plural) "/v1/meshes/{mesh}/zones/{zone}/" plural "/{service}"
#define LEASE_ROUTES(plural, kind)                                                                                                 \
	{HF_GET, LEASES_OF(plural), "", HF_BODY_NONE, READ, kind, NULL, hf_handle_lease_get}, {HF_PUT,                             \
											       LEASES_OF(plural),                  \
											       "pool address* version",            \
											       HF_BODY_JSON_OR_EMPTY,              \
											       ZONE_OF(HF_ZONE_SECOND, HF_FENCED), \
											       kind,                               \
											       NULL,                               \
											       hf_handle_lease_put},               \
		{HF_POST, LEASES_OF(plural) "/move", "pool address* overlap force", HF_BODY_NONE, ADMIN, kind,                     \
		 NULL,	  hf_handle_lease_move},                                                                                   \
	{                                                                                                                          \
		HF_DELETE, LEASES_OF(plural), "purge force", HF_BODY_NONE, ZONE_OF(HF_ZONE_SECOND, HF_FENCED), kind, NULL,         \
			hf_handle_lease_delete                                                                                     \
	}

const struct hf_route HF_ROUTES[] = {
	LEASE_ROUTES("services", HF_MESH_SERVICE),
	LEASE_ROUTES("externalservices", HF_MESH_EXTERNAL_SERVICE),
	LEASE_ROUTES("multizoneservices", HF_MESH_MULTIZONE_SERVICE),
	{HF_POST, "/v1/transfers", "dryRun maxRelease force return", HF_BODY_LIST, ZONE_OF(HF_NO_ZONE, HF_FENCED), 0,
	 hf_open_transfers, hf_handle_transfers},
	{HF_GET, "/v1/leases", "kind mesh zone service pool state limit continue", HF_BODY_NONE, READ, 0, NULL,
	 hf_handle_lease_list},
	{HF_POST, "/v1/lookup", "", HF_BODY_JSON, READ, 0, NULL, hf_handle_lookup},
	{HF_GET, "/v1/addresses/{ip}", "", HF_BODY_NONE, READ, 0, NULL, hf_handle_address_get},
	{HF_GET, "/v1/addresses/{ip}/history", "at", HF_BODY_NONE, READ, 0, NULL, hf_handle_address_history},
	{HF_GET, "/v1/pools", "limit continue", HF_BODY_NONE, READ, 0, NULL, hf_handle_pool_list},
	{HF_GET, "/v1/pools/{pool}", "", HF_BODY_NONE, READ, 0, NULL, hf_handle_pool_get},
	{HF_PUT, "/v1/pools/{pool}", "drain", HF_BODY_JSON_LARGE, ADMIN, 0, NULL, hf_handle_pool_put},
	{HF_DELETE, "/v1/pools/{pool}", "", HF_BODY_NONE, ADMIN, 0, NULL, hf_handle_pool_delete},
	{HF_GET, "/v1/zones", "limit continue", HF_BODY_NONE, READ, 0, NULL, hf_handle_zone_list},
	{HF_GET, "/v1/zones/{zone}", "", HF_BODY_NONE, READ, 0, NULL, hf_handle_zone_get},
	{HF_DELETE, "/v1/zones/{zone}", "purge confirm", HF_BODY_NONE, ADMIN, 0, NULL, hf_handle_zone_retire},
	{HF_PUT, "/v1/zones/{zone}/connection", "", HF_BODY_JSON, ZONE_OF(HF_ZONE_FIRST, HF_UNFENCED), 0, NULL,
	 hf_handle_zone_connect},
	{HF_DELETE, "/v1/zones/{zone}/connection", "", HF_BODY_NONE, ZONE_OF(HF_ZONE_FIRST, HF_FENCED), 0, NULL,
	 hf_handle_zone_disconnect},
	{HF_POST, "/v1/zones/{zone}/sync", "mode mesh kind dryRun maxRelease force renames return", HF_BODY_LIST,
	 ZONE_OF(HF_ZONE_FIRST, HF_FENCED), 0, hf_open_sync, hf_handle_sync},
	{HF_POST, "/v1/zones/{zone}/manifest", "mesh kind", HF_BODY_LIST, ZONE_OF(HF_ZONE_FIRST, HF_UNFENCED), 0, hf_open_manifest,
	 hf_handle_manifest},
	{HF_GET, "/v1/changes", "since limit wait kind zone mesh", HF_BODY_NONE, READ, 0, NULL, hf_handle_changes},
	{HF_GET, "/v1/backup", "", HF_BODY_NONE, ADMIN, 0, NULL, hf_handle_backup},
	{HF_POST, "/v1/verify", "", HF_BODY_NONE, ADMIN, 0, hf_open_verify, hf_handle_verify},
	{HF_GET, "/v1/status", "", HF_BODY_NONE, READ, 0, NULL, hf_handle_status},
	{HF_GET, "/livez", NULL, HF_BODY_NONE, PROBE, 0, NULL, hf_handle_livez},
	{HF_GET, "/readyz", NULL, HF_BODY_NONE, PROBE, 0, NULL, hf_handle_readyz},
	{HF_GET, "/metrics", NULL, HF_BODY_NONE, READ, 0, NULL, hf_handle_metrics},
	{HF_GET, "/openapi.yaml", "", HF_BODY_NONE, PROBE, 0, NULL, hf_handle_openapi},
};
const int HF_ROUTES_COUNT = sizeof HF_ROUTES / sizeof HF_ROUTES[0];
_Static_assert(sizeof HF_ROUTES / sizeof HF_ROUTES[0] < HF_METRICS_ROUTES, "each route has a place among the counters");

bool hf_route_is_kept(const struct hf_route *route) {
	static enum hf_err (*const kept[])(struct hf_call *) = {hf_handle_livez, hf_handle_readyz, hf_handle_metrics,
								hf_handle_status, hf_handle_backup};
	for (size_t i = 0; route && i < sizeof kept / sizeof *kept; i++)
		if (route->handle == kept[i])
			return true;
	return false;
}
