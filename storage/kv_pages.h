/* kv_pages.h — whether a database file holds every page that its trees use. Inside kv.c only.
 *
 * LMDB never writes a page that was allocated and freed in one transaction, so a sound file may end before its last numbered page.
 * A file that lost its tail ends early too, and LMDB would die of it: by SIGBUS on a page that is not there, by an assertion on
 * one that reads as zeros. So the trees are walked in the file itself, before LMDB looks at any page beyond its meta pages.
 */
#ifndef HF_STORAGE_KV_PAGES_H
#define HF_STORAGE_KV_PAGES_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the newest meta page of an LMDB 0.9 data file and every page that can be reached from it. False: one is missing, or is not
 * what it should be; *ret_page is its number. Changes nothing. O(pages in use). */
bool hf_kv_pages_whole(int fd, uint32_t page_bytes, uint64_t *ret_page);

#endif
