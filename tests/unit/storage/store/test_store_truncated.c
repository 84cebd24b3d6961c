/* A database file that ends too early: refused in words, never a SIGBUS, unless nothing that counts was lost. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/store/open.h"
#include "storage/store/upkeep.h"
#include "tests/unit/support.h"

#define PAGE 4096

static struct fixture f;
static char path[160], *image; /* of data.mdb */
static off_t size;

static void setup(void) {
	fixture_dir(&f);
	snprintf(path, sizeof path, "%s/data.mdb", f.dir);
	fixture_open(&f);
}

static void teardown(void) {
	free(image);
	fixture_remove(&f);
}

TestSuite(store_truncated, .init = setup, .fini = teardown, .timeout = 600);

static void write_services(int from, int to, bool purge) {
	struct hf_batch *batch;
	cr_assert_eq(hf_upkeep_begin(f.store, NULL, &batch), HF_OK);
	for (int i = from; i < to; i++) {
		char name[16];
		snprintf(name, sizeof name, "s%d", i);
		struct hf_acquire a = acquire_request(identity("east", "default", name), name);
		struct hf_release r = {.want.id = a.want.id, .want.purge = true};
		hf_acquire_begin(&a);
		hf_release_begin(&r);
		struct hf_write *write = purge ? &r.write : &a.write;
		cr_assert_eq(write->apply(batch, write, NULL), HF_OK);
	}
	cr_assert_eq(hf_upkeep_commit(batch, NULL), HF_OK);
}

/* A pool whose record fills several pages. */
static void put_large_pool(void) {
	POOL_PUT_REQUEST put = pool_request("large", "fd00::/64", "", 3600);
	for (int i = 0; i < 128; i++) {
		struct hf_addr a = {addr("fd00::").n + 16 * (unsigned)i};
		add_range(&put.config.reserved, (struct hf_range){a, {a.n + 3}});
	}
	for (int i = 0; i < HF_POOL_SELECTOR_MAX; i++)
		memset(put.config.zones.names[put.config.zones.n++], 'a' + i % 26, HF_NAME_MAX);
	cr_assert_eq(commit(&f, &put.write), HF_OK, "%s", put.write.why.text);
}

static void keep_image(void) {
	struct stat st;
	fixture_close(&f);
	int fd = open(path, O_RDONLY);
	cr_assert(fd >= 0 && fstat(fd, &st) == 0);
	size = st.st_size;
	image = malloc((size_t)size);
	cr_assert_eq(read(fd, image, (size_t)size), size);
	close(fd);
}

/* Opens the image cut at `len` bytes. True: it opened, and all that it held is there, and it can be written. */
static bool opens_whole(off_t len, const struct hf_digest *want) {
	struct hf_why why = {""};
	char lock[200];
	snprintf(lock, sizeof lock, "%s/holdfast.lock", f.dir);
	unlink(lock); /* or the image is an older copy of what was written last */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, image, (size_t)len), len);
	close(fd);
	enum hf_err err = hf_store_open(f.dir, &f.options, &why, &f.store);
	if (err) {
		struct stat st;
		cr_expect_eq(err, HF_E_CORRUPT, "cut at %lld: %s, %s", (long long)len, hf_err_slug(err), why.text);
		cr_expect(strstr(why.text, "data.mdb"), "cut at %lld: says \"%s\"", (long long)len, why.text);
		cr_expect(stat(path, &st) == 0 && st.st_size == len, "cut at %lld: the file was altered", (long long)len);
		return false;
	}
	cr_assert_eq(hf_reader_open(f.store, NULL, &f.reader), HF_OK);
	struct hf_digest got = fixture_digest(&f);
	cr_expect(hf_digest_equal(&got, want), "cut at %lld: it opened, and something is missing", (long long)len);
	write_services(100000, 100100, false);
	fixture_close(&f);
	return true;
}

Test(store_truncated, a_file_cut_at_any_page_is_refused_or_whole) {
	put_large_pool();
	for (int i = 0; i < 6; i++)
		write_services(100 * i, 100 * i + 100, false);
	write_services(50, 550, true);
	struct hf_digest want = fixture_digest(&f);
	keep_image();
	int refused = 0;
	for (off_t len = size; len >= PAGE; len -= PAGE)
		refused += !opens_whole(len, &want);
	cr_expect(refused > 10, "%d of %lld cuts were refused", refused, (long long)(size / PAGE));
	cr_expect(opens_whole(size, &want));
}

Test(store_truncated, a_file_cut_inside_a_page_is_refused_or_whole) {
	write_services(0, 100, false);
	for (int i = 0; i < 12; i++) /* single pages become free, so that pages in a row are found at the file's end alone */
		write_services(100 + i, 101 + i, false);
	put_large_pool();
	struct hf_digest want = fixture_digest(&f);
	keep_image();
	static const off_t offsets[] = {1, 15, 16, 17, 100, 152, 200, 1000, 2048, 3000, 4000, 4090, 4095};
	for (off_t page = 0; page < size; page += PAGE)
		for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
			opens_whole(page + offsets[i], &want);
}

Test(store_truncated, a_lost_tail_of_free_pages_is_no_damage) {
	fixture_close(&f);
	f.options.changes_max = 100;
	fixture_open(&f);
	write_services(0, 3000, false);
	write_services(0, 3000, true);
	f.now_ms += (int64_t)91 * 24 * 3600 * 1000; /* the history goes too, a part with each batch */
	for (int i = 0; i < 30; i++)		    /* move what lives to the pages that became free */
		write_services(i, i + 1, false);
	struct hf_digest want = fixture_digest(&f);
	keep_image();
	off_t len = size;
	while (len > PAGE && opens_whole(len - PAGE, &want))
		len -= PAGE;
	cr_expect(len < size, "the last of %lld pages is in use", (long long)(size / PAGE));
}
