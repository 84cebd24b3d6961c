/* support.c — what the tests share. */
#include "support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/disk/descriptors.h"
#include "storage/store/open.h"
#include "storage/store/upkeep.h"
#include "storage/verify/verify.h"

#define CHECK(call)                                                                                                                \
	do {                                                                                                                       \
		enum hf_err check_err = (call);                                                                                    \
		if (check_err) {                                                                                                   \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, hf_err_slug(check_err));                     \
			abort();                                                                                                   \
		}                                                                                                                  \
	} while (0)

static int64_t fixture_now(void *context) {
	const struct fixture *f = context;
	return f->now_ms + f->shift_ms;
}

static int64_t fixture_monotonic(void *context) { return ((struct fixture *)context)->monotonic_ms; }

static void fixture_boot(void *context, uint8_t ret[HF_BOOT_BYTES]) {
	const struct fixture *f = context;
	memset(ret, 0, HF_BOOT_BYTES);
	memcpy(ret, &f->boot, sizeof f->boot);
}

void fixture_dir(struct fixture *f) {
	const char *base = getenv("TMPDIR");
	if (!hf_descriptors_fill())
		abort();
	if (!base)
		base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	*f = (struct fixture){.now_ms = 1700000000000, .boot = 1};
	snprintf(f->dir, sizeof f->dir, "%s/holdfast-test-XXXXXX", base);
	if (!mkdtemp(f->dir)) {
		perror(f->dir);
		abort();
	}
	f->options.map_size_bytes = (uint64_t)1 << 30;
	f->options.quarantine_seconds = 3600;
}

void fixture_open(struct fixture *f) {
	struct hf_why why = {""};
	f->options.clock = (struct hf_clock){fixture_now, f, fixture_monotonic, fixture_boot};
	if (hf_store_open(f->dir, &f->options, &why, &f->store)) {
		fprintf(stderr, "%s: %s\n", f->dir, why.text);
		abort();
	}
	CHECK(hf_reader_open(f->store, NULL, &f->reader));
}

void fixture_new(struct fixture *f) {
	fixture_dir(f);
	fixture_open(f);
}

void fixture_close(struct fixture *f) {
	hf_reader_close(f->reader);
	hf_store_close(f->store);
	f->reader = NULL;
	f->store = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void fixture_remove(struct fixture *f) {
	fixture_close(f);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct hf_digest fixture_digest(struct fixture *f) {
	struct hf_digest sum = {{0}};
	CHECK(hf_reader_begin(f->reader, NULL));
	for (int table = 0; table < HF_TABLES; table++) {
		HF_CURSOR cursor;
		hf_cursor_open(f->reader, (enum hf_table)table, &cursor);
		while (hf_cursor_next(&cursor)) {
			struct hf_digest parts[3] = {sum, hf_digest_of(cursor.key.data, cursor.key.len),
						     hf_digest_of(cursor.value.data, cursor.value.len)};
			sum = hf_digest_of(parts, sizeof parts);
		}
	}
	CHECK(hf_txn_fault(f->reader, NULL));
	hf_reader_end(f->reader);
	return sum;
}

static void print_violation(void *context, enum hf_table table, const char *what) {
	fprintf(stderr, "%s: %s: %s\n", (const char *)context, hf_table_name(table), what);
}

void verify_clean(struct fixture *f, const char *when) {
	struct hf_verify_counts counts = {0};
	char name[128];
	snprintf(name, sizeof name, "%s", when);
	CHECK(hf_reader_begin(f->reader, NULL));
	CHECK(hf_verify(f->reader, print_violation, name, NULL, &counts));
	hf_reader_end(f->reader);
	if (counts.violations)
		abort();
}

enum hf_err commit(struct fixture *f, struct hf_write *write) {
	struct hf_batch *batch;
	CHECK(hf_upkeep_begin(f->store, NULL, &batch));
	hf_batch_set_by(batch, write->by);
	write->err = write->apply(batch, write, &write->why);
	if (write->solo && (write->err || write->discard)) {
		enum hf_err fault = hf_txn_fault(hf_batch_txn(batch), &write->why);
		hf_batch_abort(batch);
		return fault ? fault : write->err;
	}
	enum hf_err err = hf_upkeep_commit(batch, &write->why);
	return err ? err : write->err;
}

struct hf_identity identity(const char *zone, const char *mesh, const char *service) {
	struct hf_identity id = {.kind = HF_MESH_SERVICE};
	CHECK(hf_name_set("zone", zone, HF_NAME_MAX, NULL, id.zone));
	CHECK(hf_name_set("mesh", mesh, HF_NAME_MAX, NULL, id.mesh));
	CHECK(hf_name_set("service", service, HF_SERVICE_MAX, NULL, id.service));
	return id;
}

struct hf_acquire acquire_request(struct hf_identity id, const char *config) {
	struct hf_acquire request = {.want.id = id};
	if (config[0]) {
		request.want.has_config = request.want.has_fingerprint = true;
		request.want.fingerprint_version = 1;
		request.want.fingerprint = hf_digest_of(config, strlen(config));
		request.want.raw = hf_digest_of(request.want.fingerprint.bytes, HF_DIGEST_BYTES);
	}
	return request;
}

enum hf_err acquire(struct fixture *f, struct hf_acquire *request) {
	hf_acquire_begin(request);
	return commit(f, &request->write);
}

void acquire_services(struct fixture *f, int from, int to) {
	struct hf_batch *batch;
	CHECK(hf_upkeep_begin(f->store, NULL, &batch));
	for (int i = from; i < to; i++) {
		char name[16];
		snprintf(name, sizeof name, "s%d", i);
		struct hf_acquire a = acquire_request(identity("east", "default", name), name);
		hf_acquire_begin(&a);
		CHECK(a.write.apply(batch, &a.write, NULL));
	}
	CHECK(hf_upkeep_commit(batch, NULL));
}

enum hf_err release(struct fixture *f, struct hf_identity id, bool purge, struct hf_lease *ret) {
	struct hf_release request = {.want.id = id, .want.purge = purge};
	hf_release_begin(&request);
	enum hf_err err = commit(f, &request.write);
	if (!err && ret)
		*ret = request.lease;
	return err;
}

enum hf_err connect_zone(struct fixture *f, const char *zone, const char *instance, struct hf_zone_connect *ret) {
	*ret = (struct hf_zone_connect){.has_epoch = false};
	snprintf(ret->name, sizeof ret->name, "%s", zone);
	snprintf(ret->instance, sizeof ret->instance, "%s", instance);
	hf_zone_connect_begin(ret);
	return commit(f, &ret->write);
}

enum hf_err disconnect_zone(struct fixture *f, const char *zone) {
	struct hf_zone_disconnect request = {.has_epoch = false};
	snprintf(request.name, sizeof request.name, "%s", zone);
	hf_zone_disconnect_begin(&request);
	return commit(f, &request.write);
}

void add_range(struct hf_ranges *ranges, struct hf_range range) {
	struct hf_ranges longer;
	struct hf_range *list = malloc(sizeof *list * (size_t)(ranges->n + 1));
	for (int i = 0; i < ranges->n; i++)
		list[i] = ranges->at[i];
	list[ranges->n] = range;
	if (!hf_ranges_make(list, ranges->n + 1, &longer))
		abort();
	free(list);
	hf_ranges_drop(ranges);
	*ranges = longer;
}

struct hf_ranges ranges_of(const char *text) {
	struct hf_ranges ranges = {.n = 0};
	struct hf_range range;
	char copy[1024];
	snprintf(copy, sizeof copy, "%s", text);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		CHECK(hf_range_parse(word, NULL, &range));
		add_range(&ranges, range);
	}
	return ranges;
}

struct hf_pool_put pool_request(const char *name, const char *cidrs, const char *reserved, uint32_t quarantine_seconds) {
	struct hf_pool_put request = {.config = {.strategy = HF_SEQUENTIAL, .quarantine_seconds = quarantine_seconds}};
	snprintf(request.name, sizeof request.name, "%s", name);
	request.config.cidrs = ranges_of(cidrs);
	request.config.reserved = ranges_of(reserved);
	CHECK(hf_pool_config_check(&request.config, NULL));
	hf_pool_put_begin(&request);
	return request;
}

struct hf_addr addr(const char *text) {
	struct hf_addr a;
	CHECK(hf_addr_parse(text, NULL, &a));
	return a;
}

const char *vip_text(const struct hf_lease *lease, int i) {
	static char text[HF_ADDR_TEXT];
	hf_addr_format(lease->vips[i], text);
	return text;
}

struct hf_lease sample_lease(void) {
	return (struct hf_lease){.id = identity("east", "default", "redis"),
				 .pool = "blue",
				 .state = HF_QUARANTINED,
				 .n_vips = 2,
				 .vips = {addr("241.0.0.7"), addr("fd00::7")},
				 .generation = 3,
				 .revision = 17,
				 .fingerprint_version = 1,
				 .fingerprint = hf_digest_of("config", 6),
				 .raw = hf_digest_of("raw", 3),
				 .version = "v1",
				 .created_ms = 1700000000000,
				 .modified_ms = 1700000001000,
				 .quarantined_until_ms = 1700003601000};
}
