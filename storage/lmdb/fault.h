/* fault.h — when LMDB hits damage, the process ends with one line of explanation instead of a bare signal.
 *
 * LMDB trusts its pages: a damaged one makes it fail an assertion, and one that is gone (the file was cut short, or the disk cannot
 * read it) raises SIGBUS. No transaction can be saved then, and ending the process loses nothing acknowledged. What matters is that
 * an administrator learns of it, and that a service manager does not restart for ever.
 */
#ifndef HF_STORAGE_LMDB_FAULT_H
#define HF_STORAGE_LMDB_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the process. `detail` is one sentence without a newline; `is_damage` is false if only the lock table was cut short, which a
 * restart recreates. Must be safe in a signal handler: it may call write(), and ends with _exit(). */
struct hf_fault_handler {
	void (*end)(const char *detail, bool is_damage);
};

/* Handles SIGSEGV, SIGBUS and SIGABRT: a signal whose address lies in the map of a database, or that arrives while this thread is
 * inside LMDB, ends the process through the handler. Any other signal keeps its previous effect, such as a core dump or a
 * sanitizer's report. If this is never called, LMDB's assertions abort as usual. Call it once, before threads are started; the
 * handler is copied. */
void hf_fault_install(const struct hf_fault_handler *handler);

/* The rest is for lmdb/ alone. */

/* Watches the map of an open file, so that faults in it are recognised. Copies `path`. Returns a number for hf_fault_unwatch(), or
 * -1 if 16 maps are watched already, or the file is not mapped. */
int hf_fault_watch(const char *path, int fd, uint32_t page_bytes, bool is_lock_table);
void hf_fault_unwatch(int watch);

/* What this thread is doing, as far as known: the last table passed to LMDB, and whether LMDB is still working on it. */
struct hf_fault_note {
	const char *table; /* static; NULL before the first */
	bool inside;
};
extern _Thread_local struct hf_fault_note hf_fault_note;

/* Ends the process for a failed assertion of LMDB (mdb_env_set_assert()) in the database `path`. Returns if no handler is
 * installed. */
void hf_fault_assertion(const char *path, const char *text);

#endif
