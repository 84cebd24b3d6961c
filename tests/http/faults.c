/* faults.c — a disk that fails, for the server under test: preloaded, it stands between the database and the file system.
 *
 * While the file $FAULTS/full exists, every write to a regular file says ENOSPC. When $FAULTS/meta exists, it is removed and the
 * next write of a meta page (the last step of a commit: a small pwrite) says EIO, once.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define META_MAX_BYTES 400 /* of a meta page's write; pages are larger */

ssize_t pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t writev(int fd, const struct iovec *parts, int n);

static bool asked(const char *fault, bool once) {
	const char *dir = getenv("FAULTS");
	char path[PATH_MAX];
	if (!dir)
		return false;
	snprintf(path, sizeof path, "%s/%s", dir, fault);
	return once ? unlink(path) == 0 : access(path, F_OK) == 0;
}

static bool is_file(int fd) {
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at) {
	ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
	bool full = is_file(fd) && asked("full", false);
	if (full || (len < META_MAX_BYTES && asked("meta", true))) {
		errno = full ? ENOSPC : EIO;
		return -1;
	}
	return real(fd, data, len, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return pwrite64(fd, data, len, at); }

ssize_t writev(int fd, const struct iovec *parts, int n) {
	ssize_t (*real)(int, const struct iovec *, int) = dlsym(RTLD_NEXT, "writev");
	if (is_file(fd) && asked("full", false)) {
		errno = ENOSPC;
		return -1;
	}
	return real(fd, parts, n);
}
