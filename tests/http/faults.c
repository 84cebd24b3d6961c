/* faults.c — a disk that fails, for the program under test: preloaded, it stands between the database and the file system.
 *
 * While the file $FAULTS/full exists, every write to a regular file but the log says ENOSPC, and so does posix_fallocate() unless
 * the file has the room already; if a name stands in it, such as data.mdb, only those to files of that name. When $FAULTS/meta
 * exists, it is removed and the next write of a meta page (the last step of a commit: a small pwrite) says EIO, once. While
 * $FAULTS/map exists, a file named data.mdb cannot be mapped, for the error whose number stands in it. While $FAULTS/slow exists,
 * such a write takes 20 ms longer, once its bytes can be seen, as on a disk. When $FAULTS/leak exists, it is removed and the next
 * write of a meta page leaks memory, which the tests must not miss. The wall clock is wrong by the seconds that stand in
 * $FAULTS/clock; the monotonic one is right. While $FAULTS/stall exists, nothing that is to be made durable is; while $FAULTS/log
 * exists, nothing is written to standard error. While $FAULTS/watch exists, the thread that looks at connections stays where it
 * looks at those that wait; it makes $FAULTS/watching as it gets there. When a database is mapped while a standard stream is a file
 * of its directory, $FAULTS/mistaken is made.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define META_MAX_BYTES 400 /* of a meta page's write; pages are larger */

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t from);
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t pwritev64(int fd, const struct iovec *parts, int n, off_t at);
int posix_fallocate64(int fd, off_t at, off_t len);

static bool path_of(const char *fault, char *ret) {
	const char *dir = getenv("FAULTS");
	return dir && snprintf(ret, PATH_MAX, "%s/%s", dir, fault) < PATH_MAX;
}

/* Whether an open file has that name. */
static bool is_named(int fd, const char *name) {
	char link[32], target[PATH_MAX];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof target - 1);
	target[n > 0 ? n : 0] = '\0';
	const char *last = strrchr(target, '/');
	return last && strcmp(last + 1, name) == 0;
}

static bool is_full(int fd) {
	char path[PATH_MAX], name[NAME_MAX + 1] = "";
	struct stat st;
	if (fd <= STDERR_FILENO || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !path_of("full", path))
		return false;
	int error = errno;
	int full = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = full >= 0 ? read(full, name, sizeof name - 1) : 0;
	if (full >= 0)
		close(full);
	errno = error;
	if (full < 0 || (n > 0 && !is_named(fd, name)))
		return false;
	errno = ENOSPC;
	return true;
}

static bool meta_fails(size_t len) {
	char path[PATH_MAX];
	int error = errno;
	bool fails = len < META_MAX_BYTES && path_of("meta", path) && unlink(path) == 0;
	errno = fails ? EIO : error;
	return fails;
}

static void leak(size_t len) {
	char path[PATH_MAX];
	int error = errno;
	if (len < META_MAX_BYTES && path_of("leak", path) && unlink(path) == 0) {
		void *volatile leaked = malloc(33);
		if (leaked)
			leaked = NULL;
	}
	errno = error;
}

static void take_time(size_t len) {
	char path[PATH_MAX];
	int error = errno;
	if (len < META_MAX_BYTES && path_of("slow", path) && access(path, F_OK) == 0)
		nanosleep(&(struct timespec){0, 20000000}, NULL);
	errno = error;
}

int clock_gettime(clockid_t id, struct timespec *ret) {
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	char path[PATH_MAX], text[32] = "";
	int error = errno, result = real(id, ret);
	int fd = id == CLOCK_REALTIME && path_of("clock", path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		errno = error;
		return result;
	}
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	ret->tv_sec += strtol(text, NULL, 10);
	errno = error;
	return result;
}

static void stall(const char *fault) {
	char path[PATH_MAX];
	int error = errno;
	while (path_of(fault, path) && access(path, F_OK) == 0)
		nanosleep(&(struct timespec){0, 5000000}, NULL);
	errno = error;
}

int fdatasync(int fd) {
	int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
	stall("stall");
	return real(fd);
}

int fsync(int fd) {
	int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
	stall("stall");
	return real(fd);
}

static void stay(void) {
	char path[PATH_MAX], mark[PATH_MAX], thread[16] = "";
	int error = errno;
	prctl(PR_GET_NAME, thread);
	if (strcmp(thread, "watch") == 0 && path_of("watch", path) && access(path, F_OK) == 0) {
		int fd = path_of("watching", mark) ? open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
		if (fd >= 0)
			close(fd);
		while (access(path, F_OK) == 0)
			nanosleep(&(struct timespec){0, 5000000}, NULL);
	}
	errno = error;
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms) {
	int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");
	if (timeout_ms == 0)
		stay();
	return real(fds, n, timeout_ms);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at) {
	ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
	if (is_full(fd) || meta_fails(len))
		return -1;
	ssize_t n = real(fd, data, len, at);
	take_time(len);
	leak(len);
	return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return pwrite64(fd, data, len, at); }

ssize_t write(int fd, const void *data, size_t len) {
	ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
	if (fd == STDERR_FILENO)
		stall("log");
	return is_full(fd) ? -1 : real(fd, data, len);
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
	ssize_t (*real)(int, const struct iovec *, int) = dlsym(RTLD_NEXT, "writev");
	return is_full(fd) ? -1 : real(fd, parts, n);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off_t at) {
	ssize_t (*real)(int, const struct iovec *, int, off_t) = dlsym(RTLD_NEXT, "pwritev64");
	return is_full(fd) ? -1 : real(fd, parts, n, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at) { return pwritev64(fd, parts, n, at); }

int posix_fallocate64(int fd, off_t at, off_t len) {
	int (*real)(int, off_t, off_t) = dlsym(RTLD_NEXT, "posix_fallocate64");
	struct stat st;
	bool has_room = fstat(fd, &st) == 0 && st.st_size >= at + len && st.st_blocks * 512 >= st.st_size;
	return !has_room && is_full(fd) ? ENOSPC : real(fd, at, len);
}

int posix_fallocate(int fd, off_t at, off_t len) { return posix_fallocate64(fd, at, len); }

/* The database's files, its backups and exports: none of them may be a standard stream. */
static void look_at_streams(void) {
	static const char *const names[] = {"data.mdb", "lock.mdb", "holdfast.lock", "a.backup", "lines", "exported"};
	char path[PATH_MAX];
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (is_named(fd, names[i]) && path_of("mistaken", path))
				mknod(path, S_IFREG | 0600, 0);
}

/* The system call itself, as this is called before there is anything else. */
void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t from) {
	char path[PATH_MAX], number[16] = "";
	if (fd >= 0 && (flags & MAP_SHARED))
		look_at_streams();
	if (fd > STDERR_FILENO && path_of("map", path) && is_named(fd, "data.mdb")) {
		int fault = open(path, O_RDONLY | O_CLOEXEC);
		if (fault >= 0) {
			errno = read(fault, number, sizeof number - 1) > 0 ? atoi(number) : EINVAL;
			close(fault);
			return MAP_FAILED;
		}
	}
	return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, from);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t from) {
	return mmap64(at, len, protection, flags, fd, from);
}
