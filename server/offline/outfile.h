/* outfile.h — writes a file that appears whole or not at all. */
#ifndef HF_SERVER_OFFLINE_OUTFILE_H
#define HF_SERVER_OFFLINE_OUTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "storage/base/err.h"

struct hf_outfile {
	int fd;
	const char *name;	  /* for messages */
	char path[PATH_MAX];	  /* the file's path; "": it is written in place */
	char temporary[PATH_MAX]; /* the path of the temporary file, until the commit */
};

/* Opens standard output (path NULL), or a temporary file beside `path`. Pipes, devices and the like are written in place.
 * Fails with HF_E_PRECONDITION_FAILED if the file exists and is not an export.
 * Fails with HF_E_DATA_DIR if the file cannot be made or opened. */
enum hf_err hf_outfile_open(const char *path, struct hf_why *why, struct hf_outfile *ret) HF_CHECKED;

/* Writes all of `len` bytes.
 * Fails with HF_E_STORAGE_FULL if the disk is full.
 * Fails with HF_E_STORAGE if the write failed in another way. */
enum hf_err hf_outfile_write(struct hf_outfile *out, const void *data, size_t len, struct hf_why *why) HF_CHECKED;

/* Makes the file durable and puts it in place. After an error the temporary file is removed.
 * Fails with HF_E_STORAGE_FULL and HF_E_STORAGE as hf_outfile_write() does.
 * Fails with HF_E_DATA_DIR if the file cannot be put in place. */
enum hf_err hf_outfile_commit(struct hf_outfile *out, struct hf_why *why) HF_CHECKED;

/* Closes the file and removes the temporary file. */
void hf_outfile_abort(struct hf_outfile *out);

#endif
