/* import.c — `holdfastd import`. */
#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/shapes/export_read.h"
#include "server/process/owner.h"
#include "storage/admin/import.h"

#define LISTED_MAX 1000 /* conflicts that --json lists; as text, all are listed */

struct input {
	FILE *file;
	const char *name;
	char text[HF_EXPORT_LINE_MAX];
	struct hf_line line;
	bool json_output;
	struct hf_buf out; /* conflicts as JSON */
	struct hf_json json;
	uint64_t listed;
};

/* Reads up to a newline, which is dropped, or the end of the file. HF_E_NOT_FOUND: the end was reached before. */
static enum hf_err read_text(struct input *in, struct hf_why *why, size_t *ret_len) {
	size_t len = 0;
	int c;
	while ((c = getc_unlocked(in->file)) != EOF && c != '\n') {
		if (len == sizeof in->text)
			return hf_fail(why, HF_E_INVALID_JSON, "it is longer than %d bytes", HF_EXPORT_LINE_MAX);
		in->text[len++] = (char)c;
	}
	if (ferror(in->file))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be read: %s", in->name, strerror(errno));
	*ret_len = len;
	return c == EOF && len == 0 ? HF_E_NOT_FOUND : HF_OK;
}

static enum hf_err next_line(void *context, struct hf_why *why, const struct hf_line **ret) {
	struct input *in = context;
	size_t len = 0;
	hf_line_drop(&in->line);
	enum hf_err err = read_text(in, why, &len);
	if (!err)
		err = hf_export_read(in->text, len, why, &in->line);
	*ret = &in->line;
	return err;
}

static void report_conflict(void *context, enum hf_line_sort sort, const char *what) {
	struct input *in = context;
	if (!in->json_output) {
		printf("conflict: %s\n", what);
	} else if (in->listed++ < LISTED_MAX) {
		hf_json_open(&in->json, '{');
		hf_json_member(&in->json, "sort", hf_line_name(sort));
		hf_json_member(&in->json, "detail", what);
		hf_json_close(&in->json, '}');
	}
}

static void write_counts(struct hf_json *json, const struct hf_import *im) {
	const struct hf_merge_counts *c = &im->counts;
	uint64_t all = im->lines[HF_LINE_LEASE];
	hf_json_member_uint(json, "pools", im->merged ? c->pools_added : im->lines[HF_LINE_POOL]);
	hf_json_member_uint(json, "zones", im->merged ? c->zones_added : im->lines[HF_LINE_ZONE]);
	hf_json_member_open(json, "leases", '{');
	hf_json_member_uint(json, "added", im->merged ? c->added : all);
	hf_json_member_uint(json, "unchanged", c->unchanged);
	hf_json_member_uint(json, "replaced", c->replaced);
	hf_json_member_uint(json, "moved", c->moved);
	hf_json_member_uint(json, "leftOut", c->left_out);
	hf_json_close(json, '}');
}

static void print_json(struct input *in, const struct hf_import *im) {
	struct hf_buf out = {0};
	struct hf_json json = {.out = &out};
	hf_json_open(&json, '{');
	hf_json_member(&json, "mode", im->merged ? "merge" : "new");
	hf_json_member_bool(&json, "applied", im->applied);
	write_counts(&json, im);
	hf_json_member_or_null(&json, "aside", im->aside);
	if (im->applied) {
		hf_json_member_uint(&json, "revision", im->meta.revision);
		hf_json_member_uint(&json, "storeEpoch", im->meta.store_epoch);
	}
	hf_json_member_uint(&json, "conflicts", im->counts.conflicts);
	hf_json_member_open(&json, "items", '[');
	hf_buf_add(&out, in->out.data, in->out.len);
	hf_json_close(&json, ']');
	hf_json_close(&json, '}');
	hf_offline_print(&out);
}

static void print_merged(const struct hf_import *im) {
	const struct hf_merge_counts *c = &im->counts;
	printf("%" PRIu64 " pools, %" PRIu64 " zones and %" PRIu64 " leases %s; %" PRIu64 " leases are the same, %" PRIu64
	       " are replaced (%" PRIu64 " by other addresses), %" PRIu64 " left out\n",
	       c->pools_added, c->zones_added, c->added, im->applied ? "added" : "to add", c->unchanged, c->replaced, c->moved,
	       c->left_out);
}

static void print_text(const struct hf_offline *o, const struct hf_import *im) {
	if (im->merged)
		print_merged(im);
	else
		printf("%" PRIu64 " leases, %" PRIu64 " pools, %" PRIu64 " zones, %" PRIu64 " past holders, %" PRIu64
		       " changes; every invariant holds\n",
		       im->lines[HF_LINE_LEASE], im->lines[HF_LINE_POOL], im->lines[HF_LINE_ZONE], im->lines[HF_LINE_HOLDER],
		       im->lines[HF_LINE_CHANGE]);
	if (im->counts.conflicts > 0 && im->settle == HF_SETTLE_REFUSE)
		printf("%" PRIu64 " conflicts; --on-conflict=keep or =replace settles them\n", im->counts.conflicts);
	if (!im->applied) {
		printf("nothing was changed\n");
		return;
	}
	if (im->merged)
		printf("imported into the store in %s", o->data_dir);
	else
		printf("%s now has the store of the export", o->data_dir);
	printf(": store epoch %" PRIu64 ", revision %" PRIu64 "\n", im->meta.store_epoch, im->meta.revision);
	if (im->aside[0])
		printf("the previous store is kept as %s\n", im->aside);
}

/* 1 if the import left conflicts unsettled, or would leave them. */
static int status_of(const struct hf_import *im) {
	const struct hf_merge_counts *c = &im->counts;
	uint64_t left = im->settle == HF_SETTLE_REFUSE ? c->conflicts : im->settle == HF_SETTLE_REPLACE ? c->unsettled : 0;
	return left > 0 ? HF_OFFLINE_FOUND : HF_OFFLINE_DONE;
}

static int import_from(const struct hf_offline *o, struct input *in, struct hf_import *im) {
	struct hf_why why = {""};
	enum hf_err err = hf_import(im, &why);
	if (err) {
		fflush(stdout); /* so that conflicts come first */
		return hf_offline_fail("import", err, &why);
	}
	if (o->json)
		print_json(in, im);
	else
		print_text(o, im);
	if (im->applied && !im->restored)
		fprintf(stderr,
			"holdfastd import: note: if the store that was exported has gone on since, import with --restored, which "
			"begins a new store epoch\n");
	return status_of(im);
}

int hf_offline_import(const struct hf_offline *o) {
	static const char *const settle[] = {
		[HF_SETTLE_REFUSE] = "refuse", [HF_SETTLE_KEEP] = "keep", [HF_SETTLE_REPLACE] = "replace"};
	struct hf_why why = {""};
	int choice = HF_SETTLE_REFUSE;
	while (o->on_conflict && choice <= HF_SETTLE_REPLACE && strcmp(o->on_conflict, settle[choice]) != 0)
		choice++;
	if (choice > HF_SETTLE_REPLACE) {
		hf_fail(&why, HF_E_INVALID_PARAMETER, "--on-conflict: \"%.40s\" is neither keep nor replace", o->on_conflict);
		return hf_offline_fail("import", HF_E_INVALID_PARAMETER, &why);
	}
	bool standard = strcmp(o->path, "-") == 0;
	struct input *in = calloc(1, sizeof *in);
	if (!in)
		return hf_offline_fail("import", hf_no_memory(&why), &why);
	in->name = standard ? "standard input" : o->path;
	in->json_output = o->json;
	in->json.out = &in->out;
	in->file = standard ? stdin : fopen(o->path, "re");
	struct hf_import im = {.dir = o->data_dir,
			       .settle = (enum hf_settle)choice,
			       .dry_run = o->dry_run,
			       .restored = o->restored || o->store_epoch,
			       .store_epoch = o->store_epoch,
			       .next = next_line,
			       .conflict = report_conflict,
			       .context = in};
	if (!in->file)
		hf_fail(&why, HF_E_DATA_DIR, "%.120s cannot be read: %s", o->path, strerror(errno));
	enum hf_err err = in->file ? hf_owner_become(o->data_dir, &why, NULL) : HF_E_DATA_DIR; /* after root has opened the file */
	int status = !err ? import_from(o, in, &im) : hf_offline_fail("import", err, &why);
	if (in->file && !standard)
		fclose(in->file);
	hf_line_drop(&in->line);
	hf_buf_free(&in->out);
	free(in);
	return status;
}
