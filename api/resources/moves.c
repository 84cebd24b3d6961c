/* moves.c — …/{service}/move: a lease moves to another address. */
#include "api/call/conditions.h"
#include "api/text/timetext.h"
#include "lease_path.h"
#include "resources.h"
#include "storage/requests/move.h"

/* Reads the overlap, in whole seconds. */
static enum hf_err read_overlap(struct hf_call *call, uint32_t *ret) {
	const char *text = hf_call_param(call, "overlap");
	int64_t ms = 0;
	if (text && (!hf_duration_parse(text, &ms) || ms % 1000 != 0 || ms / 1000 > HF_OVERLAP_MAX_SECONDS))
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER,
			       "overlap: \"%.40s\" is not a time in whole seconds up to 366d, such as 90s, 15m, 1h or 2d", text);
	*ret = (uint32_t)(ms / 1000);
	return HF_OK;
}

static enum hf_err read_move(struct hf_call *call, struct hf_move_request *want) {
	enum hf_err err = hf_lease_path_identity(call, &want->id);
	if (!err)
		err = hf_call_param_name(call, "pool", HF_NAME_MAX, want->pool);
	if (!err)
		err = hf_lease_path_addresses(call, &want->n_addresses, want->addresses);
	if (!err)
		err = read_overlap(call, &want->overlap_seconds);
	if (!err)
		err = hf_call_param_bool(call, "force", &want->force);
	return err ? err : hf_conditions_read(call, &want->guard);
}

static void answer(struct hf_call *call) {
	const struct hf_move *move = call->own;
	hf_lease_path_answer(call, 200, &move->lease);
}

enum hf_err hf_handle_lease_move(struct hf_call *call) {
	struct hf_move *move = hf_call_own(call, sizeof *move);
	enum hf_peek peek;
	if (!move)
		return HF_E_OVERLOADED;
	enum hf_err err = read_move(call, &move->want);
	if (!err)
		err = hf_move_peek(call->reader, move, &call->why, &peek);
	if (err)
		return err;
	if (peek == HF_PEEK_DONE) {
		answer(call);
		return HF_OK;
	}
	hf_move_begin(move);
	hf_call_commit(call, &move->write, answer);
	return HF_OK;
}
