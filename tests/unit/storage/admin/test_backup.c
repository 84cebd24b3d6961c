/* A backup while the store is written, how it ends, and what tells a whole one from a cut one. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/admin/backup.h"
#include "storage/store/open.h"
#include "storage/store/upkeep.h"
#include "tests/unit/support.h"

static struct fixture f;
static char path[160];

static void setup(void) {
	fixture_dir(&f);
	fixture_open(&f);
	snprintf(path, sizeof path, "%s/backup", f.dir);
	acquire_services(&f, 0, 500);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(backup, .init = setup, .fini = teardown);

/* Reads a backup to its end into the file, in pieces of at most `piece` bytes; writes to the store after each `between` pieces. */
static uint64_t take(struct hf_backup *backup, size_t piece, int between) {
	static char buffer[1 << 20];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640), pieces = 0;
	uint64_t bytes = 0;
	ssize_t n;
	cr_assert(fd >= 0);
	while ((n = hf_backup_read(backup, buffer, piece)) > 0) {
		cr_assert_eq(write(fd, buffer, (size_t)n), n);
		bytes += (uint64_t)n;
		if (between && ++pieces % between == 0)
			acquire_services(&f, 1000 + pieces, 1001 + pieces);
	}
	cr_assert_eq(n, 0);
	close(fd);
	return bytes;
}

static uint64_t leases_in_backup(void) {
	struct hf_why why = {""};
	struct hf_store *store;
	struct hf_txn *reader;
	cr_assert_eq(hf_store_open_read(path, &why, &store), HF_OK, "%s", why.text);
	cr_assert_eq(hf_reader_open(store, NULL, &reader), HF_OK);
	cr_assert_eq(hf_reader_begin(reader, NULL), HF_OK);
	uint64_t n = hf_txn_count(reader, HF_LEASES);
	hf_reader_close(reader);
	hf_store_close(store);
	return n;
}

Test(backup, is_of_the_snapshot_it_began_with) {
	static const size_t pieces[] = {1 << 20, 4096, 1000, 7};
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct hf_backup *backup;
		enum hf_backup_kind kind;
		uint64_t database;
		cr_assert_eq(hf_backup_open(f.store, NULL, &backup), HF_OK);
		uint64_t want = hf_backup_meta(backup)->revision - 3;
		cr_expect_eq(take(backup, pieces[i], pieces[i] > 100 ? 10 : 10000), hf_backup_bytes(backup));
		hf_backup_close(backup);
		cr_assert_eq(hf_backup_check(path, NULL, &kind, &database), HF_OK);
		cr_expect_eq(kind, HF_BACKUP_WHOLE);
		cr_expect_eq(leases_in_backup(), want, "pieces of %zu", pieces[i]);
	}
	verify_clean(&f, "after backups");
}

Test(backup, ends_when_it_expires) {
	char piece[4096];
	struct hf_backup *backup;
	cr_assert_eq(hf_backup_open(f.store, NULL, &backup), HF_OK);
	cr_assert_eq(hf_backup_read(backup, piece, sizeof piece), (ssize_t)sizeof piece);
	hf_backup_expire(backup);
	cr_assert_eq(hf_backup_read(backup, piece, sizeof piece), -1);
	hf_backup_expire(backup);
	hf_backup_close(backup);
	/* No snapshot is held back: what is freed is used again, and the file stays as it is. */
	uint64_t before, after, map;
	hf_store_size(f.store, &before, &map);
	for (int i = 0; i < 50; i++) {
		char version[16];
		snprintf(version, sizeof version, "%d", i);
		struct hf_acquire a = acquire_request(identity("east", "default", "s1"), version);
		cr_assert_eq(acquire(&f, &a), HF_OK);
	}
	hf_store_size(f.store, &after, &map);
	cr_expect_leq(after, before + 32 * 4096);
}

Test(backup, marks_are_taken_off) {
	struct hf_backup *backup;
	enum hf_backup_kind kind;
	uint64_t database;
	struct hf_why why = {""};
	cr_assert_eq(hf_backup_open(f.store, NULL, &backup), HF_OK);
	take(backup, 65536, 0);
	hf_backup_close(backup);
	cr_expect(hf_backup_is_marked(path));
	cr_assert_eq(hf_backup_unmark(path, NULL), HF_OK);
	cr_expect(!hf_backup_is_marked(path));
	cr_assert_eq(hf_backup_check(path, NULL, &kind, &database), HF_OK);
	cr_expect_eq(kind, HF_BACKUP_NONE);
	cr_expect_eq(hf_backup_check("/nowhere", &why, &kind, &database), HF_E_DATA_DIR);
	cr_expect(strstr(why.text, "No such file"));
}
