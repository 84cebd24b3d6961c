/* offline.h — work on a data directory or a file of it, without a server: `holdfastd verify` and the like.
 *
 * Exit status of all: 0 done; 1 refused, or something was found; 2 wrong arguments, or unreadable.
 */
#ifndef HF_SERVER_OFFLINE_OFFLINE_H
#define HF_SERVER_OFFLINE_OFFLINE_H

#include <stdbool.h>

#include "api/text/buf.h"
#include "storage/store/store.h"

enum { HF_OFFLINE_DONE = 0, HF_OFFLINE_FOUND = 1, HF_OFFLINE_UNREADABLE = 2 };

/* What a command was told. All texts are argv's or the environment's. */
struct hf_offline {
	const char *data_dir; /* --data-dir, else $HOLDFAST_DATA_DIR, else ./holdfast-data */
	const char *path;     /* the argument; NULL: there was none */
	const char *output;   /* --output; NULL: standard output */
	const char *on_conflict;
	uint64_t store_epoch; /* --store-epoch; 0: not stated */
	bool json, apply, dry_run, restored, other_store;
};

/* Whether argv's first argument names an offline command; then it has been run, and *ret_status is the exit status. */
bool hf_offline_run(int argc, char **argv, int *ret_status);

/* Root in a directory of another user takes that user's ids (owner.h); of a path that is a file, nothing is to be feared, as it is
 * only read. */
enum hf_err hf_offline_become(const char *path, struct hf_why *why) HF_CHECKED;

/* Prints a text and the end of its line, and frees it. One that could not be made for want of memory is an error of the command. */
void hf_offline_print(struct hf_buf *text);

/* Says an error on standard error; returns the exit status that goes with it. */
int hf_offline_fail(const char *command, enum hf_err err, const struct hf_why *why);

/* The commands, one a file or two. */
int hf_offline_verify(const struct hf_offline *o); /* offline_verify.c */
int hf_offline_migrate(const struct hf_offline *o);
int hf_offline_restore(const struct hf_offline *o); /* offline_restore.c */
int hf_offline_export(const struct hf_offline *o);  /* offline_export.c */
int hf_offline_import(const struct hf_offline *o);  /* offline_import.c */
int hf_offline_repair(const struct hf_offline *o);  /* offline_repair.c */

#endif
