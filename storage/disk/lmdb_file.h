/* lmdb_file.h — an LMDB data file as the file that it is: its meta pages, and whether it holds every page that its trees use.
 *
 * LMDB never writes a page that was allocated and freed in one transaction, so a sound file may end before its last numbered page.
 * A file that lost its tail ends early too, and LMDB would die of it: by SIGBUS on a page that is not there, by an assertion on
 * one that reads as zeros. So the trees are walked in the file itself, before LMDB looks at any page beyond its meta pages.
 * Inside storage/ only. Thread-safe. Changes nothing.
 */
#ifndef HF_STORAGE_DISK_LMDB_FILE_H
#define HF_STORAGE_DISK_LMDB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_KV_META_BYTES 152 /* of a meta page, all that means anything */
#define HF_KV_PAGE_MAX 65536 /* bytes */
#define HF_KV_ANY_TXN 0	     /* the newest transaction, whichever that is */

/* The trees of one transaction. */
struct hf_kv_meta {
	uint64_t txn_id;
	uint64_t pages; /* those that were ever numbered: the file's nominal length */
	uint32_t page_bytes;
	uint8_t bytes[HF_KV_META_BYTES];
};

/* Reads the meta page of a transaction. False: both pages are of other ones, or the file has no such pages. A page may be
 * overwritten by the second commit after its own while it is read: whoever reads a file that is written looks afterwards whether
 * there was one. */
bool hf_kv_meta_read(int fd, uint64_t txn_id, struct hf_kv_meta *ret);

/* The meta page as it stands in a file that has these trees alone, as page number 0 or 1; writes page_bytes bytes. */
void hf_kv_meta_page(const struct hf_kv_meta *meta, int number, uint8_t *ret);

/* What is wrong with a page. */
struct hf_kv_damage {
	uint64_t page;
	const char *what;
	bool is_unknown; /* the walk itself had no memory, or was stopped, and no page is to blame */
};

/* Reads every page that can be reached from the meta page. False: one is missing, is not what it should be, or is in use twice, or
 * in use and free, or a tree has not the pages and entries that it says; *ret says so. `stop` (may be NULL) ends the walk early.
 * What passes, LMDB reads and writes without harm; the bytes of keys and values may be anything, but for the order of the keys.
 * O(pages in use), a bit of memory for each page, and a stack of bounded depth. */
bool hf_kv_pages_whole(int fd, const struct hf_kv_meta *meta, const _Atomic bool *stop, struct hf_kv_damage *ret);

#endif
