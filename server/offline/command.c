/* command.c — output and errors of the offline commands. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/process/owner.h"

static bool incomplete; /* a text could not be made */

enum hf_err hf_offline_become(const char *path, struct hf_why *why) {
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return HF_OK;
	return hf_owner_become(path, why, NULL);
}

void hf_offline_print(struct hf_buf *text) {
	incomplete = incomplete || text->failed;
	if (!text->failed) {
		fwrite(text->data, 1, text->len, stdout);
		putchar('\n');
	}
	hf_buf_free(text);
}

int hf_offline_fail(const char *command, enum hf_err err, const struct hf_why *why) {
	fprintf(stderr, "holdfastd %s: %s\n", command, why->text[0] ? why->text : hf_err_title(err));
	return err == HF_E_LOCKED || err == HF_E_STORAGE_FULL || err == HF_E_PRECONDITION_FAILED ? HF_OFFLINE_FOUND
												 : HF_OFFLINE_UNREADABLE;
}

int hf_offline_end(const char *command, int status) {
	if (incomplete) {
		fprintf(stderr, "holdfastd %s: out of memory; the result cannot be printed\n", command);
		return HF_OFFLINE_UNREADABLE;
	}
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "holdfastd %s: standard output cannot be written%s%s\n", command, errno ? ": " : "",
		errno ? strerror(errno) : "");
	return HF_OFFLINE_UNREADABLE;
}
