/* backups.h — random backups and restores, and what comes after a restore. */
#ifndef HF_TESTS_BACKUPS_H
#define HF_TESTS_BACKUPS_H

#include "check.h"

/* Makes room for what is in the backups, once; and forgets those of the last run. */
void backups_new(struct run *run);
void backups_begin(struct run *run);

/* A backup, by the store or as a copy of the file while the store is closed. With `between`, other writes come while it is read. */
void do_backup(struct run *run, void (*between)(struct run *run));

/* Restores a backup, if there is one; then new services come, and control planes with what they held. */
void do_restore(struct run *run);

#endif
