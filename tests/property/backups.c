/* backups.c — random backups and restores. */
#include "backups.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "replay.h"
#include "returns.h"
#include "seen.h"
#include "storage/admin/backup.h"
#include "storage/admin/restore.h"
#include "storage/disk/file.h"
#include "words.h"
#include "writes.h"

#define PIECE_MAX (1 << 20)
#define BETWEEN_MAX 6 /* times that others write while one backup is read */

void backups_new(struct run *run) {
	for (int i = 0; i < RUN_BACKUPS; i++)
		m_new(&run->kept[i], 0);
}

void backups_begin(struct run *run) {
	memset(run->backups, 0, sizeof run->backups);
	memset(run->epochs, 0, sizeof run->epochs);
	run->revision = 0;
}

static const char *file_of(const struct run *run, const char *name, int i) {
	static char paths[2][160];
	static int k;
	snprintf(paths[k = !k], sizeof paths[0], "%s/%s%.0d", run->f.dir, name, i);
	return paths[k];
}

static const char *data_file(const struct run *run) { return file_of(run, "data.mdb", 0); }
static const char *backup_file(const struct run *run, int i) { return file_of(run, "backup-", i + 1); }

static void note_backup(struct run *run, int at, bool plain) {
	int newest = 0;
	for (int i = 0; i < RUN_BACKUPS; i++)
		if (run->backups[i].number > newest)
			newest = run->backups[i].number;
	run->backups[at] = (struct run_backup){.taken = true, .plain = plain, .number = newest + 1};
}

static void copy_file(struct run *run, int i) {
	struct hf_why why = {""};
	say(run, "copy of the file, as backup %d", i);
	m_copy(&run->kept[i], &run->model);
	fixture_close(&run->f);
	unlink(backup_file(run, i));
	if (hf_file_copy(data_file(run), backup_file(run, i), 0, &why))
		c_fail(run, "copy: %s", why.text);
	fixture_open(&run->f);
	run->model.n_worn = 0;
	m_reopened(&run->model, run->f.monotonic_ms);
	seen.copies++;
}

/* Odd sizes, and small ones where a piece may end in the middle of something, or just before it. */
static size_t piece_size(struct world *w, uint64_t at, uint64_t left, int most) {
	if (left > HF_BACKUP_TRAILER_BYTES + 1 && left < (uint64_t)most && w_chance(w, 30))
		return (size_t)left - HF_BACKUP_TRAILER_BYTES - 1;
	return 1 + (size_t)w_below(w, at < 8192 ? 1500 : left < 100 ? 30 : most);
}

/* Reads a backup to its end. Returns whether others wrote meanwhile. */
static bool read_backup(struct run *run, struct hf_backup *backup, int fd, void (*between)(struct run *run)) {
	static const int MOST[] = {5000, 50000, PIECE_MAX}, OFTEN[] = {0, 3, 40};
	static char piece[PIECE_MAX];
	struct world *w = &run->world;
	int most = MOST[w_below(w, 3)], often = OFTEN[w_below(w, 3)], n_between = 0;
	uint64_t at = 0, bytes = hf_backup_bytes(backup), revision = run->model.revision;
	ssize_t n = 1;
	while (n > 0) {
		if (between && n_between < BETWEEN_MAX && w_chance(w, often)) {
			n_between++;
			between(run);
		}
		n = hf_backup_read(backup, piece, piece_size(w, at, bytes - at, most));
		if (n < 0 || write(fd, piece, (size_t)n) != n)
			c_fail(run, "the backup cannot be read, or not written, at %" PRIu64, at);
		at += (uint64_t)n;
	}
	if (at != bytes)
		c_fail(run, "the backup has %" PRIu64 " bytes, expected %" PRIu64, at, bytes);
	seen.backups_between += run->model.revision != revision;
	return n_between > 0;
}

static void take_backup(struct run *run, int i, void (*between)(struct run *run)) {
	struct hf_backup *backup;
	struct hf_why why = {""};
	struct stat before = age_file(run);
	int fd = open(backup_file(run, i), O_WRONLY | O_CREAT | O_TRUNC, 0640);
	say(run, "backup %d", i);
	if (fd < 0 || hf_backup_open(run->f.store, &why, &backup))
		c_fail(run, "the backup cannot be begun: %s", why.text);
	m_copy(&run->kept[i], &run->model);
	if (hf_backup_meta(backup)->revision != run->model.revision)
		c_fail(run, "the backup is of revision %" PRIu64, hf_backup_meta(backup)->revision);
	if (!read_backup(run, backup, fd, between))
		check_file(run, &before, false);
	hf_backup_close(backup);
	close(fd);
	seen.backups++;
}

void do_backup(struct run *run, void (*between)(struct run *run)) {
	int i = w_below(&run->world, RUN_BACKUPS);
	bool plain = w_chance(&run->world, 25);
	if (plain)
		copy_file(run, i);
	else
		take_backup(run, i, between);
	note_backup(run, i, plain);
}

/* Nothing that was given before a restore may be given after it. */
static void raise_floor(struct run *run) {
	const struct model *m = &run->model;
	if (m->revision > run->revision)
		run->revision = m->revision;
	for (int z = 0; z < M_ZONES; z++)
		if (m->zones[z].epoch > run->epochs[z])
			run->epochs[z] = m->zones[z].epoch;
}

static void check_floor(struct run *run) {
	const struct model *m = &run->model;
	bool above = m->revision > run->revision;
	for (int z = 0; z < M_ZONES; z++)
		above = above && (m->zones[z].epoch == 0 || m->zones[z].epoch > run->epochs[z]);
	if (!above)
		c_fail(run, "revisions or zone epochs from before the restore come again");
}

/* The old data are kept aside; sometimes they become a backup: so a restore is undone. */
static void keep_aside(struct run *run, const struct hf_restore *r, int restored, bool gone) {
	int i = w_below(&run->world, RUN_BACKUPS);
	if ((r->aside[0] == '\0') != gone)
		c_fail(run, "the old data are aside as \"%s\"", r->aside);
	if (gone)
		return;
	if (i == restored || !w_chance(&run->world, 40)) {
		unlink(r->aside);
		return;
	}
	if (rename(r->aside, backup_file(run, i)) != 0)
		c_fail(run, "%s is not there", r->aside);
	m_copy(&run->kept[i], &run->model);
	note_backup(run, i, true);
	say(run, "; the old data become backup %d", i);
}

static void check_told(struct run *run, const struct hf_restore *r, const struct model *kept) {
	const struct model *m = &run->model;
	uint64_t leases = 0;
	for (int who = 0; who < M_IDENTITIES; who++)
		leases += kept->leases[who].exists;
	if (r->backup.revision != kept->revision || r->backup.store_epoch != kept->store_epoch || r->counts.leases != leases)
		c_fail(run, "the backup is of revision %" PRIu64 " with %" PRIu64 " leases, expected %" PRIu64 " and %" PRIu64,
		       r->backup.revision, r->counts.leases, kept->revision, leases);
	if (r->meta.revision != m->revision || r->meta.store_epoch != m->store_epoch)
		c_fail(run, "restored: revision %" PRIu64 " of store epoch %" PRIu64 ", expected %" PRIu64 " of %" PRIu64,
		       r->meta.revision, r->meta.store_epoch, m->revision, m->store_epoch);
	if (access(file_of(run, "restoring", 0), F_OK) == 0)
		c_fail(run, "a directory is left of the restore");
}

static void restore(struct run *run, int i) {
	struct world *w = &run->world;
	struct hf_restore r = {.file = backup_file(run, i), .dir = run->f.dir, .clock = run->f.options.clock};
	struct hf_why why = {""};
	bool gone = w_chance(w, 15); /* the data are lost: only who saw the epoch can tell it */
	if (gone || w_chance(w, 25))
		r.store_epoch = run->model.store_epoch + (uint64_t)w_below(w, 3) + gone;
	say(run, "restore backup %d, epoch %" PRIu64 "%s", i, r.store_epoch, gone ? ", the data are gone" : "");
	raise_floor(run);
	fixture_close(&run->f);
	if (gone)
		unlink(data_file(run));
	if (hf_restore(&r, &why))
		c_fail(run, "restore: %s", why.text);
	keep_aside(run, &r, i, gone);
	m_restore(&run->model, &run->kept[i], r.store_epoch, run->f.now_ms);
	check_floor(run);
	check_told(run, &r, &run->kept[i]);
	fixture_open(&run->f);
	replay_begin(run);
	run->model.n_worn = 0;
	m_reopened(&run->model, run->f.monotonic_ms);
	seen.restores++;
	seen.restores_stated += r.store_epoch > 0 && run->model.store_epoch == r.store_epoch;
}

void do_restore(struct run *run) {
	int i = w_below(&run->world, RUN_BACKUPS);
	bool older = false;
	if (!run->backups[i].taken)
		return;
	for (int k = 0; k < RUN_BACKUPS; k++)
		older = older || run->backups[k].number > run->backups[i].number;
	seen.restores_older += older;
	seen.restores_plain += run->backups[i].plain;
	seen.restores_again += run->kept[i].store_epoch < run->model.store_epoch;
	returns_note(&run->model);
	restore(run, i);
	check_meta(run);
	c_all(run);
	do_returns(run);
	c_all(run);
	if (run->model.met.broken)
		c_fail(run, "a lost address was given to another, or would be soon");
}
