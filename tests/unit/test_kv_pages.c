/* The walk over an LMDB file's pages, on a file made by hand. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/kv_pages.h"

#define PAGE 512
#define PAGES 9

/* Pages 0 and 1: meta. 2: a branch over the leaves 3 and 4. 3: one value on the pages 5 to 7. 4: a tree whose root is 8, a leaf. */
static uint8_t image[PAGES * PAGE];

static void put(size_t at, uint64_t value, size_t width_bytes) { memcpy(image + at, &value, width_bytes); }

static void put_page(uint64_t number, unsigned flags, uint64_t nodes) {
	put(number * PAGE, number, 8);
	put(number * PAGE + 10, flags, 2);
	put(number * PAGE + 12, 16 + 2 * nodes, 2);
}

/* The node's size (or child), flags and a key of one byte, at `at` in the page. */
static void put_node(uint64_t page, int i, size_t at, uint32_t size, unsigned flags) {
	put(page * PAGE + 16 + 2 * (size_t)i, at, 2);
	put(page * PAGE + at, size, 4);
	put(page * PAGE + at + 4, flags, 2);
	put(page * PAGE + at + 6, 1, 2);
	image[page * PAGE + at + 8] = 'k';
}

static void make_image(void) {
	memset(image, 0, sizeof image);
	for (size_t meta = 0; meta < 2; meta++) {
		put_page(meta, 8, 0);
		put(meta * PAGE + 16, 0xBEEFC0DE, 4);
		put(meta * PAGE + 40, PAGE, 4);
		put(meta * PAGE + 136, PAGES - 1, 8);			 /* the last page */
		put(meta * PAGE + 80, ~(uint64_t)0, 8);			 /* the root of the free pages: none */
		put(meta * PAGE + 128, meta == 1 ? 2 : ~(uint64_t)0, 8); /* the main root */
		put(meta * PAGE + 144, meta, 8);			 /* the transaction: the second is the newer */
	}
	put_page(2, 1, 2);
	put_node(2, 0, 100, 3, 0);
	put_node(2, 1, 200, 4, 0);
	put_page(3, 2, 1);
	put_node(3, 0, 100, 3 * PAGE - 16, 1);
	put(3 * PAGE + 109, 5, 8);
	put(5 * PAGE, 5, 8);
	put(5 * PAGE + 10, 4, 2);
	put(5 * PAGE + 12, 3, 4);
	put_page(4, 2, 1);
	put_node(4, 0, 100, 48, 2);
	put(4 * PAGE + 109 + 40, 8, 8);
	put_page(8, 2, 1);
	put_node(8, 0, PAGE - 10, 1, 0);
}

static bool is_whole(size_t len, uint64_t *ret_page) {
	int fd = memfd_create("image", 0);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, image, len), (ssize_t)len);
	struct hf_kv_meta meta;
	struct hf_kv_damage damage = {0, NULL};
	bool whole = hf_kv_meta_read(fd, HF_KV_ANY_TXN, &meta) && hf_kv_pages_whole(fd, &meta, &damage);
	cr_expect(whole || !damage.what || damage.what[0]);
	*ret_page = damage.page;
	close(fd);
	return whole;
}

Test(kv_pages, a_whole_file_is_whole) {
	uint64_t page;
	make_image();
	cr_assert(is_whole(sizeof image, &page));
}

Test(kv_pages, a_file_cut_before_a_page_in_use_is_not_whole) {
	uint64_t page;
	make_image();
	for (size_t len = 0; len < sizeof image; len++)
		cr_expect(!is_whole(len, &page), "cut at %zu", len);
}

Test(kv_pages, the_last_page_of_a_large_value_counts) {
	uint64_t page;
	make_image();
	put(4 * PAGE + 109 + 40, ~(uint64_t)0, 8); /* page 8 is of no use now */
	cr_assert(is_whole(8 * PAGE, &page));
	cr_assert(!is_whole(7 * PAGE, &page));
	cr_assert_eq(page, 7);
	cr_assert(!is_whole(8 * PAGE - 1, &page));
	cr_assert_eq(page, 7);
}

Test(kv_pages, the_older_meta_page_does_not_count) {
	uint64_t page;
	make_image();
	put(144, 7, 8); /* the first is the newer now, and its trees are empty */
	cr_assert(is_whole(2 * PAGE, &page));
}

static const struct {
	const char *name;
	uint64_t page; /* that is wrong */
	size_t at;     /* in it */
	uint64_t value;
	size_t width_bytes;
} DAMAGES[] = {
	{"a page of zeros", 3, 0, 0, 8},
	{"another page's number", 8, 0, 4, 8},
	{"neither branch nor leaf", 4, 10, 4, 2},
	{"more nodes than a page holds", 4, 12, PAGE + 2, 2},
	{"fewer than none", 4, 12, 14, 2},
	{"a node in the header", 4, 16, 10, 2},
	{"a node behind the page", 4, 16, PAGE - 4, 2},
	{"a key behind the page", 4, 106, PAGE, 2},
	{"a value behind the page", 8, PAGE - 10, 2, 4},
	{"a tree of another size", 4, 100, 47, 4},
	{"a root behind the file", 4, 149, 9, 8},
	{"a root far behind the file", 4, 149, ~(uint64_t)0 - 1, 8},
	{"a child behind the file", 2, 100, 9, 4},
	{"a child that is its parent", 2, 100, 2, 4},
	{"a large value that is none", 5, 10, 2, 2},
	{"too few pages for a large value", 5, 12, 2, 4},
	{"more pages than the file", 5, 12, 5, 4},
	{"very many pages", 5, 12, 0xffffffff, 4},
};

Test(kv_pages, a_damaged_page_is_found) {
	for (size_t i = 0; i < sizeof DAMAGES / sizeof *DAMAGES; i++) {
		uint64_t page;
		make_image();
		put(DAMAGES[i].page * PAGE + DAMAGES[i].at, DAMAGES[i].value, DAMAGES[i].width_bytes);
		cr_expect(!is_whole(sizeof image, &page), "%s", DAMAGES[i].name);
	}
}

/* The tree of free pages is page 4 now, and its one value lists the pages. */
static void make_free_list(uint64_t n, const uint64_t *pages) {
	make_image();
	put(PAGE + 80, 4, 8);
	put(PAGE + 128, ~(uint64_t)0, 8);
	put(4 * PAGE + 100, (n + 1) * 8, 4);
	put(4 * PAGE + 104, 0, 2);
	put(4 * PAGE + 109, n, 8);
	for (uint64_t i = 0; i < n; i++)
		put(4 * PAGE + 117 + 8 * i, pages[i], 8);
}

Test(kv_pages, a_page_is_in_use_or_free_and_only_once) {
	static const struct {
		const char *name;
		uint64_t free[2];
		bool whole;
	} rows[] = {
		{"two pages of no tree", {6, 5}, true}, {"a page that is in use", {6, 4}, false},
		{"one page twice", {6, 6}, false},	{"a page behind the last", {PAGES, 5}, false},
		{"a meta page", {6, 1}, false},
	};
	uint64_t page;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		make_free_list(2, rows[i].free);
		cr_expect_eq(is_whole(sizeof image, &page), rows[i].whole, "%s", rows[i].name);
	}
	make_free_list(1, rows[0].free);
	put(4 * PAGE + 109, 2, 8); /* more than there are */
	cr_expect(!is_whole(sizeof image, &page));
}

Test(kv_pages, a_meta_page_is_found_by_its_transaction) {
	struct hf_kv_meta meta;
	uint8_t page[PAGE];
	make_image();
	int fd = memfd_create("image", 0);
	cr_assert_eq(write(fd, image, sizeof image), (ssize_t)sizeof image);
	cr_assert(hf_kv_meta_read(fd, 1, &meta));
	cr_assert_eq(meta.txn_id, 1);
	cr_assert_eq(meta.pages, PAGES);
	cr_assert(!hf_kv_meta_read(fd, 2, &meta));
	hf_kv_meta_page(&meta, 0, page);
	cr_assert_eq(page[0], 0);
	cr_assert_eq(memcmp(page + 16, image + PAGE + 16, HF_KV_META_BYTES - 16), 0);
	close(fd);
}
