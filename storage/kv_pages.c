/* kv_pages.c — a walk over the pages of an LMDB data file (data version 1), in host byte order as LMDB writes it.
 *
 *   page   pgno 8, pad 2, flags 2, lower 2, upper 2; then `(lower - 16) / 2` node offsets of 2 bytes
 *   node   size 4 (a leaf's data) or child's number (low 4 bytes), flags 2 (a branch: the number's high 2 bytes),
 *          key length 2, key, data
 *   tree   pad 4 (in the first: the page size), flags 2, depth 2, four counts of 8, root's page number 8
 *   meta   page header, magic 4, version 4, address 8, map size 8, tree of free pages, main tree, last page 8, transaction 8
 */
#include "kv_pages.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4 }; /* of pages */
enum { BIG_DATA = 1, SUB_TREE = 2 };	     /* of leaf nodes */
enum { HEADER = 16, NODE = 8, TREE = 48, ROOT = 40, TREES = 40, TRANSACTION = 144, META = 152 };
#define DEPTH_MAX 32
#define NO_PAGE (~(uint64_t)0)

struct walk {
	int fd;
	uint32_t page_bytes;
	uint64_t left; /* pages that can still be visited: more would be a cycle */
	uint64_t bad;  /* the page that is wrong */
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

static bool read_page(struct walk *walk, uint64_t number, uint8_t *page) {
	walk->bad = number;
	if (number > (uint64_t)INT64_MAX / walk->page_bytes - 1 || walk->left-- == 0)
		return false;
	return pread(walk->fd, page, walk->page_bytes, (off_t)(number * walk->page_bytes)) == (ssize_t)walk->page_bytes &&
	       take(page, 8) == number;
}

/* A value on pages of its own: the first says how many there are; the last must be there too. */
static bool walk_overflow(struct walk *walk, uint64_t number, uint64_t value_bytes) {
	uint8_t *page = malloc(walk->page_bytes);
	bool whole = page && read_page(walk, number, page) && take(page + 10, 2) & OVERFLOW;
	uint64_t pages = whole ? take(page + 12, 4) : 0, end = (number + pages) * walk->page_bytes;
	if (whole) {
		walk->bad = number + pages - 1;
		whole = pages * walk->page_bytes >= HEADER + value_bytes && pread(walk->fd, page, 1, (off_t)end - 1) == 1;
	}
	free(page);
	return whole;
}

static bool walk_tree(struct walk *walk, uint64_t root, int depth);

static bool walk_node(struct walk *walk, const uint8_t *page, size_t at, bool is_branch, int depth) {
	size_t room = walk->page_bytes - at - NODE;
	const uint8_t *node = page + at;
	uint64_t size = take(node, 4), flags = take(node + 4, 2), key_bytes = take(node + 6, 2);
	if (is_branch)
		return key_bytes <= room && walk_tree(walk, size | flags << 32, depth + 1);
	uint64_t data_bytes = flags & BIG_DATA ? 8 : size;
	if (key_bytes + data_bytes > room || (flags & SUB_TREE && size != TREE))
		return false;
	const uint8_t *data = node + NODE + key_bytes;
	if (flags & BIG_DATA)
		return walk_overflow(walk, take(data, 8), size);
	return !(flags & SUB_TREE) || walk_tree(walk, take(data + ROOT, 8), 0);
}

static bool walk_tree(struct walk *walk, uint64_t root, int depth) {
	if (root == NO_PAGE)
		return true;
	uint8_t *page = malloc(walk->page_bytes);
	bool whole = page && depth < DEPTH_MAX && read_page(walk, root, page);
	uint64_t flags = whole ? take(page + 10, 2) : 0, lower = whole ? take(page + 12, 2) : 0;
	whole = whole && flags & (BRANCH | LEAF) && lower >= HEADER && lower <= walk->page_bytes;
	for (uint64_t at = HEADER; whole && at + 2 <= lower; at += 2) {
		uint64_t node = take(page + at, 2);
		whole = node >= lower && node + NODE <= walk->page_bytes && walk_node(walk, page, node, flags & BRANCH, depth);
	}
	free(page);
	return whole;
}

bool hf_kv_pages_whole(int fd, uint32_t page_bytes, uint64_t *ret_page) {
	uint8_t metas[2][META];
	struct walk walk = {.fd = fd, .page_bytes = page_bytes};
	for (uint64_t i = 0; i < 2; i++) {
		*ret_page = i;
		if (pread(fd, metas[i], META, (off_t)(i * page_bytes)) != META)
			return false;
	}
	const uint8_t *meta = metas[take(metas[1] + TRANSACTION, 8) > take(metas[0] + TRANSACTION, 8)];
	walk.left = (uint64_t)lseek(fd, 0, SEEK_END) / page_bytes;
	bool whole = walk_tree(&walk, take(meta + TREES + ROOT, 8), 0) && walk_tree(&walk, take(meta + TREES + TREE + ROOT, 8), 0);
	*ret_page = walk.bad;
	return whole;
}
