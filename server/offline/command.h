/* command.h — what offline commands share: their arguments, exit statuses and output. */
#ifndef HF_SERVER_OFFLINE_COMMAND_H
#define HF_SERVER_OFFLINE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "api/text/buf.h"
#include "api/text/json.h"
#include "storage/base/err.h"

/* Exit statuses. FOUND: refused, or something was found. UNREADABLE: wrong arguments, or unreadable. */
enum { HF_OFFLINE_DONE = 0, HF_OFFLINE_FOUND = 1, HF_OFFLINE_UNREADABLE = 2 };

/* The arguments of a command. All texts belong to argv or the environment. */
struct hf_offline {
	const char *data_dir; /* --data-dir, else $HOLDFAST_DATA_DIR, else ./holdfast-data */
	const char *path;     /* the argument; NULL: absent */
	const char *output;   /* --output; NULL: standard output */
	const char *on_conflict;
	uint64_t store_epoch; /* --store-epoch; 0: absent */
	bool json, apply, dry_run, restored, other_store;
};

/* Takes the ids of the user who owns the data directory at `path`, if the process is root's (owner.h). Does nothing for a file,
 * which is only read.
 * Fails with HF_E_PRECONDITION_FAILED if the ids cannot be taken, or the owner cannot reach the directory. */
enum hf_err hf_offline_become(const char *path, struct hf_why *why) HF_CHECKED;

/* Prints a text and a newline to standard output, and frees it. A text that is incomplete because memory ran out makes
 * hf_offline_end() fail. */
void hf_offline_print(struct hf_buf *text);

/* Prints an error to standard error. Returns the exit status for it. */
int hf_offline_fail(const char *command, enum hf_err err, const struct hf_why *why);

/* Flushes standard output. Returns `status`, or HF_OFFLINE_UNREADABLE if the output is incomplete, with a line on standard error.
 */
int hf_offline_end(const char *command, int status);

#endif
