/* resources.h — the handlers, one resource a file; api/routes.c says what each one answers. */
#ifndef HF_API_RESOURCES_RESOURCES_H
#define HF_API_RESOURCES_RESOURCES_H

#include "api/call/call.h"

enum hf_err hf_handle_lease_put(struct hf_call *call); /* leases.c */
enum hf_err hf_handle_lease_get(struct hf_call *call);
enum hf_err hf_handle_lease_delete(struct hf_call *call);
enum hf_err hf_handle_lease_move(struct hf_call *call); /* moves.c */
enum hf_err hf_open_transfers(struct hf_call *call);	/* transfers.c */
enum hf_err hf_handle_transfers(struct hf_call *call);
enum hf_err hf_handle_lease_list(struct hf_call *call);	 /* lease_list.c */
enum hf_err hf_handle_lookup(struct hf_call *call);	 /* lookup.c */
enum hf_err hf_handle_address_get(struct hf_call *call); /* addresses.c */
enum hf_err hf_handle_address_history(struct hf_call *call);
enum hf_err hf_handle_pool_list(struct hf_call *call); /* pools.c */
enum hf_err hf_handle_pool_get(struct hf_call *call);
enum hf_err hf_handle_pool_put(struct hf_call *call);
enum hf_err hf_handle_pool_delete(struct hf_call *call);
enum hf_err hf_handle_zone_list(struct hf_call *call); /* zones.c */
enum hf_err hf_handle_zone_get(struct hf_call *call);
enum hf_err hf_handle_zone_retire(struct hf_call *call);
enum hf_err hf_handle_zone_connect(struct hf_call *call);
enum hf_err hf_handle_zone_disconnect(struct hf_call *call);
enum hf_err hf_open_sync(struct hf_call *call); /* sync.c */
enum hf_err hf_open_manifest(struct hf_call *call);
enum hf_err hf_handle_sync(struct hf_call *call);
enum hf_err hf_handle_manifest(struct hf_call *call);
enum hf_err hf_handle_changes(struct hf_call *call); /* changes.c */
enum hf_err hf_handle_backup(struct hf_call *call);  /* operations.c */
enum hf_err hf_open_verify(struct hf_call *call);
enum hf_err hf_handle_verify(struct hf_call *call);
enum hf_err hf_handle_status(struct hf_call *call); /* status.c */
enum hf_err hf_handle_livez(struct hf_call *call);
enum hf_err hf_handle_readyz(struct hf_call *call);
enum hf_err hf_handle_openapi(struct hf_call *call);
enum hf_err hf_handle_metrics(struct hf_call *call); /* metrics_page.c */

#endif
