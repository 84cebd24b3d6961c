/* fault.h — damage that LMDB meets while it works ends the process in one line, instead of a signal without a word.
 *
 * LMDB trusts its pages: of a damaged one it dies by an assertion, of one that is gone (the file was cut short, the disk cannot
 * read it) by SIGBUS. No transaction can be saved then, and nothing acknowledged is lost by the end of the process; what is needed
 * is that somebody hears of it, and that a service manager does not try again for ever.
 */
#ifndef HF_STORAGE_LMDB_FAULT_H
#define HF_STORAGE_LMDB_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What ends the process. `detail` is one sentence without a newline; `is_damage` is false if only the lock table was cut short,
 * which a new start makes good. Must be safe in a signal handler: it may write(), and ends with _exit(). */
struct hf_fault_handler {
	void (*end)(const char *detail, bool is_damage);
};

/* Takes SIGSEGV, SIGBUS and SIGABRT: one whose address lies in a map of a database, or that comes while this thread is inside LMDB,
 * ends the process by the handler; any other keeps what was to become of it, such as a core dump or a sanitizer's report. Without
 * it an assertion of LMDB aborts as ever. Once, before there are threads; the handler is kept. */
void hf_fault_install(const struct hf_fault_handler *handler);

/* For txn.c and env.c. */

/* The map of an open file, by which its faults are told from others. At most 16 at a time are watched; -1: one more, or it is not
 * mapped. `path` is copied. */
int hf_fault_watch(const char *path, int fd, uint32_t page_bytes, bool is_lock_table);
void hf_fault_unwatch(int watch);

/* What this thread is about, as far as known: the table that LMDB was last asked for, and whether it is at it. */
struct hf_fault_note {
	const char *table; /* static; NULL: none yet */
	bool inside;
};
extern _Thread_local struct hf_fault_note hf_fault_note;

/* An assertion of LMDB, to be set with mdb_env_set_assert(); `path` is the database's. Returns only if there is no handler. */
void hf_fault_assertion(const char *path, const char *text);

#endif
