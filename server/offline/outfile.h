/* outfile.h — a file that is there whole or not at all. */
#ifndef HF_SERVER_OFFLINE_OUTFILE_H
#define HF_SERVER_OFFLINE_OUTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "storage/base/err.h"

struct hf_outfile {
	int fd;
	const char *name;	  /* for the words */
	char path[PATH_MAX];	  /* where it goes; "": it is written in place */
	char temporary[PATH_MAX]; /* … and stands until it is whole */
};

/* Opens standard output (path NULL), or a file beside the one it will replace. What is no regular file, such as a pipe or a device,
 * is written in place. HF_E_DATA_DIR. */
enum hf_err hf_outfile_open(const char *path, struct hf_why *why, struct hf_outfile *ret) HF_CHECKED;

/* HF_E_STORAGE_FULL: the disk is full. HF_E_STORAGE: another error. */
enum hf_err hf_outfile_write(struct hf_outfile *out, const void *data, size_t len, struct hf_why *why) HF_CHECKED;

/* Makes the file durable and puts it in place. Errors as above, and HF_E_DATA_DIR; nothing is left of it then. */
enum hf_err hf_outfile_commit(struct hf_outfile *out, struct hf_why *why) HF_CHECKED;

/* Leaves nothing of it, as far as it was not written in place. */
void hf_outfile_abort(struct hf_outfile *out);

#endif
