/* lmdb_file.h — an LMDB data file, read without LMDB: its meta pages, and whether it holds every page that its trees use.
 *
 * LMDB never writes a page that was allocated and freed in one transaction, so a sound file may end before its last numbered page.
 * A file that lost its tail ends early too, and would kill LMDB: by SIGBUS on a missing page, by an assertion on one that reads as
 * zeros. So the trees are walked in the file itself, before LMDB reads any page beyond its meta pages. Thread-safe; changes
 * nothing.
 */
#ifndef HF_STORAGE_DISK_LMDB_FILE_H
#define HF_STORAGE_DISK_LMDB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_LMDB_META_BYTES 152 /* the meaningful part of a meta page */
#define HF_LMDB_PAGE_MAX 65536 /* bytes */
#define HF_LMDB_ANY_TXN 0      /* the newest transaction */

/* The trees of one transaction. */
struct hf_lmdb_meta {
	uint64_t txn_id;
	uint64_t pages; /* all that were ever numbered: the file's nominal length */
	uint32_t page_bytes;
	uint8_t bytes[HF_LMDB_META_BYTES];
};

/* Reads the meta page of a transaction. Returns false if both pages are of other transactions, or the file has no such pages. The
 * second commit after its own may overwrite a page while it is read: a caller that reads a file being written must check afterwards
 * that no commit has ended. */
bool hf_lmdb_meta_read(int fd, uint64_t txn_id, struct hf_lmdb_meta *ret);

/* Writes the meta page, of page_bytes bytes, of a file that has only these trees; `number` is 0 or 1. */
void hf_lmdb_meta_page(const struct hf_lmdb_meta *meta, int number, uint8_t *ret);

/* Describes the damage to a page. */
struct hf_lmdb_damage {
	uint64_t page;
	const char *what;
	bool is_unknown; /* the walk ran out of memory, or was stopped: no page is known to be damaged */
};

/* Reads every page that can be reached from the meta page. Returns false, with the reason in *ret, if a page is missing, has wrong
 * contents, is in use twice, or is in use and free, or if a tree's record does not match its pages and entries. `stop` (may be
 * NULL) ends the walk early. LMDB can safely read and write a file that passes; apart from the order of the keys, the bytes of keys
 * and values are not checked. O(pages in use) time, one bit of memory a page, a stack of bounded depth. */
bool hf_lmdb_pages_whole(int fd, const struct hf_lmdb_meta *meta, const _Atomic bool *stop, struct hf_lmdb_damage *ret);

#endif
