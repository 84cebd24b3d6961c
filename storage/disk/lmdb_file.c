/* lmdb_file.c — a walk over the pages of an LMDB data file (data version 1), in host byte order as LMDB writes it.
 *
 *   page   pgno 8, pad 2, flags 2, lower 2, upper 2; then `(lower - 16) / 2` node offsets of 2 bytes
 *   node   size 4 (a leaf's data) or child's number (low 4 bytes), flags 2 (a branch: the number's high 2 bytes),
 *          key length 2, key, data
 *   tree   pad 4 (in the first: the page size), flags 2, depth 2, four counts of 8, root's page number 8
 *          (pages of a branch, of leaves, of large values; entries)
 *   meta   page header, magic 4, version 4, address 8, map size 8, tree of free pages, main tree, last page 8, transaction 8
 *   free   a leaf's data in the tree of free pages: how many, 8, and that many page numbers of 8, in descending order; its key is
 *          the transaction's number, of 8
 *
 * LMDB takes for granted that the nodes fill a page from `upper` to its end without a gap, that a branch has at least two of them
 * and a leaf one, that an entry is of its tree's kind, and that every path has the depth that the tree's record gives. The flags
 * that pages have only in memory (dirty, loose, kept) are never written, and no tree of Holdfast has several values for a key. An
 * empty tree has no root.
 */
#include "lmdb_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4, META = 8 }; /* flags of pages */
enum { BIG_DATA = 1, SUB_TREE = 2 };		       /* flags of leaf nodes */
enum { INTEGER_KEY = 8, NO_FOLDER = 0x4000 }; /* flags of the tree of free pages; the second records how the file was created */
enum { HEADER = 16, NODE = 8, TREE = 48, MAGIC = 16, TREES = 40, LAST_PAGE = 136, TRANSACTION = 144 };
enum { FLAGS = 4, DEPTH = 6, BRANCHES = 8, LEAVES = 16, LARGE = 24, ENTRIES = 32, ROOT = 40 }; /* offsets in a tree's record */
enum { KEY_MAX = 511, DEPTH_MAX = 32 };
#define NO_PAGE (~(uint64_t)0)
#define LMDB_MAGIC 0xBEEFC0DE
#define FILE_BYTES_MAX ((uint64_t)1 << 47) /* address space for a map */

struct walk {
	int fd;
	uint32_t page_bytes;
	uint64_t pages;
	uint64_t txn_id;
	uint8_t *seen;		  /* a bit for each page */
	const _Atomic bool *stop; /* may be NULL */
	uint16_t *nodes;	  /* of the current page: the length of the node at twice this offset, or 0 */
	struct hf_lmdb_damage damage;
};

enum tree_kind { FREE_PAGES, MAIN, TABLE };

/* One tree, and what the walk has found in it so far. */
struct tree {
	enum tree_kind kind;
	uint64_t depth, branches, leaves, large, entries;
	uint8_t key[KEY_MAX]; /* the last key seen, in a leaf or in a branch */
	size_t key_bytes;
	bool of_branch;
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

/* Returns whether a record has the values that every tree of its kind has. */
static bool is_tree(const uint8_t *record, enum tree_kind kind, uint64_t page_bytes) {
	uint64_t pad = take(record, 4), flags = take(record + FLAGS, 2);
	if (take(record + DEPTH, 2) > DEPTH_MAX)
		return false;
	return kind == FREE_PAGES ? pad == page_bytes && (flags & ~(uint64_t)NO_FOLDER) == INTEGER_KEY : pad == 0 && flags == 0;
}

static bool read_meta(int fd, off_t at, struct hf_lmdb_meta *ret) {
	uint8_t *m = ret->bytes;
	if (pread(fd, m, HF_LMDB_META_BYTES, at) != HF_LMDB_META_BYTES || !(take(m + 10, 2) & META) ||
	    take(m + MAGIC, 4) != LMDB_MAGIC)
		return false;
	uint64_t page_bytes = take(m + TREES, 4), last = take(m + LAST_PAGE, 8);
	if (page_bytes < 512 || page_bytes > HF_LMDB_PAGE_MAX || (page_bytes & (page_bytes - 1)) != 0 || last < 1 ||
	    last >= FILE_BYTES_MAX / page_bytes || !is_tree(m + TREES, FREE_PAGES, page_bytes) ||
	    !is_tree(m + TREES + TREE, MAIN, page_bytes))
		return false;
	ret->page_bytes = (uint32_t)page_bytes;
	ret->pages = last + 1;
	ret->txn_id = take(m + TRANSACTION, 8);
	return true;
}

bool hf_lmdb_meta_read(int fd, uint64_t txn_id, struct hf_lmdb_meta *ret) {
	struct hf_lmdb_meta metas[2];
	if (!read_meta(fd, 0, &metas[0]) || !read_meta(fd, (off_t)metas[0].page_bytes, &metas[1]) ||
	    metas[0].page_bytes != metas[1].page_bytes)
		return false;
	for (int i = 0; i < 2; i++)
		if (txn_id == HF_LMDB_ANY_TXN ? metas[i].txn_id >= metas[!i].txn_id : metas[i].txn_id == txn_id) {
			*ret = metas[i];
			return true;
		}
	return false;
}

void hf_lmdb_meta_page(const struct hf_lmdb_meta *meta, int number, uint8_t *ret) {
	uint64_t n = (uint64_t)number;
	memset(ret, 0, meta->page_bytes);
	memcpy(ret, meta->bytes, HF_LMDB_META_BYTES);
	memcpy(ret, &n, sizeof n);
}

static bool blame(struct walk *walk, uint64_t page, const char *what) {
	walk->damage = (struct hf_lmdb_damage){.page = page, .what = what};
	return false;
}

static void *allocate(struct walk *walk, size_t n, size_t bytes) {
	void *memory = calloc(n, bytes);
	if (!memory)
		walk->damage = (struct hf_lmdb_damage){.what = "out of memory", .is_unknown = true};
	return memory;
}

/* Marks a page as in use, or free; `twice` is the damage if it was marked before. */
static bool mark(struct walk *walk, uint64_t number, const char *twice) {
	if (number < 2 || number >= walk->pages)
		return blame(walk, number, "is referred to, but lies beyond the last page");
	uint8_t bit = (uint8_t)(1u << (number % 8)), *at = &walk->seen[number / 8];
	if (*at & bit)
		return blame(walk, number, twice);
	*at |= bit;
	return true;
}

static bool read_page(struct walk *walk, uint64_t number, uint8_t *page) {
	if (walk->stop && *walk->stop) {
		walk->damage = (struct hf_lmdb_damage){.what = "the walk was stopped", .is_unknown = true};
		return false;
	}
	if (!mark(walk, number, "is in use twice"))
		return false;
	if (pread(walk->fd, page, walk->page_bytes, (off_t)(number * walk->page_bytes)) != (ssize_t)walk->page_bytes)
		return blame(walk, number, "is missing");
	return take(page, 8) == number || blame(walk, number, "has another page's number");
}

/* Checks a list of free pages, whose values are at offset `at` of the file. */
static bool walk_free_list(struct walk *walk, uint64_t page, off_t at, uint64_t value_bytes) {
	if (value_bytes < 8 || value_bytes % 8 != 0)
		return blame(walk, page, "has an invalid list of free pages");
	uint64_t *list = allocate(walk, value_bytes / 8, 8);
	if (!list)
		return false;
	bool good = (pread(walk->fd, list, value_bytes, at) == (ssize_t)value_bytes && list[0] < value_bytes / 8) ||
		    blame(walk, page, "has an invalid list of free pages");
	for (uint64_t i = 1; good && i <= list[0]; i++)
		good = i > 1 && list[i] >= list[i - 1] ? blame(walk, page, "has a list of free pages that is not in order")
						       : mark(walk, list[i], "is free, and in use or free a second time");
	free(list);
	return good;
}

/* Checks a value on pages of its own: the first page gives their number; the last must exist too. */
static bool walk_large(struct walk *walk, struct tree *tree, uint64_t number, uint64_t value_bytes) {
	uint8_t *page = allocate(walk, 1, walk->page_bytes);
	bool whole = page && read_page(walk, number, page);
	uint64_t pages = whole ? take(page + 12, 4) : 0, end = (number + pages) * walk->page_bytes;
	if (whole && (take(page + 10, 2) != OVERFLOW || pages * walk->page_bytes < HEADER + value_bytes))
		whole = blame(walk, number, "is not the large value that its entry refers to");
	for (uint64_t i = 1; whole && i < pages; i++)
		whole = mark(walk, number + i, "is in use twice");
	if (whole && pread(walk->fd, page, 1, (off_t)end - 1) != 1)
		whole = blame(walk, number + pages - 1, "is missing");
	free(page);
	tree->large += pages;
	if (whole && tree->kind == FREE_PAGES)
		whole = walk_free_list(walk, number, (off_t)(number * walk->page_bytes + HEADER), value_bytes);
	return whole;
}

/* Returns a node's length in its page, or 0 if a page of this tree cannot have such a node. */
static size_t node_length(const struct walk *walk, const struct tree *tree, const uint8_t *node, bool is_branch, bool is_first) {
	uint64_t size = take(node, 4), flags = take(node + 4, 2), key_bytes = take(node + 6, 2), data_bytes = 0;
	uint64_t longest = ((walk->page_bytes - HEADER) / 2 & ~1u) - 2;
	bool has_key = !(is_branch && is_first); /* a branch's first key has no meaning */
	if (key_bytes > KEY_MAX || (has_key && (tree->kind == FREE_PAGES ? key_bytes != 8 : key_bytes == 0)))
		return 0;
	if (!is_branch) {
		if (flags & ~(uint64_t)(BIG_DATA | SUB_TREE) || flags == (BIG_DATA | SUB_TREE))
			return 0;
		if (flags & SUB_TREE && (tree->kind != MAIN || size != TREE))
			return 0;
		data_bytes = flags & BIG_DATA ? 8 : size;
		if (NODE + key_bytes + data_bytes > longest)
			return 0;
	}
	return (NODE + key_bytes + data_bytes + 1) & ~(size_t)1;
}

/* Returns whether the nodes are valid in such a page, and fill it from `upper` to its end. */
static bool check_nodes(struct walk *walk, const struct tree *tree, const uint8_t *page, bool is_branch) {
	size_t lower = take(page + 12, 2), upper = take(page + 14, 2);
	uint64_t number = take(page, 8);
	for (size_t at = HEADER; at < lower; at += 2) {
		size_t node = take(page + at, 2);
		if (node < upper || node % 2 != 0 || node + NODE > walk->page_bytes || walk->nodes[node / 2] != 0)
			return blame(walk, number, "has an entry that lies outside it, or in another entry");
		size_t length = node_length(walk, tree, page + node, is_branch, at == HEADER);
		if (length == 0)
			return blame(walk, number, "has an entry of a kind that does not belong there");
		if (node + length > walk->page_bytes)
			return blame(walk, number, "has an entry that reaches beyond it");
		walk->nodes[node / 2] = (uint16_t)length;
	}
	size_t n = (lower - HEADER) / 2, length;
	for (size_t at = upper; at < walk->page_bytes; at += length, n--) {
		length = walk->nodes[at / 2];
		walk->nodes[at / 2] = 0;
		if (length == 0)
			return blame(walk, number, "has a gap between its entries");
	}
	return n == 0 || blame(walk, number, "has an entry that lies in another entry");
}

static bool check_page(struct walk *walk, struct tree *tree, const uint8_t *page, uint64_t level) {
	uint64_t number = take(page, 8), lower = take(page + 12, 2), upper = take(page + 14, 2);
	bool is_branch = level < tree->depth;
	if (take(page + 10, 2) != (is_branch ? BRANCH : LEAF))
		return blame(walk, number, "is not a page of a tree, or not at this depth");
	if (lower < HEADER + (is_branch ? 4 : 2) || lower % 2 != 0 || lower > upper || upper % 2 != 0 || upper > walk->page_bytes)
		return blame(walk, number, "has too few or too many entries");
	if (is_branch)
		tree->branches++;
	else
		tree->leaves++;
	return check_nodes(walk, tree, page, is_branch);
}

/* Returns whether a key may follow the previous one. A branch's key is greater than all keys before it, and not greater than those
 * after it. */
static bool is_next_key(struct tree *tree, const uint8_t *key, size_t key_bytes, bool of_branch) {
	size_t common = key_bytes < tree->key_bytes ? key_bytes : tree->key_bytes;
	int order = memcmp(tree->key, key, common);
	if (tree->kind == FREE_PAGES && common == 8)
		order = (take(tree->key, 8) > take(key, 8)) - (take(tree->key, 8) < take(key, 8));
	if (order == 0)
		order = (tree->key_bytes > key_bytes) - (tree->key_bytes < key_bytes);
	if (order > 0 || (order == 0 && (of_branch || !tree->of_branch)))
		return false;
	memcpy(tree->key, key, key_bytes);
	tree->key_bytes = key_bytes;
	tree->of_branch = of_branch;
	return true;
}

static bool walk_tree(struct walk *walk, enum tree_kind kind, const uint8_t *record, uint64_t holder);

static bool walk_entry(struct walk *walk, struct tree *tree, const uint8_t *page, const uint8_t *node) {
	uint64_t number = take(page, 8), size = take(node, 4), flags = take(node + 4, 2), key_bytes = take(node + 6, 2);
	const uint8_t *key = node + NODE, *data = key + key_bytes;
	tree->entries++;
	if (!is_next_key(tree, key, key_bytes, false))
		return blame(walk, number, "has keys that are not in order");
	if (tree->kind == FREE_PAGES && (take(key, 8) == 0 || take(key, 8) > walk->txn_id))
		return blame(walk, number, "has free pages of a transaction that does not exist");
	if (flags & BIG_DATA)
		return walk_large(walk, tree, take(data, 8), size);
	if (tree->kind == FREE_PAGES)
		return walk_free_list(walk, number, (off_t)(number * walk->page_bytes) + (data - page), size);
	return !(flags & SUB_TREE) || walk_tree(walk, TABLE, data, number);
}

static bool walk_page(struct walk *walk, struct tree *tree, uint64_t number, uint64_t level) {
	uint8_t *page = allocate(walk, 1, walk->page_bytes);
	bool whole = page && read_page(walk, number, page) && check_page(walk, tree, page, level);
	uint64_t lower = whole ? take(page + 12, 2) : 0;
	for (uint64_t at = HEADER; whole && at < lower; at += 2) {
		const uint8_t *node = page + take(page + at, 2);
		if (level == tree->depth)
			whole = walk_entry(walk, tree, page, node);
		else if (at > HEADER && !is_next_key(tree, node + NODE, take(node + 6, 2), true))
			whole = blame(walk, number, "has keys that are not in order");
		else
			whole = walk_page(walk, tree, take(node, 4) | take(node + 4, 2) << 32, level + 1);
	}
	free(page);
	return whole;
}

/* Checks a tree, whose record lies in the page `holder`. Tables hold no trees, so the recursion is at most two levels deep. */
static bool walk_tree(struct walk *walk, enum tree_kind kind, const uint8_t *record, uint64_t holder) {
	struct tree tree = {.kind = kind, .depth = take(record + DEPTH, 2)};
	uint64_t root = take(record + ROOT, 8);
	if (!is_tree(record, kind, walk->page_bytes) || (root == NO_PAGE) != (tree.depth == 0))
		return blame(walk, holder, "has an invalid tree record");
	if (root != NO_PAGE && !walk_page(walk, &tree, root, 1))
		return false;
	return (tree.branches == take(record + BRANCHES, 8) && tree.leaves == take(record + LEAVES, 8) &&
		tree.large == take(record + LARGE, 8) && tree.entries == take(record + ENTRIES, 8)) ||
	       blame(walk, holder, "has a tree whose record counts other pages or entries than it has");
}

bool hf_lmdb_pages_whole(int fd, const struct hf_lmdb_meta *meta, const _Atomic bool *stop, struct hf_lmdb_damage *ret) {
	struct walk walk = {.fd = fd, .stop = stop, .page_bytes = meta->page_bytes, .pages = meta->pages, .txn_id = meta->txn_id};
	uint64_t holder = take(meta->bytes, 8);
	walk.seen = allocate(&walk, meta->pages / 8 + 1, 1);
	walk.nodes = allocate(&walk, meta->page_bytes / 2, sizeof *walk.nodes);
	bool whole = walk.seen && walk.nodes && walk_tree(&walk, FREE_PAGES, meta->bytes + TREES, holder) &&
		     walk_tree(&walk, MAIN, meta->bytes + TREES + TREE, holder);
	free(walk.nodes);
	free(walk.seen);
	*ret = walk.damage;
	return whole;
}
