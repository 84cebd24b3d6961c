/* Opening a data directory: ours, somebody else's, damaged, or in use. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/disk/lmdb_file.h"
#include "storage/store/open.h"
#include "storage/store/upkeep.h"
#include "tests/unit/support.h"

static struct fixture f;
static char path[160];	    /* of data.mdb */
static char lock_path[160]; /* of holdfast.lock */

static void setup(void) {
	fixture_dir(&f);
	snprintf(path, sizeof path, "%s/data.mdb", f.dir);
	snprintf(lock_path, sizeof lock_path, "%s/holdfast.lock", f.dir);
}

static void teardown(void) { fixture_remove(&f); }

TestSuite(store, .init = setup, .fini = teardown, .timeout = 600);

/* Tries to open; whatever is opened is closed again. */
static enum hf_err try_open(const char *dir, struct hf_why *why) {
	struct hf_store *store = NULL;
	*why = (struct hf_why){""};
	enum hf_err err = hf_store_open(dir, &f.options, why, &store);
	hf_store_close(store);
	return err;
}

static void expect_refusal(const char *name, const char *dir, enum hf_err want, const char *words) {
	struct hf_why why;
	enum hf_err err = try_open(dir, &why);
	cr_expect_eq(err, want, "%s: %s, %s", name, hf_err_slug(err), why.text);
	cr_expect(strstr(why.text, words), "%s: says \"%s\"", name, why.text);
}

static void write_file(const void *data, size_t len) {
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, data, len), (ssize_t)len);
	close(fd);
}

Test(store, a_new_store_has_kumas_default_pools) {
	static const struct {
		const char *name, *first;
	} pools[] = {{"meshservice", "241.0.0.0"}, {"meshexternalservice", "242.0.0.0"}, {"meshmultizoneservice", "243.0.0.0"}};
	fixture_open(&f);
	cr_assert_eq(hf_reader_begin(f.reader, NULL), HF_OK);
	struct hf_meta meta = hf_meta_read(f.reader);
	cr_assert_eq(meta.revision, 3);
	cr_assert_eq(meta.store_epoch, 1);
	for (size_t i = 0; i < 3; i++) {
		HF_POOL pool = {.id = 0};
		cr_assert_eq(hf_pool_read(f.reader, pools[i].name, NULL, &pool), HF_OK);
		cr_assert_eq(pool.config.cidrs.at[0].first.n, addr(pools[i].first).n);
		cr_assert_eq(hf_range_size(pool.config.cidrs.at[0]), 1 << 24);
		cr_assert_eq(pool.config.kinds, 1u << (i + 1));
		cr_assert_eq(pool.config.quarantine_seconds, 3600);
	}
	hf_reader_end(f.reader);
}

Test(store, reopening_keeps_everything) {
	fixture_open(&f);
	acquire_services(&f, 0, 50);
	cr_assert_eq(release(&f, identity("east", "default", "s7"), false, NULL), HF_OK);
	struct hf_digest before = fixture_digest(&f);
	fixture_close(&f);
	f.options.quarantine_seconds = 1; /* of new stores only */
	fixture_open(&f);
	struct hf_digest after = fixture_digest(&f);
	cr_assert(hf_digest_equal(&before, &after));
	struct hf_acquire back = acquire_request(identity("east", "default", "s7"), "s7");
	cr_assert_eq(acquire(&f, &back), HF_OK);
	cr_assert_eq(back.outcome, HF_RESTORED);
	cr_assert_str_eq(vip_text(&back.lease, 0), "241.0.0.7");
	struct hf_acquire next = acquire_request(identity("east", "default", "next"), "");
	cr_assert_eq(acquire(&f, &next), HF_OK);
	cr_assert_str_eq(vip_text(&next.lease, 0), "241.0.0.50", "the cursor lasts");
}

Test(store, a_second_opening_is_refused_until_the_first_is_closed) {
	struct hf_why why;
	fixture_open(&f);
	expect_refusal("open twice", f.dir, HF_E_LOCKED, f.dir);
	char pid[32];
	snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
	expect_refusal("open twice", f.dir, HF_E_LOCKED, pid);
	acquire_services(&f, 0, 1);
	fixture_close(&f);
	cr_assert_eq(try_open(f.dir, &why), HF_OK, "%s", why.text);
}

Test(store, a_directory_that_cannot_be_used_is_refused) {
	char dir[192];
	snprintf(dir, sizeof dir, "%s/missing/data", f.dir);
	expect_refusal("missing parent", dir, HF_E_DATA_DIR, "No such file or directory");
	snprintf(dir, sizeof dir, "%s/file", f.dir);
	cr_assert_eq(mknod(dir, S_IFREG | 0640, 0), 0);
	expect_refusal("a file", dir, HF_E_DATA_DIR, "is not a directory");
	snprintf(dir, sizeof dir, "%s/file/data", f.dir);
	expect_refusal("below a file", dir, HF_E_DATA_DIR, "Not a directory");
	snprintf(dir, sizeof dir, "%s/new", f.dir);
	struct hf_why why;
	cr_assert_eq(try_open(dir, &why), HF_OK, "the last part is made: %s", why.text);
}

Test(store, an_unwritable_directory_is_refused) {
	bool root = geteuid() == 0; /* who writes everywhere */
	cr_assert_eq(root ? seteuid(65534) : chmod(f.dir, 0550), 0);
	expect_refusal("unwritable", f.dir, HF_E_DATA_DIR, "is not writable");
	cr_assert_eq(root ? seteuid(0) : chmod(f.dir, 0750), 0);
}

static void patch_format(struct hf_slice format) {
	struct hf_env *env;
	struct hf_txn *txn;
	fixture_open(&f);
	fixture_close(&f);
	cr_assert_eq(hf_env_open(f.dir, f.options.map_size_bytes, NULL, &env), HF_OK);
	cr_assert_eq(hf_txn_begin(env, NULL, &txn), HF_OK);
	if (format.len)
		hf_txn_put(txn, HF_META, (struct hf_slice){"format", 6}, format);
	else
		hf_txn_del(txn, HF_META, (struct hf_slice){"format", 6});
	cr_assert_eq(hf_txn_commit(txn, NULL), HF_OK);
	hf_env_close(env);
}

static const struct {
	const char *name;
	struct hf_slice format;
	enum hf_err err;
	const char *words;
} FORMATS[] = {
	{"the next format", {"\0\0\0\5", 4}, HF_E_NEWER_FORMAT, "format 5, from a newer Holdfast; this one reads up to 4"},
	{"a far format", {"\377\377\377\377", 4}, HF_E_NEWER_FORMAT, "format 4294967295"},
	{"zero", {"\0\0\0\0", 4}, HF_E_CORRUPT, "damaged"},
	{"too short", {"\0\0\1", 3}, HF_E_CORRUPT, "damaged"},
	{"too long", {"\0\0\0\1\0", 5}, HF_E_CORRUPT, "damaged"},
	{"none", {"", 0}, HF_E_CORRUPT, "does not say its format"},
	{"ours", {"\0\0\0\2", 4}, HF_OK, ""},
};

Test(store, another_format_is_refused_and_left_alone) {
	for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
		patch_format(FORMATS[i].format);
		expect_refusal(FORMATS[i].name, f.dir, FORMATS[i].err, FORMATS[i].words);
		expect_refusal(FORMATS[i].name, f.dir, FORMATS[i].err, FORMATS[i].words); /* nothing was repaired */
		unlink(path);
		unlink(lock_path);
	}
}

Test(store, a_file_that_is_no_database_is_refused) {
	static char garbage[3 * 4096];
	expect_refusal("nothing yet", f.dir, HF_OK, "");
	write_file("", 0);
	expect_refusal("no bytes", f.dir, HF_E_CORRUPT, "data.mdb is empty");
	write_file(garbage, sizeof garbage);
	expect_refusal("zeros", f.dir, HF_E_CORRUPT, "data.mdb is not a database");
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (char)(i * 7919 >> 3);
	write_file(garbage, sizeof garbage);
	expect_refusal("garbage", f.dir, HF_E_CORRUPT, "data.mdb is not a database");
	write_file("SQLite format 3", 15);
	expect_refusal("a few bytes", f.dir, HF_E_CORRUPT, "data.mdb is not a database");
}

/* Another program's LMDB environment, with an entry in its main table or a table of that name. */
static void make_foreign(const char *table, const char *key) {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = {strlen(key), (void *)key}, v = {5, "value"};
	cr_assert_eq(mdb_env_create(&env), 0);
	cr_assert_eq(mdb_env_set_maxdbs(env, 4), 0);
	cr_assert_eq(mdb_env_open(env, f.dir, 0, 0640), 0);
	cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	cr_assert_eq(mdb_dbi_open(txn, table, table ? MDB_CREATE : 0, &dbi), 0);
	cr_assert_eq(mdb_put(txn, dbi, &k, &v, 0), 0);
	cr_assert_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

Test(store, somebody_elses_database_is_refused) {
	static const struct {
		const char *name, *table, *key, *words;
	} foreign[] = {
		{"entries in the main table", NULL, "key", "this is not a Holdfast store"},
		{"an entry named as a table of ours", NULL, "meta", "cannot be read"},
		{"a table of theirs", "theirs", "key", "table \"meta\" is missing: this is not a Holdfast store"},
		{"a table named as one of ours", "meta", "key", "table \"leases\" is missing"},
	};
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		make_foreign(foreign[i].table, foreign[i].key);
		expect_refusal(foreign[i].name, f.dir, HF_E_CORRUPT, foreign[i].words);
		unlink(path);
	}
}

static void put_meta(struct hf_slice key, struct hf_slice value) {
	struct hf_batch *batch;
	fixture_open(&f);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	hf_txn_put(hf_batch_txn(batch), HF_META, key, value);
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
	fixture_close(&f);
}

Test(store, a_damaged_store_record_is_reported) {
	put_meta((struct hf_slice){"store", 5}, (struct hf_slice){"\1short", 6});
	expect_refusal("a short record", f.dir, HF_E_CORRUPT, "the store's record is missing or damaged");
}

Test(store, a_feed_that_does_not_end_at_the_revision_is_reported) {
	struct hf_batch *batch;
	static const uint8_t last[] = {0, 0, 0, 0, 0, 0, 0, 3};
	fixture_open(&f);
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	hf_txn_del(hf_batch_txn(batch), HF_CHANGES, (struct hf_slice){last, sizeof last});
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
	fixture_close(&f);
	expect_refusal("the last change is missing", f.dir, HF_E_CORRUPT, "the last change is not the store's revision");
}

/* While a commit is being flushed its meta page can be seen, but does not count yet. */
Test(store, all_pages_are_looked_at_without_a_second_reader_while_a_commit_is_flushed) {
	enum { SLOTS = 1024 };
	static struct hf_txn *readers[SLOTS];
	struct hf_lmdb_meta meta;
	struct hf_why why = {""};
	uint8_t before[HF_LMDB_PAGE_MAX], flushed[HF_LMDB_PAGE_MAX];
	int n = 0;
	fixture_open(&f);
	while (n < SLOTS && hf_reader_open(f.store, NULL, &readers[n]) == HF_OK)
		n++;
	cr_assert_lt(n, SLOTS, "a reader was to be refused");
	int fd = open(path, O_RDWR | O_CLOEXEC);
	cr_assert(fd >= 0 && hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &meta));
	uint64_t next = meta.txn_id + 1;
	off_t at = (off_t)(next % 2 * meta.page_bytes);
	cr_assert_eq(pread(fd, before, meta.page_bytes, at), (ssize_t)meta.page_bytes);
	hf_lmdb_meta_page(&meta, (int)(next % 2), flushed);
	memcpy(flushed + HF_LMDB_META_BYTES - sizeof next, &next, sizeof next);
	cr_assert_eq(pwrite(fd, flushed, meta.page_bytes, at), (ssize_t)meta.page_bytes);
	cr_expect_eq(hf_txn_check_pages(f.reader, &why), HF_OK, "%s", why.text);
	cr_assert_eq(pwrite(fd, before, meta.page_bytes, at), (ssize_t)meta.page_bytes);
	close(fd);
	while (n > 0)
		hf_reader_close(readers[--n]);
}
