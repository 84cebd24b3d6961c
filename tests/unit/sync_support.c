/* sync_support.c — syncs in one line of text. */
#include "sync_support.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/requests/lease_query.h"
#include "storage/sync/sync_apply.h"
#include "storage/sync/sync_judge.h"

struct hf_budget sync_budget = {.max_bytes = (size_t)64 << 20};

void sync_fixture_end(struct fixture *f) {
	verify_clean(f, "at the end");
	cr_expect_eq(sync_budget.used_bytes, 0, "a sync kept %zu bytes", (size_t)sync_budget.used_bytes);
	fixture_remove(f);
}

void sync_open(struct hf_sync *sync, enum hf_sync_mode mode, const char *zone, const char *mesh) {
	hf_sync_init(sync, &sync_budget);
	sync->mode = mode;
	sync->kind = HF_MESH_SERVICE;
	snprintf(sync->zone, sizeof sync->zone, "%s", zone);
	if (strcmp(mesh, "*") != 0)
		snprintf(sync->mesh, sizeof sync->mesh, "%s", mesh);
}

/* Cuts the text at the last such character; returns what is behind it, or NULL. */
static char *cut(char *text, char at) {
	char *found = strrchr(text, at);
	if (found)
		*found++ = '\0';
	return found;
}

/* Cuts off what is before the first such character, and returns it; else the default. */
static const char *cut_front(char **text, char at, const char *otherwise) {
	char *found = strchr(*text, at), *front = *text;
	if (!found)
		return otherwise;
	*found = '\0';
	*text = found + 1;
	return front;
}

static void set_identity(const struct hf_sync *sync, char *word, struct hf_identity *ret) {
	const char *zone = cut_front(&word, ':', sync->zone), *mesh = cut_front(&word, '/', "default");
	bool external = word[0] == '+';
	*ret = identity(zone, mesh, word + external);
	ret->kind = external ? HF_MESH_EXTERNAL_SERVICE : HF_MESH_SERVICE;
}

static int parse_claims(char *text, struct hf_addr *ret) {
	int n = 0;
	char *rest = NULL;
	for (char *word = text ? strtok_r(text, ",", &rest) : NULL; word; word = strtok_r(NULL, ",", &rest))
		ret[n++] = addr(word);
	return n;
}

static enum hf_err add_word(struct hf_sync *sync, char *word, uint32_t place) {
	struct hf_identity id;
	struct hf_addr claims[HF_CLAIMS_MAX];
	struct hf_sync_input input = {.place = place, .claims = claims, .fingerprint_version = 1};
	input.role = sync->mode == HF_SYNC_MANIFEST ? HF_SYNC_ENTRY : HF_SYNC_SERVICE;
	if (word[0] == '?' || word[0] == '#') {
		input.role = word[0] == '?' ? HF_SYNC_UNREADABLE : HF_SYNC_NOBODYS;
		input.err = word[0] == '?' ? HF_E_INVALID_JSON : HF_E_INVALID_NAME;
		input.why = "it is wrong";
		return hf_sync_add(sync, &input, NULL);
	}
	input.n_claims = parse_claims(cut(word, '@'), claims);
	input.version = cut(word, '%');
	const char *config = cut(word, '=');
	if (!config)
		config = "{}";
	struct hf_acquire like = acquire_request(identity("z", "m", "s"), config);
	input.raw = like.want.raw;
	input.fingerprint = like.want.fingerprint;
	if (word[0] == '-') {
		input.role = HF_SYNC_REMOVED;
	} else if (word[0] == '!') {
		input.err = HF_E_INVALID_ADDRESS;
		input.why = "it is wrong";
	}
	set_identity(sync, word + strspn(word, "-!"), &id);
	input.id = &id;
	return hf_sync_add(sync, &input, NULL);
}

enum hf_err sync_list(struct hf_sync *sync, const char *words) {
	char *copy = strdup(words), *rest = NULL;
	uint32_t place = 0;
	enum hf_err err = HF_OK;
	for (char *word = strtok_r(copy, " ", &rest); !err && word; word = strtok_r(NULL, " ", &rest))
		err = add_word(sync, word, ++place);
	free(copy);
	return err ? err : hf_sync_close_list(sync, NULL);
}

enum hf_err sync_peek(struct fixture *f, struct hf_sync *sync, bool *ret_write) {
	enum hf_err err = hf_reader_begin(f->reader, NULL);
	if (!err)
		err = hf_sync_peek(f->reader, sync, &sync->write.why, ret_write);
	hf_reader_end(f->reader);
	return err;
}

enum hf_err sync_commit(struct fixture *f, struct hf_sync *sync) {
	hf_sync_begin(sync);
	return commit(f, &sync->write);
}

enum hf_err sync_run(struct fixture *f, struct hf_sync *sync, bool *ret_written) {
	bool write = false;
	enum hf_err err = sync_peek(f, sync, &write);
	if (ret_written)
		*ret_written = write;
	return err || !write ? err : sync_commit(f, sync);
}

void synced(struct fixture *f, enum hf_sync_mode mode, const char *zone, const char *words) {
	struct hf_sync sync;
	sync_open(&sync, mode, zone, mode == HF_SYNC_DELTA ? "*" : "default");
	if (mode == HF_SYNC_DELTA)
		sync.kind = 0;
	enum hf_err err = sync_list(&sync, words);
	if (!err)
		err = sync_run(f, &sync, NULL);
	if (err) {
		fprintf(stderr, "\"%s\": %s, %s\n", words, hf_err_slug(err), sync.write.why.text);
		abort();
	}
	hf_sync_free(&sync);
}

static char text[1 << 16];

static void say(const char *word) { strncat(text, word, sizeof text - strlen(text) - 1); }

static void say_identity(const struct hf_identity *id, const char *zone) {
	if (strcmp(id->zone, zone) != 0)
		say(id->zone), say(":");
	if (strcmp(id->mesh, "default") != 0)
		say(id->mesh), say("/");
	if (id->kind != HF_MESH_SERVICE)
		say("+");
	say(id->service);
}

static void say_vips(const struct hf_addr *vips, int n) {
	char one[HF_ADDR_TEXT];
	for (int i = 0; i < n; i++) {
		hf_addr_format(vips[i], one);
		say(i ? "," : "@"), say(one);
	}
}

static void say_item(const struct hf_sync *sync, const struct hf_sync_item *item) {
	struct hf_identity id;
	if (text[0])
		say(" ");
	if (item->key && hf_identity_decode(item->key, item->key_len, &id))
		say_identity(&id, sync->zone);
	else
		say("?");
	say("=");
	if (item->outcome == HF_SYNC_REJECTED) {
		say(hf_err_slug(item->err));
		return;
	}
	say(hf_sync_outcome_name(item->outcome));
	say_vips(item->vips, item->n_vips);
	say(hf_sync_claim_refused(item) ? "~" : "");
}

const char *sync_results(const struct hf_sync *sync) {
	text[0] = '\0';
	for (const struct hf_sync_item *item = sync->first; item; item = item->next)
		say_item(sync, item);
	say(sync->released ? text[0] ? " |" : "|" : "");
	for (const struct hf_sync_item *item = sync->released; item; item = item->next)
		say_item(sync, item);
	return text;
}

const char *sync_summary(const struct hf_sync *sync) {
	char pair[64];
	text[0] = '\0';
	for (int i = 0; i <= HF_SYNC_OUTCOMES; i++) {
		bool skipped = i == HF_SYNC_OUTCOMES;
		uint64_t n = skipped ? sync->summary.release_skipped : sync->summary.of[i];
		const char *name = skipped ? "skipped" : hf_sync_outcome_name((enum hf_sync_outcome)i);
		snprintf(pair, sizeof pair, "%s%s=%" PRIu64, text[0] ? " " : "", name, n);
		say(n ? pair : "");
	}
	return text;
}

static void say_lease(void *zone, const struct hf_lease *lease) {
	bool quarantined = lease->state == HF_QUARANTINED;
	say(text[0] ? " " : "");
	say(quarantined ? "(" : "");
	say_identity(&lease->id, zone);
	say_vips(lease->vips, lease->n_vips);
	say(quarantined ? ")" : "");
}

const char *zone_leases(struct fixture *f, const char *zone) {
	struct hf_filter filter = {0};
	struct hf_list_page page;
	char name[HF_NAME_MAX + 1];
	snprintf(name, sizeof name, "%s", zone);
	memcpy(filter.zone, name, sizeof filter.zone);
	text[0] = '\0';
	if (hf_reader_begin(f->reader, NULL) ||
	    hf_lease_list(f->reader, &filter, NULL, HF_LIST_EXAMINED_MAX, say_lease, name, NULL, &page))
		abort();
	hf_reader_end(f->reader);
	return text;
}

bool sync_is_what_is_read(struct fixture *f, const struct hf_sync *sync) {
	struct hf_zone_info info = {.sum = {.active = 0}};
	if (hf_reader_begin(f->reader, NULL))
		abort();
	uint64_t revision = hf_meta_read(f->reader).revision;
	enum hf_err err = hf_zone_get(f->reader, sync->zone, NULL, &info);
	hf_reader_end(f->reader);
	return sync->revision == revision && sync->zone_known == !err && hf_digest_equal(&sync->digest, &info.sum.digest);
}
