/* change_json.c — a change as JSON. */
#include "change_json.h"

#include "lease_json.h"

void hf_json_change(struct hf_json *json, const struct hf_change *change) {
	hf_json_open(json, '{');
	hf_json_member_uint(json, "revision", change->revision);
	hf_json_member_time(json, "at", change->at_ms);
	hf_json_member(json, "type", hf_change_type_name(change->type));
	hf_json_member(json, "cause", hf_cause_name(change->cause));
	hf_json_member(json, "by", hf_by_name(change->by));
	hf_json_member(json, "pool", change->pool);
	if (change->has_lease) {
		hf_json_identity(json, &change->id);
		hf_json_member_uint(json, "generation", change->generation);
		hf_json_key(json, "vips");
		hf_json_vips(json, change->vips, change->n_vips);
		if (change->n_previous)
			hf_json_previous(json, change->previous, change->n_previous);
	}
	if (change->type == HF_CHANGE_TRANSFERRED) {
		hf_json_key(json, "from");
		hf_json_open(json, '{');
		hf_json_identity(json, &change->from);
		hf_json_close(json, '}');
	}
	hf_json_close(json, '}');
}
