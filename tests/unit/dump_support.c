/* dump_support.c — a store that has something of everything, exports as text, imports from text. */
#include "dump_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/shapes/export_json.h"
#include "api/shapes/export_read.h"
#include "api/shapes/verify_json.h"
#include "storage/requests/zone_retire.h"
#include "storage/store/upkeep.h"

static char conflicts[16384];

static void write_pool(struct fixture *f, const char *name, const char *cidrs, const char *reserved, enum hf_strategy strategy) {
	POOL_PUT_REQUEST put = pool_request(name, cidrs, reserved, 600);
	put.config.strategy = strategy;
	put.config.kinds = 1u << HF_MESH_MULTIZONE_SERVICE; /* none takes leases that do not name it */
	put.drain = true;
	cr_assert_eq(commit(f, &put.write), HF_OK, "%s", put.write.why.text);
	f->now_ms += 7;
}

static void take(struct fixture *f, const char *zone, const char *service, const char *pool, const char *config,
		 const char *version) {
	struct hf_acquire a = acquire_request(identity(zone, "default", service), config);
	snprintf(a.want.pool, sizeof a.want.pool, "%s", pool);
	a.want.has_version = version[0] != '\0';
	snprintf(a.want.version, sizeof a.want.version, "%s", version);
	if (strchr("bdf", service[0])) /* some callers have names */
		strcpy(a.write.by, "zone-\u00fc \"1\"");
	cr_assert_eq(acquire(f, &a), HF_OK, "%s: %s", service, a.write.why.text);
	f->now_ms += 13;
}

static void let_go(struct fixture *f, const char *zone, const char *service, bool purge) {
	cr_assert_eq(release(f, identity(zone, "default", service), purge, NULL), HF_OK, "%s", service);
	f->now_ms += 17;
}

static void fill_pools(struct fixture *f) {
	POOL_DELETE_REQUEST gone = {.name = "gone"};
	write_pool(f, "blue", "10.0.0.0/24 fd00::/64", "10.0.0.0-10.0.0.3", HF_HASHED);
	write_pool(f, "gone", "10.9.0.0/24", "", HF_SEQUENTIAL);
	write_pool(f, "late", "10.1.0.0/25 fd01::/120", "", HF_SEQUENTIAL);
	hf_pool_delete_begin(&gone);
	cr_assert_eq(commit(f, &gone.write), HF_OK);
	take(f, "east", "drained-1", "late", "{}", "");
	take(f, "east", "drained-2", "late", "{}", "");
	take(f, "east", "drained-3", "late", "{}", "");
	let_go(f, "east", "drained-2", false);
	write_pool(f, "late", "10.2.0.0/25 fd01::/120", "fd01::1-fd01::2", HF_SEQUENTIAL);
}

static void fill_leases(struct fixture *f) {
	static const char *const kept[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	static const char *const blue[] = {"blue-1", "blue-2", "blue-3", "blue-4"};
	for (int i = 0; i < 8; i++)
		take(f, i % 2 ? "east" : "north", kept[i], "", kept[i], i % 3 ? "" : "v\u00e9 \"1\"");
	for (int i = 0; i < 4; i++)
		take(f, "east", blue[i], "blue", i % 2 ? "" : "{}", "");
	take(f, "east", "b", "", "other", "2"); /* updated */
	let_go(f, "north", "a", false);		/* in quarantine */
	let_go(f, "east", "d", false);		/* and back */
	take(f, "east", "d", "", "d", "");
	let_go(f, "east", "f", true);
	take(f, "south", "only", "", "x", ""); /* its scope empties */
	let_go(f, "south", "only", true);
	take(f, "east", "heir", "", "heir", ""); /* another pool's cursor */
	take(f, "east", "brief", "blue", "x", "");
	let_go(f, "east", "brief", false);
	f->now_ms += 700 * 1000; /* blue's quarantine ends */
	take(f, "east", "g", "", "g2", "");
}

/* A zone that was retired with leases, which are in quarantine by force. */
static void retire_zone(struct fixture *f) {
	struct hf_zone_connect connect;
	struct hf_zone_retire retire = {.name = "gone"};
	cr_assert_eq(connect_zone(f, "gone", "gone-1", &connect), HF_OK);
	take(f, "gone", "a", "", "x", "");
	cr_assert_eq(disconnect_zone(f, "gone"), HF_OK);
	hf_zone_retire_begin(&retire);
	cr_assert_eq(commit(f, &retire.write), HF_OK, "%s", retire.write.why.text);
}

/* As an import would have moved addresses. */
static void count_moves(struct fixture *f) {
	struct hf_batch *batch;
	cr_assert_eq(hf_batch_begin(f->store, NULL, &batch), HF_OK);
	for (int i = 0; i < 3; i++)
		hf_batch_count_vip_change(batch, HF_CAUSE_ADMIN);
	cr_assert_eq(hf_batch_commit(batch, NULL), HF_OK);
}

void rich_store(struct fixture *f) {
	struct hf_zone_connect connect;
	static const char *const instances[] = {"west-\u00fc \"1\"", "west-2", "west-3"};
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(connect_zone(f, "west", instances[i], &connect), HF_OK);
		f->now_ms += 1000;
	}
	cr_assert_eq(disconnect_zone(f, "west"), HF_OK);
	connect = (struct hf_zone_connect){.name = "east", .instance = "east-1", .ttl_ms = 5500};
	hf_zone_connect_begin(&connect);
	cr_assert_eq(commit(f, &connect.write), HF_OK);
	fill_pools(f);
	fill_leases(f);
	retire_zone(f);
	count_moves(f);
	verify_clean(f, "a rich store");
}

struct text {
	struct hf_buf buf;
};

static enum hf_err add_line(void *context, const struct hf_line *line, struct hf_why *why) {
	return hf_export_write(&((struct text *)context)->buf, line, why);
}

char *export_text(struct fixture *f) {
	struct text text = {{0}};
	struct hf_why why = {""};
	cr_assert_eq(hf_reader_begin(f->reader, NULL), HF_OK);
	cr_assert_eq(hf_dump(f->reader, add_line, &text, &why), HF_OK, "%s", why.text);
	hf_reader_end(f->reader);
	hf_buf_add(&text.buf, "", 1);
	return text.buf.data;
}

const char *line_of(const char *text, const char *part) {
	static char line[65536];
	const char *at = strstr(text, part), *from = at;
	line[0] = '\0';
	if (!at)
		return line;
	while (from > text && from[-1] != '\n')
		from--;
	snprintf(line, sizeof line, "%.*s", (int)strcspn(from, "\n"), from);
	return line;
}

char *replaced(const char *text, const char *part, const char *by) {
	const char *at = strstr(text, part);
	cr_assert(at, "there is no %s", part);
	size_t len = strlen(text) - strlen(part) + strlen(by) + 1;
	char *copy = malloc(len);
	snprintf(copy, len, "%.*s%s%s", (int)(at - text), text, by, at + strlen(part));
	return copy;
}

struct source {
	const char *at;
	struct hf_line line;
};

static enum hf_err next_line(void *context, struct hf_why *why, const struct hf_line **ret) {
	struct source *source = context;
	size_t len = strcspn(source->at, "\n");
	*ret = &source->line;
	hf_line_drop(&source->line);
	if (!*source->at)
		return HF_E_NOT_FOUND;
	enum hf_err err = hf_export_read(source->at, len, why, &source->line);
	source->at += len + (source->at[len] == '\n');
	return err;
}

static void note(void *context, enum hf_line_sort sort, const char *what) {
	(void)context;
	size_t len = strlen(conflicts);
	snprintf(conflicts + len, sizeof conflicts - len, "%s: %s\n", hf_line_name(sort), what);
}

const char *said(void) { return conflicts; }

enum hf_err import_text(struct fixture *f, const char *text, struct hf_import *im, struct hf_why *why) {
	static struct source source;
	source.at = text;
	conflicts[0] = '\0';
	*why = (struct hf_why){""};
	im->dir = f->dir;
	im->options = f->options;
	im->next = next_line;
	im->conflict = note;
	im->context = &source;
	return hf_import(im, why);
}

char *verify_text(struct fixture *f) {
	struct hf_buf buf = {0};
	uint64_t violations;
	cr_assert_eq(hf_reader_begin(f->reader, NULL), HF_OK);
	cr_assert_eq(hf_verify_write(f->reader, &buf, NULL, &violations), HF_OK);
	hf_reader_end(f->reader);
	hf_buf_add(&buf, "", 1);
	return buf.data;
}
