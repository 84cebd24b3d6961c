/* The walk over an LMDB file's pages, on a file made by hand. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/disk/lmdb_file.h"

#define PAGE 512
#define PAGES 13
#define NONE (~(uint64_t)0)
enum { BRANCH = 1, LEAF = 2, LARGE = 4, META = 8 };
enum { BIG_DATA = 1, SUB_TREE = 2, MANY_VALUES = 4 };

/* Pages 0 and 1: meta. 2: a branch of the main tree over the leaves 3 and 4. 3: one value on the pages 5 to 7. 4: two tables, "n"
 * whose root is 8, a leaf of two entries, and "o" that is empty. The tree of free pages has a branch, 10, over the leaves 9 and 12,
 * which list no page. Page 11 is of no use. */
static uint8_t image[PAGES * PAGE];
static size_t upper; /* of the page at hand */

static void put(size_t at, uint64_t value, size_t width_bytes) { memcpy(image + at, &value, width_bytes); }

static void put_page(uint64_t number, unsigned flags) {
	memset(image + number * PAGE, 0, PAGE);
	put(number * PAGE, number, 8);
	put(number * PAGE + 10, flags, 2);
	put(number * PAGE + 12, 16, 2);
	put(number * PAGE + 14, upper = PAGE, 2);
}

/* Another node of the page, in front of those that it has; returns where its data is to be put. */
static size_t put_node(uint64_t page, uint32_t size, unsigned flags, const void *key, size_t key_bytes, size_t data_bytes) {
	size_t lower;
	memcpy(&lower, image + page * PAGE + 12, 2);
	lower &= 0xffff;
	upper -= (8 + key_bytes + data_bytes + 1) & ~(size_t)1;
	put(page * PAGE + lower, upper, 2);
	put(page * PAGE + 12, lower + 2, 2);
	put(page * PAGE + 14, upper, 2);
	size_t at = page * PAGE + upper;
	put(at, size, 4);
	put(at + 4, flags, 2);
	put(at + 6, key_bytes, 2);
	memcpy(image + at + 8, key, key_bytes);
	return at + 8 + key_bytes;
}

/* Where a node lies in the image. */
static size_t node_at(uint64_t page, size_t i) {
	uint16_t at;
	memcpy(&at, image + page * PAGE + 16 + 2 * i, sizeof at);
	return page * PAGE + at;
}

static void put_tree(size_t at, uint64_t depth, uint64_t branches, uint64_t leaves, uint64_t large, uint64_t entries,
		     uint64_t root) {
	put(at + 6, depth, 2);
	put(at + 8, branches, 8);
	put(at + 16, leaves, 8);
	put(at + 24, large, 8);
	put(at + 32, entries, 8);
	put(at + 40, root, 8);
}

static void put_metas(void) {
	for (size_t meta = 0; meta < 2; meta++) {
		put_page(meta, META);
		put(meta * PAGE + 16, 0xBEEFC0DE, 4);
		put(meta * PAGE + 40, PAGE, 4);
		put(meta * PAGE + 44, 8, 2); /* keys of free pages are integers */
		put_tree(meta * PAGE + 40, 0, 0, 0, 0, 0, NONE);
		put_tree(meta * PAGE + 88, 0, 0, 0, 0, 0, NONE);
		put(meta * PAGE + 136, PAGES - 1, 8); /* the last page */
		put(meta * PAGE + 144, meta + 4, 8);  /* the transaction: the second is the newer */
	}
	put_tree(PAGE + 40, 2, 1, 2, 0, 2, 10);
	put_tree(PAGE + 88, 2, 1, 2, 3, 3, 2);
}

static void make_image(void) {
	static const uint64_t ids[] = {2, 3};
	memset(image, 0, sizeof image);
	put_metas();
	put_page(2, BRANCH);
	put_node(2, 3, 0, "", 0, 0);
	put_node(2, 4, 0, "m", 1, 0);
	put_page(3, LEAF);
	put(put_node(3, 3 * PAGE - 16, BIG_DATA, "a", 1, 8), 5, 8);
	put_page(5, LARGE);
	put(5 * PAGE + 12, 3, 4);
	put_page(4, LEAF);
	put_tree(put_node(4, 48, SUB_TREE, "n", 1, 48), 1, 0, 1, 0, 2, 8);
	put_tree(put_node(4, 48, SUB_TREE, "o", 1, 48), 0, 0, 0, 0, 0, NONE);
	put_page(8, LEAF);
	put_node(8, 1, 0, "k", 1, 1);
	put_node(8, 60, 0, "key", 3, 60);
	put_page(9, LEAF);
	put_node(9, 8, 0, &ids[0], 8, 8);
	put_page(12, LEAF);
	put_node(12, 8, 0, &ids[1], 8, 8);
	put_page(10, BRANCH);
	put_node(10, 9, 0, "", 0, 0);
	put_node(10, 12, 0, &ids[1], 8, 0);
}

static bool is_whole(size_t len, uint64_t *ret_page) {
	int fd = memfd_create("image", 0);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, image, len), (ssize_t)len);
	struct hf_lmdb_meta meta;
	struct hf_lmdb_damage damage = {0};
	bool whole = hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &meta) && hf_lmdb_pages_whole(fd, &meta, NULL, &damage);
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
	put_tree(PAGE + 40, 0, 0, 0, 0, 0, NONE); /* pages 8 and on are of no use now */
	put_tree(node_at(4, 0) + 9, 0, 0, 0, 0, 0, NONE);
	cr_assert(is_whole(8 * PAGE, &page));
	cr_assert(!is_whole(7 * PAGE, &page));
	cr_assert_eq(page, 7);
	cr_assert(!is_whole(8 * PAGE - 1, &page));
	cr_assert_eq(page, 7);
}

Test(kv_pages, the_older_meta_page_does_not_count) {
	uint64_t page;
	make_image();
	put(144, 9, 8); /* the first is the newer now, and its trees are empty */
	cr_assert(is_whole(2 * PAGE, &page));
}

enum part { IN_PAGE, IN_NODE_0, IN_NODE_1, IN_TREE_0, IN_TREE_1 }; /* a tree's record lies behind a key of one byte */

static const struct {
	const char *name;
	uint64_t page;
	enum part part;
	size_t at; /* in the part */
	uint64_t value;
	size_t width_bytes;
} DAMAGES[] = {
	{"a page of zeros", 3, IN_PAGE, 0, 0, 8},
	{"another page's number", 8, IN_PAGE, 0, 4, 8},
	{"neither branch nor leaf", 4, IN_PAGE, 10, 4, 2},
	{"branch and leaf", 4, IN_PAGE, 10, BRANCH | LEAF, 2},
	{"a leaf of values alone", 8, IN_PAGE, 10, LEAF | 0x20, 2},
	{"a page that is dirty", 8, IN_PAGE, 10, LEAF | 0x10, 2},
	{"a leaf that should be a branch", 2, IN_PAGE, 10, LEAF, 2},
	{"a branch that should be a leaf", 4, IN_PAGE, 10, BRANCH, 2},
	{"a branch of no key", 2, IN_PAGE, 12, 16, 2},
	{"a branch of one key", 2, IN_PAGE, 12, 18, 2},
	{"a leaf of no entry", 3, IN_PAGE, 12, 16, 2},
	{"a leaf that lost an entry", 8, IN_PAGE, 12, 18, 2},
	{"half an entry", 8, IN_PAGE, 12, 19, 2},
	{"more nodes than a page holds", 4, IN_PAGE, 12, PAGE + 2, 2},
	{"fewer than none", 4, IN_PAGE, 12, 14, 2},
	{"upper below lower", 8, IN_PAGE, 14, 18, 2},
	{"upper behind the page", 8, IN_PAGE, 14, PAGE + 2, 2},
	{"a gap before the entries", 8, IN_PAGE, 14, PAGE - 90, 2},
	{"a node in the header", 4, IN_PAGE, 16, 10, 2},
	{"a node behind the page", 4, IN_PAGE, 16, PAGE - 4, 2},
	{"a node at an odd place", 8, IN_PAGE, 16, PAGE - 11, 2},
	{"two entries in one place", 8, IN_PAGE, 18, PAGE - 10, 2},
	{"an entry within another", 8, IN_PAGE, 16, PAGE - 40, 2},
	{"a key behind the page", 4, IN_NODE_0, 6, PAGE, 2},
	{"a key of no bytes", 8, IN_NODE_0, 6, 0, 2},
	{"a branch's key of no bytes", 2, IN_NODE_1, 6, 0, 2},
	{"a first key of a branch that is too long", 2, IN_NODE_0, 6, 512, 2},
	{"a value behind the page", 8, IN_NODE_0, 0, 3, 4},
	{"a value that should be elsewhere", 8, IN_NODE_0, 0, 300, 4},
	{"a value's end in the next entry", 8, IN_NODE_1, 0, 63, 4},
	{"several values of one key", 8, IN_NODE_0, 4, MANY_VALUES, 2},
	{"a table of several values", 4, IN_NODE_0, 4, SUB_TREE | MANY_VALUES, 2},
	{"a flag that there is not", 8, IN_NODE_0, 4, 0x10, 2},
	{"a tree in a table", 8, IN_NODE_0, 4, SUB_TREE, 2},
	{"a tree that is a large value", 4, IN_NODE_0, 4, BIG_DATA | SUB_TREE, 2},
	{"a tree of another size", 4, IN_NODE_0, 0, 47, 4},
	{"a tree in the list of free pages", 9, IN_NODE_0, 4, SUB_TREE, 2},
	{"keys that are not in order", 8, IN_NODE_1, 8, 'j', 1},
	{"a key twice", 4, IN_NODE_1, 8, 'n', 1},
	{"a key below its branch's", 4, IN_NODE_0, 8, 'l', 1},
	{"a key that the next branch's should be above", 3, IN_NODE_0, 8, 'm', 1},
	{"a tree's page size", 4, IN_TREE_0, 0, 1, 4},
	{"a tree's flags", 4, IN_TREE_0, 4, 4, 2},
	{"an empty tree's flags", 4, IN_TREE_1, 4, 4, 2},
	{"a tree of no depth", 4, IN_TREE_0, 6, 0, 2},
	{"a tree that is deeper", 4, IN_TREE_0, 6, 2, 2},
	{"a tree that is very deep", 4, IN_TREE_0, 6, 0xffff, 2},
	{"an empty tree of some depth", 4, IN_TREE_1, 6, 1, 2},
	{"a tree of more branches", 4, IN_TREE_0, 8, 1, 8},
	{"a tree of fewer leaves", 4, IN_TREE_0, 16, 0, 8},
	{"a tree of more large values", 4, IN_TREE_0, 24, 1, 8},
	{"a tree of fewer entries", 4, IN_TREE_0, 32, 1, 8},
	{"an empty tree of one entry", 4, IN_TREE_1, 32, 1, 8},
	{"a tree that lost its root", 4, IN_TREE_0, 40, NONE, 8},
	{"a root behind the file", 4, IN_TREE_0, 40, PAGES, 8},
	{"a root far behind the file", 4, IN_TREE_0, 40, NONE - 1, 8},
	{"a root that is a meta page", 4, IN_TREE_0, 40, 1, 8},
	{"the main tree's flags", 1, IN_PAGE, 92, 4, 2},
	{"the main tree's depth", 1, IN_PAGE, 94, 3, 2},
	{"the main tree's entries", 1, IN_PAGE, 120, 2, 8},
	{"the flags of the tree of free pages", 1, IN_PAGE, 44, 0, 2},
	{"a child behind the file", 2, IN_NODE_0, 0, PAGES, 4},
	{"a child that is its parent", 2, IN_NODE_0, 0, 2, 4},
	{"a child far behind the file", 2, IN_NODE_0, 4, 1, 2},
	{"a large value that is none", 5, IN_PAGE, 10, 2, 2},
	{"a large value that is more", 5, IN_PAGE, 10, LARGE | 0x10, 2},
	{"too few pages for a large value", 5, IN_PAGE, 12, 2, 4},
	{"more pages than the file", 5, IN_PAGE, 12, 9, 4},
	{"very many pages", 5, IN_PAGE, 12, 0xffffffff, 4},
	{"free pages without a transaction", 9, IN_NODE_0, 8, 0, 8},
	{"free pages of a transaction to come", 12, IN_NODE_0, 8, 6, 8},
	{"free pages that are not in order", 9, IN_NODE_0, 8, 3, 8},
	{"free pages of a short key", 9, IN_NODE_0, 6, 7, 2},
};

static size_t part_at(uint64_t page, enum part part) {
	if (part == IN_PAGE)
		return page * PAGE;
	return part < IN_TREE_0 ? node_at(page, part - IN_NODE_0) : node_at(page, part - IN_TREE_0) + 9;
}

Test(kv_pages, a_damaged_page_is_found) {
	for (size_t i = 0; i < sizeof DAMAGES / sizeof *DAMAGES; i++) {
		uint64_t page;
		make_image();
		put(part_at(DAMAGES[i].page, DAMAGES[i].part) + DAMAGES[i].at, DAMAGES[i].value, DAMAGES[i].width_bytes);
		cr_expect(!is_whole(sizeof image, &page), "%s", DAMAGES[i].name);
	}
}

static void expect_seen(size_t at, unsigned bit) {
	uint64_t page;
	make_image();
	image[at] ^= (uint8_t)(1u << bit);
	cr_expect(!is_whole(sizeof image, &page), "byte %zu, bit %u", at, bit);
}

/* But for what LMDB does not look at, names of tables, and a table that becomes an entry, which LMDB refuses itself. */
Test(kv_pages, no_bit_of_a_head_or_a_tree_flips_unseen) {
	make_image();
	size_t node = node_at(4, 0);
	for (unsigned bit = 0; bit < 8; bit++) {
		for (size_t at = 0; at < 20; at++)
			if (at != 8 && at != 9)
				expect_seen(4 * PAGE + at, bit);
		for (size_t at = 0; at < 57; at++)
			if (at != 8 && (at != 4 || bit != 1))
				expect_seen(node + at, bit);
	}
}

/* The main tree's one leaf names a table, whose one entry says that it is a tree, and so on: never deeper than one. */
Test(kv_pages, trees_in_trees_end_at_once) {
	uint64_t page;
	make_image();
	put_page(8, LEAF);
	put_tree(put_node(8, 48, SUB_TREE, "k", 1, 48), 1, 0, 1, 0, 1, 11);
	put_page(11, LEAF);
	put_node(11, 1, 0, "k", 1, 1);
	put(node_at(4, 0) + 9 + 32, 1, 8);
	cr_assert(!is_whole(sizeof image, &page));
	cr_assert_eq(page, 8);
}

/* The tree of free pages is page 9 alone, whose one value lists them; the main tree is empty. Returns where the value lies. */
static size_t make_free_list(uint64_t n, const uint64_t *pages) {
	static const uint64_t id = 5;
	make_image();
	put_tree(PAGE + 40, 1, 0, 1, 0, 1, 9);
	put_tree(PAGE + 88, 0, 0, 0, 0, 0, NONE);
	put_page(9, LEAF);
	size_t at = put_node(9, (uint32_t)(n + 1) * 8, 0, &id, 8, (n + 1) * 8);
	put(at, n, 8);
	memcpy(image + at + 8, pages, n * 8);
	return at;
}

Test(kv_pages, a_page_is_in_use_or_free_and_only_once) {
	static const struct {
		const char *name;
		uint64_t free[2];
		bool whole;
	} rows[] = {
		{"two pages of no tree", {6, 5}, true}, {"a page that is in use", {9, 6}, false},
		{"one page twice", {6, 6}, false},	{"a page behind the last", {PAGES, 5}, false},
		{"a meta page", {6, 1}, false},		{"pages that are not in order", {5, 6}, false},
	};
	uint64_t page;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		make_free_list(2, rows[i].free);
		cr_expect_eq(is_whole(sizeof image, &page), rows[i].whole, "%s", rows[i].name);
	}
	put(make_free_list(1, rows[0].free), 2, 8); /* more than there are */
	cr_expect(!is_whole(sizeof image, &page));
}

Test(kv_pages, a_meta_page_is_found_by_its_transaction) {
	struct hf_lmdb_meta meta;
	uint8_t page[PAGE];
	make_image();
	int fd = memfd_create("image", 0);
	cr_assert_eq(write(fd, image, sizeof image), (ssize_t)sizeof image);
	cr_assert(hf_lmdb_meta_read(fd, 5, &meta));
	cr_assert_eq(meta.txn_id, 5);
	cr_assert_eq(meta.pages, PAGES);
	cr_assert(!hf_lmdb_meta_read(fd, 2, &meta));
	hf_lmdb_meta_page(&meta, 0, page);
	cr_assert_eq(page[0], 0);
	cr_assert_eq(memcmp(page + 16, image + PAGE + 16, HF_LMDB_META_BYTES - 16), 0);
	close(fd);
}
