/* lease_json.h — a lease as JSON. Pure. */
#ifndef HF_API_SHAPES_LEASE_JSON_H
#define HF_API_SHAPES_LEASE_JSON_H

#include "api/text/json.h"
#include "storage/model/lease.h"

/* Writes a lease as every answer shows it. */
void hf_json_lease(struct hf_json *json, const struct hf_lease *lease);

/* Writes the member "previousVips" of an object, as a lease shows it. */
void hf_json_previous(struct hf_json *json, const struct hf_previous *previous, int n);

#endif
