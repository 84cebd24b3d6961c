/* kv_pages.c — a walk over the pages of an LMDB data file (data version 1), in host byte order as LMDB writes it.
 *
 *   page   pgno 8, pad 2, flags 2, lower 2, upper 2; then `(lower - 16) / 2` node offsets of 2 bytes
 *   node   size 4 (a leaf's data) or child's number (low 4 bytes), flags 2 (a branch: the number's high 2 bytes),
 *          key length 2, key, data
 *   tree   pad 4 (in the first: the page size), flags 2, depth 2, four counts of 8, root's page number 8
 *   meta   page header, magic 4, version 4, address 8, map size 8, tree of free pages, main tree, last page 8, transaction 8
 *   free   a leaf's data in the tree of free pages: how many, 8, and that many page numbers of 8
 */
#include "kv_pages.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4, META = 8 }; /* of pages */
enum { BIG_DATA = 1, SUB_TREE = 2 };		       /* of leaf nodes */
enum { HEADER = 16, NODE = 8, TREE = 48, ROOT = 40, MAGIC = 16, TREES = 40, LAST_PAGE = 136, TRANSACTION = 144 };
#define DEPTH_MAX 32
#define NO_PAGE (~(uint64_t)0)
#define LMDB_MAGIC 0xBEEFC0DE
#define FILE_BYTES_MAX ((uint64_t)1 << 47) /* of address space, for a map */

struct walk {
	int fd;
	uint32_t page_bytes;
	uint64_t pages;
	uint8_t *seen;	   /* a bit for each page */
	bool in_free_tree; /* whose values are lists of pages */
	struct hf_kv_damage damage;
};

static uint64_t take(const uint8_t *at, int width_bytes) {
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	switch (width_bytes) {
	case 2:
		return memcpy(&u16, at, sizeof u16), u16;
	case 4:
		return memcpy(&u32, at, sizeof u32), u32;
	default:
		return memcpy(&u64, at, sizeof u64), u64;
	}
}

static bool read_meta(int fd, off_t at, struct hf_kv_meta *ret) {
	uint8_t *m = ret->bytes;
	if (pread(fd, m, HF_KV_META_BYTES, at) != HF_KV_META_BYTES || !(take(m + 10, 2) & META) || take(m + MAGIC, 4) != LMDB_MAGIC)
		return false;
	uint64_t page_bytes = take(m + TREES, 4), last = take(m + LAST_PAGE, 8);
	if (page_bytes < 512 || page_bytes > HF_KV_PAGE_MAX || (page_bytes & (page_bytes - 1)) != 0 || last < 1 ||
	    last >= FILE_BYTES_MAX / page_bytes)
		return false;
	ret->page_bytes = (uint32_t)page_bytes;
	ret->pages = last + 1;
	ret->txn_id = take(m + TRANSACTION, 8);
	return true;
}

bool hf_kv_meta_read(int fd, uint64_t txn_id, struct hf_kv_meta *ret) {
	struct hf_kv_meta metas[2];
	if (!read_meta(fd, 0, &metas[0]) || !read_meta(fd, (off_t)metas[0].page_bytes, &metas[1]) ||
	    metas[0].page_bytes != metas[1].page_bytes)
		return false;
	for (int i = 0; i < 2; i++)
		if (txn_id == HF_KV_ANY_TXN ? metas[i].txn_id >= metas[!i].txn_id : metas[i].txn_id == txn_id) {
			*ret = metas[i];
			return true;
		}
	return false;
}

void hf_kv_meta_page(const struct hf_kv_meta *meta, int number, uint8_t *ret) {
	uint64_t n = (uint64_t)number;
	memset(ret, 0, meta->page_bytes);
	memcpy(ret, meta->bytes, HF_KV_META_BYTES);
	memcpy(ret, &n, sizeof n);
}

static bool blame(struct walk *walk, uint64_t page, const char *what) {
	walk->damage = (struct hf_kv_damage){page, what};
	return false;
}

/* Takes note that a page is in use, or free: it can be only once. */
static bool mark(struct walk *walk, uint64_t number, const char *twice) {
	if (number < 2 || number >= walk->pages)
		return blame(walk, number, "is beyond the last page, but pointed to");
	uint8_t bit = (uint8_t)(1u << (number % 8)), *at = &walk->seen[number / 8];
	if (*at & bit)
		return blame(walk, number, twice);
	*at |= bit;
	return true;
}

static bool read_page(struct walk *walk, uint64_t number, uint8_t *page) {
	if (!mark(walk, number, "is in use twice"))
		return false;
	if (pread(walk->fd, page, walk->page_bytes, (off_t)(number * walk->page_bytes)) != (ssize_t)walk->page_bytes)
		return blame(walk, number, "is missing");
	return take(page, 8) == number || blame(walk, number, "has another page's number");
}

/* A list of free pages: its values lie at `at` in the file. */
static bool walk_free_list(struct walk *walk, uint64_t page, off_t at, uint64_t value_bytes) {
	uint64_t *list = value_bytes >= 8 && value_bytes % 8 == 0 ? malloc(value_bytes) : NULL;
	bool good = list && pread(walk->fd, list, value_bytes, at) == (ssize_t)value_bytes && list[0] < value_bytes / 8;
	if (!good)
		blame(walk, page, "has a list of free pages that is none");
	for (uint64_t i = 1; good && i <= list[0]; i++)
		good = mark(walk, list[i], "is free, and in use or free a second time");
	free(list);
	return good;
}

/* A value on pages of its own: the first says how many there are; the last must be there too. */
static bool walk_overflow(struct walk *walk, uint64_t number, uint64_t value_bytes) {
	uint8_t *page = malloc(walk->page_bytes);
	bool whole = page ? read_page(walk, number, page) : blame(walk, number, "cannot be read: out of memory");
	uint64_t pages = whole ? take(page + 12, 4) : 0, end = (number + pages) * walk->page_bytes;
	if (whole && (!(take(page + 10, 2) & OVERFLOW) || pages * walk->page_bytes < HEADER + value_bytes))
		whole = blame(walk, number, "is not the large value that it should be");
	for (uint64_t i = 1; whole && i < pages; i++)
		whole = mark(walk, number + i, "is in use twice");
	if (whole && pread(walk->fd, page, 1, (off_t)end - 1) != 1)
		whole = blame(walk, number + pages - 1, "is missing");
	free(page);
	if (whole && walk->in_free_tree)
		whole = walk_free_list(walk, number, (off_t)(number * walk->page_bytes + HEADER), value_bytes);
	return whole;
}

static bool walk_tree(struct walk *walk, uint64_t root, int depth);

static bool walk_node(struct walk *walk, const uint8_t *page, size_t at, bool is_branch, int depth) {
	size_t room = walk->page_bytes - at - NODE;
	const uint8_t *node = page + at;
	uint64_t number = take(page, 8);
	uint64_t size = take(node, 4), flags = take(node + 4, 2), key_bytes = take(node + 6, 2);
	if (is_branch)
		return key_bytes <= room ? walk_tree(walk, size | flags << 32, depth + 1)
					 : blame(walk, number, "has a key that reaches beyond it");
	uint64_t data_bytes = flags & BIG_DATA ? 8 : size;
	if (key_bytes + data_bytes > room || (flags & SUB_TREE && size != TREE))
		return blame(walk, number, "has an entry that reaches beyond it, or a tree of the wrong size");
	const uint8_t *data = node + NODE + key_bytes;
	if (flags & BIG_DATA)
		return walk_overflow(walk, take(data, 8), size);
	if (walk->in_free_tree)
		return walk_free_list(walk, number, (off_t)(number * walk->page_bytes) + (data - page), size);
	return !(flags & SUB_TREE) || walk_tree(walk, take(data + ROOT, 8), 0);
}

static bool walk_tree(struct walk *walk, uint64_t root, int depth) {
	if (root == NO_PAGE)
		return true;
	uint8_t *page = malloc(walk->page_bytes);
	bool whole = page && depth < DEPTH_MAX ? read_page(walk, root, page)
					       : blame(walk, root, "cannot be read: out of memory, or too deep a tree");
	uint64_t flags = whole ? take(page + 10, 2) : 0, lower = whole ? take(page + 12, 2) : 0;
	if (whole && (!(flags & (BRANCH | LEAF)) || lower < HEADER || lower > walk->page_bytes))
		whole = blame(walk, root, "is no page of a tree");
	for (uint64_t at = HEADER; whole && at + 2 <= lower; at += 2) {
		uint64_t node = take(page + at, 2);
		whole = node >= lower && node + NODE <= walk->page_bytes
				? walk_node(walk, page, node, flags & BRANCH, depth)
				: blame(walk, root, "has an entry that does not lie in it");
	}
	free(page);
	return whole;
}

bool hf_kv_pages_whole(int fd, const struct hf_kv_meta *meta, struct hf_kv_damage *ret) {
	struct walk walk = {.fd = fd, .page_bytes = meta->page_bytes, .pages = meta->pages};
	walk.seen = calloc(meta->pages / 8 + 1, 1);
	bool whole = walk.seen || blame(&walk, 0, "cannot be read: out of memory");
	walk.in_free_tree = true;
	whole = whole && walk_tree(&walk, take(meta->bytes + TREES + ROOT, 8), 0);
	walk.in_free_tree = false;
	whole = whole && walk_tree(&walk, take(meta->bytes + TREES + TREE + ROOT, 8), 0);
	free(walk.seen);
	*ret = walk.damage;
	return whole;
}
