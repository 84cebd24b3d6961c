/* file.c — one file: its copy, its owner, its lock. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "space.h"

/* Copies up to `len` bytes from one file to another, however many reads and writes that takes. Returns the error, or 0. */
static int copy_bytes(int in, int out, uint64_t len) {
	static const size_t piece_bytes = 1 << 20;
	char *piece = malloc(piece_bytes);
	ssize_t n = piece ? 1 : -1, written = 0;
	while (n > 0 && len > 0) {
		n = read(in, piece, len < piece_bytes ? len : piece_bytes);
		for (ssize_t at = 0; at < n; at += written)
			if ((written = write(out, piece + at, (size_t)(n - at))) < 0) {
				n = -1;
				break;
			}
		len -= n > 0 ? (uint64_t)n : 0;
	}
	int error = n < 0 ? errno : len > 0 ? EIO : 0;
	free(piece);
	return error;
}

/* Copies to a file with a fixed name in the directory of `to`: a partial copy left by a killed process is never mistaken for a
 * complete one, and the next copy replaces it. */
static int copy_file(int in, const char *to, uint64_t len) {
	char copy[PATH_MAX], part[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", to);
	if (snprintf(part, sizeof part, "%s/copying.part", dirname(copy)) >= (int)sizeof part)
		return ENAMETOOLONG;
	unlink(part);
	int out = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (out < 0)
		return errno;
	hf_file_give(part);
	int error = copy_bytes(in, out, len);
	if (!error && fsync(out) != 0)
		error = errno;
	close(out);
	if (!error && (link(part, to) != 0)) /* fails if it exists */
		error = errno;
	unlink(part);
	return error;
}

enum hf_err hf_file_copy(const char *from, const char *to, uint64_t len, struct hf_why *why) {
	struct stat st;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st) != 0) {
		enum hf_err err = hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be read: %s", from, strerror(errno));
		if (in >= 0)
			close(in);
		return err;
	}
	int error = copy_file(in, to, len ? len : (uint64_t)st.st_size);
	close(in);
	return error ? hf_fail(why, hf_space_err(error), "%.120s cannot be written: %s", to, strerror(error)) : HF_OK;
}

void hf_file_give(const char *path) {
	char copy[PATH_MAX];
	struct stat st, owner;
	snprintf(copy, sizeof copy, "%s", path);
	if (geteuid() != 0 || lstat(path, &st) != 0 || st.st_uid != 0 || S_ISLNK(st.st_mode) || stat(dirname(copy), &owner) != 0 ||
	    owner.st_uid == 0)
		return;
	if (lchown(path, owner.st_uid, owner.st_gid) != 0)
		return; /* a file system without owners */
}

static enum hf_err lock_file(const char *path, int how, const char *words, struct hf_why *why, int *ret_fd) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be opened: %s", path, strerror(errno));
	if (flock(fd, how | LOCK_NB) != 0) {
		close(fd);
		return hf_fail(why, HF_E_LOCKED, "%.120s %s", path, words);
	}
	*ret_fd = fd;
	return HF_OK;
}

enum hf_err hf_file_lock(const char *path, struct hf_why *why, int *ret_fd) {
	return lock_file(path, LOCK_EX, "is in use by another process, perhaps by another path", why, ret_fd);
}

enum hf_err hf_file_share(const char *path, struct hf_why *why, int *ret_fd) {
	return lock_file(path, LOCK_SH, "is the database of a running server: name its directory, or take a backup of it first",
			 why, ret_fd);
}

bool hf_file_is_locked(const char *path) {
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (fd >= 0)
		close(fd);
	return locked;
}
