/* outfile.c — writes a temporary file, syncs it, renames it. */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/disk/space.h"

static enum hf_err fail(const struct hf_outfile *out, struct hf_why *why) {
	return hf_fail(why, hf_space_is_short(errno) ? HF_E_STORAGE_FULL : HF_E_STORAGE, "%.120s cannot be written: %s", out->name,
		       strerror(errno));
}

/* Refuses to replace a database, or any existing file except an export or an empty one. */
static enum hf_err check_replaced(const char *path, struct hf_why *why) {
	static const char *const ours[] = {"data.mdb", "lock.mdb", "holdfast.lock"};
	static const char begins[] = "{\"holdfastExport\"";
	char copy[PATH_MAX], head[sizeof begins - 1];
	snprintf(copy, sizeof copy, "%s", path);
	const char *name = basename(copy);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strncmp(name, ours[i], strlen(ours[i])) == 0)
			return hf_fail(why, HF_E_PRECONDITION_FAILED, "%.120s has the name of a database's file; choose another",
				       path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return HF_OK; /* it does not exist or cannot be read */
	ssize_t n = read(fd, head, sizeof head);
	close(fd);
	if (n == 0 || (n == (ssize_t)sizeof head && memcmp(head, begins, sizeof head) == 0))
		return HF_OK;
	return hf_fail(why, HF_E_PRECONDITION_FAILED, "%.120s exists and is not an export; remove it first if it is not needed",
		       path);
}

enum hf_err hf_outfile_open(const char *path, struct hf_why *why, struct hf_outfile *ret) {
	struct stat st;
	*ret = (struct hf_outfile){.fd = STDOUT_FILENO, .name = path ? path : "standard output"};
	if (!path)
		return HF_OK;
	bool exists = stat(path, &st) == 0;
	if (exists && !S_ISREG(st.st_mode)) {
		ret->fd = open(path, O_WRONLY | O_CLOEXEC);
		return ret->fd < 0 ? hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be opened: %s", path, strerror(errno)) : HF_OK;
	}
	/* Keep a link, and replace its target. */
	if (exists ? !realpath(path, ret->path) : snprintf(ret->path, sizeof ret->path, "%s", path) >= (int)sizeof ret->path)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s: the path cannot be resolved, or is too long", path);
	enum hf_err err = check_replaced(ret->path, why);
	if (err)
		return err;
	if (snprintf(ret->temporary, sizeof ret->temporary, "%s.tmp%ld", ret->path, (long)getpid()) >= (int)sizeof ret->temporary)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s: the path is too long", path);
	ret->fd = open(ret->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	return ret->fd < 0 ? hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be made: %s", path, strerror(errno)) : HF_OK;
}

enum hf_err hf_outfile_write(struct hf_outfile *out, const void *data, size_t len, struct hf_why *why) {
	ssize_t n;
	for (size_t at = 0; at < len; at += (size_t)n) {
		n = write(out->fd, (const char *)data + at, len - at);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return fail(out, why);
	}
	return HF_OK;
}

static void sync_parent(const char *path) {
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

enum hf_err hf_outfile_commit(struct hf_outfile *out, struct hf_why *why) {
	enum hf_err err = HF_OK;
	if (out->path[0] && fsync(out->fd) != 0)
		err = fail(out, why);
	if (close(out->fd) != 0 && !err)
		err = fail(out, why);
	out->fd = -1;
	if (!err && out->path[0] && rename(out->temporary, out->path) != 0)
		err = hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be put in place: %s", out->name, strerror(errno));
	if (err)
		hf_outfile_abort(out);
	else if (out->path[0])
		sync_parent(out->path);
	return err;
}

void hf_outfile_abort(struct hf_outfile *out) {
	if (out->fd >= 0)
		close(out->fd);
	if (out->temporary[0])
		unlink(out->temporary);
	out->fd = -1;
}
