/* sync_params.c — the query parameters and headers of a sync or a manifest. */
#include "sync_params.h"

#include <string.h>

#include "api/call/conditions.h"
#include "api/call/media.h"

static enum hf_err read_mode(struct hf_call *call, enum hf_sync_mode *ret) {
	const char *text = hf_call_param(call, "mode");
	if (!text)
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "mode: it is missing; state full or delta");
	if (strcmp(text, "full") != 0 && strcmp(text, "delta") != 0)
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "mode: \"%.40s\" is neither full nor delta", text);
	*ret = text[0] == 'f' ? HF_SYNC_FULL : HF_SYNC_DELTA;
	return HF_OK;
}

static enum hf_err read_return(struct hf_call *call, enum hf_sync_return *ret) {
	static const char *const names[] = {"changed", "all", "none"};
	const char *text = hf_call_param(call, "return");
	if (!text)
		return HF_OK;
	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum hf_sync_return)i;
			return HF_OK;
		}
	return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "return: \"%.40s\" is neither changed, all nor none", text);
}

/* Reads the scope. A full list and a manifest must state the scope that they cover; a delta may. */
static enum hf_err read_scope(struct hf_call *call, struct hf_sync *sync) {
	const char *mesh = hf_call_param(call, "mesh");
	bool whole = sync->mode != HF_SYNC_DELTA, has_kind;
	if (whole && !mesh)
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "mesh: it is missing; state a mesh's name, or * for all meshes");
	enum hf_err err = mesh && strcmp(mesh, "*") != 0 ? hf_call_param_name(call, "mesh", HF_NAME_MAX, sync->mesh) : HF_OK;
	if (!err)
		err = hf_call_param_kind(call, &has_kind, &sync->kind);
	if (!err && whole && !has_kind)
		sync->kind = HF_MESH_SERVICE;
	return err;
}

static enum hf_err read_sync_params(struct hf_call *call, struct hf_sync *sync, struct hf_sync_params *ret) {
	uint64_t percent = HF_MAX_RELEASE_DEFAULT;
	enum hf_err err = read_mode(call, &sync->mode);
	if (!err)
		err = hf_call_param_bool(call, "dryRun", &sync->dry_run);
	if (!err)
		err = hf_call_param_bool(call, "force", &sync->force);
	if (!err)
		err = hf_call_param_bool(call, "renames", &sync->renames);
	if (!err)
		err = hf_call_param_uint(call, "maxRelease", 0, 100, &percent);
	if (!err)
		err = read_return(call, &ret->want);
	if (!err)
		err = hf_conditions_read_epoch(call, &sync->has_epoch, &sync->epoch);
	sync->max_release_percent = (int)percent;
	return err;
}

enum hf_err hf_sync_params_read(struct hf_call *call, bool is_manifest, struct hf_sync *sync, struct hf_sync_params *ret) {
	enum hf_err err = hf_name_set("zone", call->vars[0], HF_NAME_MAX, &call->why, sync->zone);
	sync->mode = HF_SYNC_MANIFEST;
	if (!err && !is_manifest)
		err = read_sync_params(call, sync, ret);
	if (!err)
		err = read_scope(call, sync);
	const char *type = call->request.headers[HF_CONTENT_TYPE];
	ret->ndjson = type && hf_media_type_is(type, "application/x-ndjson");
	return err;
}
