/* leases.c — /v1/meshes/{mesh}/zones/{zone}/…/{service}: acquire, read, release. */
#include <inttypes.h>
#include <string.h>

#include "api/call/conditions.h"
#include "api/call/metrics.h"
#include "api/kuma/canonical.h"
#include "lease_path.h"
#include "resources.h"
#include "storage/requests/lease_query.h"
#include "storage/requests/leases.h"

/* The state that an acquire keeps for its answer. */
struct put {
	struct hf_acquire acquire;
	struct hf_wrong_claims wrong; /* in addition to the acquire's own claims */
};

/* Writes the refused claims. */
static void write_refused(struct hf_call *call, const struct put *put) {
	const struct hf_acquire *acquire = &put->acquire;
	uint8_t refused[HF_CLAIMS_MAX];
	for (int i = 0; i < acquire->want.n_claims && i < HF_CLAIMS_MAX; i++)
		refused[i] = (uint8_t)acquire->refused[i];
	struct hf_claims_result result = {acquire->want.n_claims, acquire->want.claims, refused, &put->wrong};
	hf_claims_write_header(&call->response.refused_claims, &result);
}

static void answer_acquire(struct hf_call *call) {
	const struct put *put = call->own;
	const struct hf_acquire *acquire = &put->acquire;
	bool is_new = acquire->outcome == HF_CREATED || acquire->outcome == HF_ADOPTED;
	hf_call_set_header(call, "Holdfast-Outcome", hf_outcome_name(acquire->outcome));
	hf_metrics_outcome(call->api->metrics, acquire->outcome);
	write_refused(call, put);
	hf_lease_path_answer(call, is_new ? 201 : 200, &acquire->lease);
}

static enum hf_err read_version(struct hf_call *call, struct hf_acquire *acquire) {
	const char *version = hf_call_param(call, "version");
	if (!version)
		return HF_OK;
	size_t len = strlen(version);
	if (len == 0 || len > HF_VERSION_MAX)
		return hf_fail(&call->why, HF_E_INVALID_PARAMETER, "version: it has %zu bytes; 1 to %d are allowed", len,
			       HF_VERSION_MAX);
	acquire->want.has_version = true;
	memcpy(acquire->want.version, version, len + 1);
	return HF_OK;
}

/* Reads everything except the body. */
static enum hf_err read_acquire(struct hf_call *call, struct hf_acquire *acquire) {
	enum hf_err err = hf_lease_path_identity(call, &acquire->want.id);
	acquire->want.selected_only = call->principal.role != HF_ROLE_ADMIN;
	if (!err)
		err = hf_call_param_name(call, "pool", HF_NAME_MAX, acquire->want.pool);
	if (!err)
		err = hf_lease_path_addresses(call, &acquire->want.n_addresses, acquire->want.addresses);
	if (!err)
		err = read_version(call, acquire);
	if (!err)
		err = hf_conditions_read(call, &acquire->want.guard);
	if (!err && call->request.body.len > 0) {
		acquire->want.has_config = true;
		acquire->want.raw = hf_digest_of(call->request.body.data, call->request.body.len);
	}
	return err;
}

static enum hf_err read_config(struct hf_call *call, struct put *put) {
	struct hf_acquire *acquire = &put->acquire;
	struct hf_config config;
	enum hf_err err = hf_config_read(call->request.body.data, call->request.body.len, &call->why, &config);
	if (err)
		return err;
	acquire->want.has_fingerprint = true;
	acquire->want.fingerprint_version = HF_FINGERPRINT_VERSION;
	acquire->want.fingerprint = config.fingerprint;
	acquire->want.n_claims = config.claims.n;
	memcpy(acquire->want.claims, config.claims.of, sizeof acquire->want.claims);
	put->wrong = config.claims.wrong;
	return HF_OK;
}

/* Judges a body that differs from the bytes that the lease was written from. The cache may know its fingerprint, which is enough to
 * find it unchanged; otherwise, and before a write, the body is parsed. */
static enum hf_err peek_config(struct hf_call *call, struct put *put, enum hf_peek *ret, bool *ret_read) {
	struct hf_acquire *acquire = &put->acquire;
	acquire->want.has_fingerprint = hf_fingerprint_cache_find(call->cache, &acquire->want.raw, &acquire->want.fingerprint);
	acquire->want.fingerprint_version = HF_FINGERPRINT_VERSION;
	if (acquire->want.has_fingerprint) {
		enum hf_err err = hf_acquire_peek(call->reader, acquire, &call->why, ret);
		if (err || *ret == HF_PEEK_DONE)
			return err;
	}
	enum hf_err err = read_config(call, put);
	*ret_read = !err;
	if (!err)
		err = hf_acquire_peek(call->reader, acquire, &call->why, ret);
	if (!err && *ret == HF_PEEK_DONE)
		hf_fingerprint_cache_keep(call->cache, &acquire->want.raw, &acquire->want.fingerprint);
	return err;
}

/* Reports the refused claims of an unchanged body too. It has been parsed only if its bytes were unknown. */
static enum hf_err look_at_claims(struct hf_call *call, struct put *put, bool was_read) {
	struct hf_acquire *acquire = &put->acquire;
	const struct hf_buf *body = &call->request.body;
	if (!was_read && hf_claims_peek(body->data, body->len, acquire->lease.vips, acquire->lease.n_vips) < 0) {
		enum hf_err err = read_config(call, put);
		if (err)
			return err;
	}
	hf_rules_refuse_claims(&acquire->lease, &acquire->want, acquire->refused);
	return HF_OK;
}

enum hf_err hf_handle_lease_put(struct hf_call *call) {
	struct put *put = hf_call_own(call, sizeof *put);
	enum hf_peek peek = HF_PEEK_DONE;
	bool was_read = false;
	if (!put)
		return HF_E_OVERLOADED;
	struct hf_acquire *acquire = &put->acquire;
	enum hf_err err = read_acquire(call, acquire);
	if (!err)
		err = hf_acquire_peek(call->reader, acquire, &call->why, &peek);
	if (!err && peek == HF_PEEK_READ_BODY)
		err = peek_config(call, put, &peek, &was_read);
	if (!err && peek == HF_PEEK_DONE)
		err = look_at_claims(call, put, was_read);
	if (err)
		return err;
	if (peek == HF_PEEK_DONE) {
		answer_acquire(call);
		return HF_OK;
	}
	/* A relabel of a known body did not need the fingerprint, but the writer may find a lease other than the snapshot's. */
	if (acquire->want.has_config && !acquire->want.has_fingerprint && (err = read_config(call, put)))
		return err;
	hf_acquire_begin(acquire);
	hf_call_commit(call, &acquire->write, answer_acquire);
	return HF_OK;
}

enum hf_err hf_handle_lease_get(struct hf_call *call) {
	struct hf_identity id;
	struct hf_lease lease;
	struct hf_guard guard = {0};
	char tag[HF_ETAG_TEXT];
	enum hf_err err = hf_lease_path_identity(call, &id);
	if (!err)
		err = hf_conditions_read(call, &guard);
	if (!err)
		err = hf_lease_get(call->reader, &id, &call->why, &lease);
	if (err)
		return err;
	hf_lease_etag(&lease, tag);
	err = hf_condition_if_match(&guard.if_match, tag, "lease", &call->why);
	if (err)
		return err;
	hf_lease_path_answer(call, 200, &lease);
	if (guard.if_none_match.stated && hf_condition_matches(&guard.if_none_match, tag))
		hf_call_not_modified(call);
	return HF_OK;
}

static void answer_release(struct hf_call *call) {
	const struct hf_release *release = call->own;
	hf_lease_path_answer(call, 200, &release->lease);
}

enum hf_err hf_handle_lease_delete(struct hf_call *call) {
	struct hf_release *release = hf_call_own(call, sizeof *release);
	enum hf_peek peek;
	if (!release)
		return HF_E_OVERLOADED;
	enum hf_err err = hf_lease_path_identity(call, &release->want.id);
	if (!err)
		err = hf_call_param_bool(call, "purge", &release->want.purge);
	if (!err)
		err = hf_call_param_bool(call, "force", &release->want.force);
	if (!err)
		err = hf_conditions_read(call, &release->want.guard);
	if (!err)
		err = hf_release_peek(call->reader, release, &call->why, &peek);
	if (err)
		return err;
	if (peek == HF_PEEK_DONE) {
		answer_release(call);
		return HF_OK;
	}
	hf_release_begin(release);
	hf_call_commit(call, &release->write, answer_release);
	return HF_OK;
}
