/* sync_body.c — reads the documents of a list, and the members around them. */
#include "sync_body.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/kuma/canonical.h"
#include "api/kuma/document.h"
#include "api/lists/skim.h"
#include "api/text/json.h"
#include "api/text/members.h"
#include "api/text/parse.h"
#include "storage/base/monotonic.h"
#include "storage/tables/lease_table.h"

#define ANSWER_BYTES 256 /* of an item's result in the answer, roughly; a rejected item takes twice as much */

static bool charge(void *context, size_t bytes) {
	struct hf_sync_body *body = context;
	return hf_arena_charge(&body->sync.arena, bytes);
}

static enum hf_err add(struct hf_sync_body *body, struct hf_sync_input *input, const struct hf_why *refusal, struct hf_why *why) {
	input->why = refusal->text;
	return hf_sync_add(&body->sync, input, why);
}

/* Names the document that an error is about. */
static enum hf_err at_place(const struct hf_sync_body *body, enum hf_list_member member, uint32_t place, enum hf_err err,
			    const struct hf_why *said, struct hf_why *why) {
	if (body->params.ndjson)
		return hf_fail(why, err, "line %" PRIu32 ": %.200s", place, said->text);
	return hf_fail(why, err, "\"%s\", number %" PRIu32 ": %.200s", member == HF_LIST_REMOVED ? "removed" : "items", place,
		       said->text);
}

/* Returns the role of a document that could not be read. */
static enum hf_sync_role unread(enum hf_list_member member) {
	return member == HF_LIST_REMOVED ? HF_SYNC_REMOVED : HF_SYNC_UNREADABLE;
}

static enum hf_err take_removed(struct hf_sync_body *body, uint32_t place, const json_t *reference, struct hf_why *why) {
	struct hf_why refusal = {""};
	struct hf_identity id;
	struct hf_sync_input input = {.role = HF_SYNC_REMOVED, .place = place};
	input.err = hf_document_reference(reference, body->sync.zone, &refusal, &id);
	if (!input.err)
		input.id = &id;
	return add(body, &input, &refusal, why);
}

/* Sets the identity of a document as far as it is known. */
static void set_identity(const struct hf_document *document, struct hf_sync_input *input) {
	if (document->has_identity)
		input->id = &document->id;
	else if (input->role != HF_SYNC_REMOVED)
		input->role = document->nobodys ? HF_SYNC_NOBODYS : HF_SYNC_UNREADABLE;
}

/* Identifies a document from its skim. Faults in the rest have been reported already. */
static void read_skimmed(const struct hf_sync_body *body, const char *text, size_t len, struct hf_document *ret) {
	struct hf_document document;
	if (text && (hf_document_read(text, len, body->sync.zone, NULL, &document) == HF_OK || document.nobodys))
		*ret = document;
}

/* Identifies a document that is not the JSON we accept, such as one with a number out of range or a NUL. */
static void read_rest(const struct hf_sync_body *body, const char *text, size_t len, struct hf_document *ret) {
	struct hf_skim skim = {.depth = 0};
	size_t skimmed_len = 0;
	hf_skim_feed(&skim, text, len);
	const char *skimmed = hf_skim_end(&skim, &skimmed_len);
	read_skimmed(body, skimmed, skimmed_len, ret);
	hf_skim_free(&skim);
}

static enum hf_err take_service(struct hf_sync_body *body, uint32_t place, const char *text, size_t len, struct hf_why *why) {
	struct hf_why refusal = {""};
	struct hf_identity id;
	struct hf_document document = {.has_identity = false};
	struct hf_sync_input input = {.role = HF_SYNC_SERVICE, .place = place};
	hf_sync_learn(&body->shortcut, body->call, &body->sync);
	input.raw = hf_known_digest(body->sync.zone, text, len);
	if (hf_sync_take_known(&body->shortcut, &body->sync, body->params.want == HF_RETURN_ALL, &input, text, len, &id))
		return add(body, &input, &refusal, why);
	input.claims_unread = false;
	input.err = hf_document_read(text, len, body->sync.zone, &refusal, &document);
	if (input.err == HF_E_OVERLOADED)
		return hf_fail(why, input.err, "%s", refusal.text);
	if (input.err == HF_E_INVALID_JSON)
		read_rest(body, text, len, &document);
	set_identity(&document, &input);
	if (!input.err) {
		input.fingerprint = document.config.fingerprint;
		input.fingerprint_version = HF_FINGERPRINT_VERSION;
		input.n_claims = document.config.claims.n;
		input.claims = document.config.claims.of;
		input.in_cluster = document.config.claims.in_cluster;
		input.wrong_claims = document.config.claims.wrong.n ? &document.config.claims.wrong : NULL;
	}
	return add(body, &input, &refusal, why);
}

/* Moves `version` or `fingerprint` out of an entry, which is a plain reference after that. */
static enum hf_err take_state(json_t *entry, struct hf_sync_input *input, char version[HF_VERSION_MAX + 1], struct hf_why *why) {
	struct hf_members m = hf_members_begin(entry, NULL, why);
	bool has_version = hf_members_has(&m, "version"), has_fingerprint = hf_members_has(&m, "fingerprint");
	if (!m.err && has_version == has_fingerprint)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "one of \"version\" and \"fingerprint\" is wanted");
	if (has_version) {
		hf_members_copy(&m, "version", HF_VERSION_MAX, version);
		input->version = version;
	} else {
		input->fingerprint = hf_members_digest(&m, "fingerprint");
	}
	json_object_del(entry, "version");
	json_object_del(entry, "fingerprint");
	return m.err;
}

/* Takes an entry. One bad entry fails the whole manifest. */
static enum hf_err take_entry(struct hf_sync_body *body, uint32_t place, json_t *entry, struct hf_why *why) {
	struct hf_why said = {""};
	struct hf_identity id;
	char version[HF_VERSION_MAX + 1];
	struct hf_sync_input input = {.role = HF_SYNC_ENTRY, .place = place, .id = &id};
	enum hf_err err = take_state(entry, &input, version, &said);
	if (!err)
		err = hf_document_reference(entry, body->sync.zone, &said, &id);
	return err ? at_place(body, HF_LIST_ITEM, place, err, &said, why) : add(body, &input, &said, why);
}

/* Returns whether a line is {"removed":…} and nothing else. */
static bool is_removed_line(const json_t *line) { return json_object_size(line) == 1 && json_object_get(line, "removed"); }

/* Returns whether a line begins like a removal, so that it must be parsed. */
static bool may_be_removed(const struct hf_sync_body *body, const char *text, size_t len) {
	static const char name[] = "\"removed\"";
	const char *end = text + len, *at = body->params.ndjson ? hf_text_next(text, end, '{') : NULL;
	at = at ? hf_text_next(at, end, '"') : NULL;
	return at && (size_t)(end - at) >= sizeof name - 2 && memcmp(at, name + 1, sizeof name - 2) == 0;
}

static enum hf_err refuse_removed(struct hf_why *why) {
	return hf_fail(why, HF_E_INVALID_PARAMETER, "\"removed\" is for mode=delta; a full list releases what it does not have");
}

/* Takes a document that has to be parsed here: a reference, or a line that may be one. */
static enum hf_err take_parsed(struct hf_sync_body *body, enum hf_list_member member, uint32_t place, const char *text, size_t len,
			       struct hf_why *why) {
	struct hf_why said = {""};
	json_t *json;
	bool manifest = body->sync.mode == HF_SYNC_MANIFEST;
	enum hf_err err = hf_parse_object(text, len, "the document", &said, &json);
	if (err && (manifest || err == HF_E_OVERLOADED))
		return at_place(body, member, place, err, &said, why);
	if (err) {
		struct hf_sync_input input = {.role = unread(member), .place = place, .err = err};
		return add(body, &input, &said, why);
	}
	bool removed_line = member == HF_LIST_ITEM && is_removed_line(json);
	if (manifest)
		err = take_entry(body, place, json, why);
	else if (removed_line && body->sync.mode == HF_SYNC_FULL)
		err = refuse_removed(why);
	else if (removed_line)
		err = take_removed(body, place, json_object_get(json, "removed"), why);
	else if (member == HF_LIST_REMOVED)
		err = take_removed(body, place, json, why);
	else
		err = take_service(body, place, text, len, why);
	json_decref(json);
	return err;
}

/* Rejects a document, but keeps a full list from releasing its lease. `text` is its skim (skim.h). */
static enum hf_err take_too_large(struct hf_sync_body *body, enum hf_list_member member, uint32_t place, const char *text,
				  size_t len, struct hf_why *why) {
	struct hf_why said;
	struct hf_document document = {.has_identity = false};
	struct hf_sync_input input = {.role = unread(member), .place = place};
	input.err = hf_fail(&said, HF_E_BODY_TOO_LARGE, "the document has more than %zu bytes", body->call->api->body_max_bytes);
	if (body->sync.mode == HF_SYNC_MANIFEST)
		return at_place(body, member, place, input.err, &said, why);
	if (member == HF_LIST_ITEM) {
		read_skimmed(body, text, len, &document);
		set_identity(&document, &input);
	}
	return add(body, &input, &said, why);
}

static enum hf_err take(void *context, enum hf_list_member member, uint32_t place, const char *text, size_t len, bool too_large,
			struct hf_why *why) {
	struct hf_sync_body *body = context;
	if (member == HF_LIST_REMOVED && body->sync.mode != HF_SYNC_DELTA)
		return refuse_removed(why);
	if (too_large)
		return take_too_large(body, member, place, text, len, why);
	if (body->sync.mode == HF_SYNC_MANIFEST || member == HF_LIST_REMOVED || may_be_removed(body, text, len))
		return take_parsed(body, member, place, text, len, why);
	return take_service(body, place, text, len, why);
}

static enum hf_err feed(struct hf_sink *sink, const char *data, size_t len, struct hf_why *why) {
	return hf_list_reader_feed(((struct hf_sync_body *)sink)->reader, data, len, why);
}

static bool is_stated(const json_t *value) {
	const char *text = json_string_value(value);
	return value && !json_is_null(value) && !(text && !*text);
}

/* Refuses a single page of a list, since the services on other pages must not be released. Kuma marks a page by `next` and `total`,
 * Kubernetes by `metadata.continue` and `metadata.remainingItemCount`. */
static enum hf_err check_complete(const json_t *rest, uint32_t n_items, struct hf_why *why) {
	const json_t *next = json_object_get(rest, "next"), *total = json_object_get(rest, "total"),
		     *metadata = json_object_get(rest, "metadata");
	if (next && !json_is_null(next))
		return hf_fail(why, HF_E_INCOMPLETE_LIST,
			       "\"next\" is not null: this is one page of a list; send all of it at once");
	if (is_stated(json_object_get(metadata, "continue")))
		return hf_fail(why, HF_E_INCOMPLETE_LIST,
			       "\"metadata.continue\" is not empty: this is one page of a list; send all of it at once");
	if (json_number_value(json_object_get(metadata, "remainingItemCount")) > 0)
		return hf_fail(why, HF_E_INCOMPLETE_LIST,
			       "\"metadata.remainingItemCount\" is above 0: this is one page of a list; send all of it at once");
	if (json_is_number(total) && json_number_value(total) > n_items)
		return hf_fail(why, HF_E_INCOMPLETE_LIST,
			       "\"total\" is %.15g, but the list has %" PRIu32 " items; send all of them at once",
			       json_number_value(total), n_items);
	return HF_OK;
}

static enum hf_err check_rest(const struct hf_sync_body *body, const json_t *rest, uint32_t n_items, struct hf_why *why) {
	const json_t *items = json_object_get(rest, "items"), *removed = json_object_get(rest, "removed");
	if (removed && body->sync.mode != HF_SYNC_DELTA)
		return refuse_removed(why);
	if (removed && !json_is_array(removed))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"removed\" is not an array");
	if (items ? !json_is_array(items) : !removed)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"items\" is missing or not an array");
	if (json_array_size(items) > 0 ||
	    json_array_size(removed) > 0) /* their items were not handed over, and must not count as an empty list */
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"items\" or \"removed\" is written with escapes");
	if (body->sync.mode == HF_SYNC_MANIFEST && json_object_size(rest) > 1)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "a manifest has no other member than \"items\"");
	return body->sync.mode == HF_SYNC_FULL ? check_complete(rest, n_items, why) : HF_OK;
}

/* Refuses a body without documents: an empty list must be stated, since a broken pipe sends nothing either. */
static enum hf_err check_any(const struct hf_sync_body *body, uint32_t n_items, struct hf_why *why) {
	const struct hf_sync_item *first = body->sync.first;
	if (body->params.ndjson && n_items == 0)
		return hf_fail(why, HF_E_INVALID_JSON,
			       "the body has no documents; to state an empty list, send {\"items\":[]} as application/json");
	if (!first || body->sync.n_unreadable < body->sync.n_items)
		return HF_OK;
	return hf_fail(why, first->err == HF_E_INVALID_PARAMETER ? first->err : HF_E_INVALID_JSON,
		       "none of the %" PRIu32 " items can be read; the first, %s %" PRIu32 ": %.200s", body->sync.n_items,
		       body->params.ndjson		? "line"
		       : first->role == HF_SYNC_REMOVED ? "\"removed\", number"
							: "\"items\", number",
		       first->place, first->why);
}

/* Checks the complete list, once the sync has all its items. */
static enum hf_err end_body(struct hf_sink *sink, struct hf_why *why) {
	struct hf_sync_body *body = (struct hf_sync_body *)sink;
	json_t *rest = NULL;
	uint32_t n_items;
	enum hf_err err = hf_list_reader_end(body->reader, why, &rest, &n_items);
	if (!err && rest)
		err = check_rest(body, rest, n_items, why);
	if (!err)
		err = check_any(body, n_items, why);
	json_decref(rest);
	hf_known_free(&body->shortcut.known);
	return err ? err : hf_sync_close_list(&body->sync, why);
}

static void close_body(struct hf_sink *sink) {
	struct hf_sync_body *body = (struct hf_sync_body *)sink;
	hf_list_reader_close(body->reader);
	hf_known_free(&body->shortcut.known);
	hf_sync_free(&body->sync);
	hf_syncs_end_share(body->call->api->syncs, body->share);
	free(body);
}

/* Opens the zone's share of the memory, which pays for everything from here on. */
static enum hf_err take_share(struct hf_sync_body *body, struct hf_why *why) {
	struct hf_call *call = body->call;
	struct hf_zone zone;
	bool is_known = false;
	if (call->reader && hf_reader_begin(call->reader, NULL) == HF_OK) {
		is_known = hf_zone_read(call->reader, body->sync.zone, &zone);
		hf_reader_end(call->reader);
	}
	body->share = hf_syncs_share(call->api->syncs, body->sync.zone, is_known);
	if (!body->share)
		return hf_no_memory(why);
	body->shortcut.known.arena.budget = body->sync.arena.budget = body->share;
	return HF_OK;
}

enum hf_err hf_sync_body_open(struct hf_call *call, bool is_manifest) {
	const struct hf_syncs_options *limits = hf_syncs_options(call->api->syncs);
	struct hf_sync_body *body = calloc(1, sizeof *body);
	if (!body)
		return hf_no_memory(&call->why);
	body->sink = (struct hf_sink){limits->body_max_bytes, feed, end_body, close_body};
	call->lane = HF_LANE_SYNCS;
	call->lane_key = call->vars[0];
	body->call = call;
	body->start_us = hf_monotonic_us();
	hf_sync_init(&body->sync, NULL);
	call->sink = &body->sink;
	enum hf_err err = hf_sync_params_read(call, is_manifest, &body->sync, &body->params);
	body->sync.answer_bytes = body->params.want == HF_RETURN_NONE ? 0 : ANSWER_BYTES;
	struct hf_list_options options = {.ndjson = body->params.ndjson,
					  .item_max_bytes = call->api->body_max_bytes,
					  .items_max = limits->items_max,
					  .charge = charge,
					  .document = take,
					  .context = body};
	if (!err)
		err = take_share(body, &call->why);
	if (!err && hf_list_reader_open(&options, &body->reader))
		err = hf_no_memory(&call->why);
	return err;
}
