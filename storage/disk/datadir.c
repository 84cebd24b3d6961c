/* datadir.c — make, check and lock the data directory. */
#include "datadir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lock_file.h"
#include "space.h"

static enum hf_err in_use(int fd, const char *dir, struct hf_why *why) {
	char host[HF_MARK_HOST_MAX + 1] = "", who[HF_MARK_HOST_MAX + 48] = "";
	struct hf_mark mark;
	hf_mark_read(fd, &mark);
	gethostname(host, sizeof host - 1);
	if (mark.pid > 0 && mark.host[0] && strcmp(mark.host, host) != 0)
		snprintf(who, sizeof who, ", pid %ld of host or container %s", mark.pid, mark.host);
	else if (mark.pid > 0)
		snprintf(who, sizeof who, ", pid %ld", mark.pid);
	return hf_fail(why, HF_E_LOCKED, "%.120s is in use by another holdfastd%s", dir, who);
}

/* Notes who has the directory; which store was there stays, but not that it was closed. */
static bool take(int fd, struct hf_mark *ret_found) {
	struct hf_mark mark;
	hf_mark_read(fd, &mark);
	if (ret_found)
		*ret_found = mark;
	mark.is_clean = false;
	return hf_mark_write(fd, &mark);
}

enum hf_err hf_datadir_claim(const char *dir, struct hf_why *why, int *ret_fd, struct hf_mark *ret_found) {
	char path[PATH_MAX];
	struct stat st;
	if (mkdir(dir, 0750) != 0 && errno != EEXIST)
		return hf_fail(why, hf_room_err(errno), "cannot make %.120s: %s", dir, strerror(errno));
	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is not a directory", dir);
	if (snprintf(path, sizeof path, "%s/holdfast.lock", dir) >= (int)sizeof path)
		return hf_fail(why, HF_E_DATA_DIR, "the path of the data directory is too long");
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return hf_fail(why, hf_room_err(errno), "%.120s is not writable: %s", dir, strerror(errno));
	hf_file_give(path);
	enum hf_err err = HF_OK;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		err = errno == EWOULDBLOCK ? in_use(fd, dir, why)
					   : hf_fail(why, HF_E_DATA_DIR, "cannot lock %.120s: %s", path, strerror(errno));
	else if (!take(fd, ret_found))
		err = hf_fail(why, HF_E_DATA_DIR, "%.120s is not writable: %s", dir, strerror(errno));
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return HF_OK;
}

bool hf_file_is_locked(const char *path) {
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (fd >= 0)
		close(fd);
	return locked;
}

enum hf_err hf_datadir_lock(const char *dir, struct hf_why *why, int *ret_fd, struct hf_mark *ret_found) {
	char path[PATH_MAX];
	struct stat st;
	int fd;
	enum hf_err err = hf_datadir_claim(dir, why, &fd, ret_found);
	if (err)
		return err;
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	bool exists = lstat(path, &st) == 0;
	if (exists && !S_ISREG(st.st_mode))
		err = hf_fail(why, HF_E_DATA_DIR, "data.mdb in %.120s is not a file", dir);
	else if (exists && st.st_size == 0)
		err = hf_fail(why, HF_E_CORRUPT, "data.mdb is empty, so what was in it is lost; restore a backup");
	else if (access(path, F_OK) == 0 && access(path, R_OK | W_OK) != 0)
		err = hf_fail(why, HF_E_DATA_DIR, "data.mdb in %.120s cannot be read and written: %s", dir, strerror(errno));
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return HF_OK;
}

/* Copies what is left between two files; a read or write that is cut short goes on. */
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

/* Copies to a file of one name in the directory of `to`, so that what a process that was killed leaves there is never taken for a
 * whole copy, and is replaced by the next one. */
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
	if (!error && (link(part, to) != 0)) /* which must not be there */
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
	return error ? hf_fail(why, hf_room_err(error), "%.120s cannot be written: %s", to, strerror(error)) : HF_OK;
}

enum hf_err hf_datadir_aside(const char *dir, const char *what, int64_t now_ms, struct hf_why *why, char *ret) {
	char stamp[32] = "";
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;
	if (gmtime_r(&now, &tm))
		strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; i < 1000; i++) {
		char again[8] = "";
		if (i > 0)
			snprintf(again, sizeof again, ".%d", i);
		if (snprintf(ret, PATH_MAX, "%s/data.mdb.%s-%s%s", dir, what, stamp, again) >= PATH_MAX)
			return hf_fail(why, HF_E_DATA_DIR, "the path of the data directory is too long");
		if (access(ret, F_OK) != 0)
			return HF_OK;
	}
	return hf_fail(why, HF_E_DATA_DIR, "%.120s is there already, and a thousand like it", ret);
}

static bool sync_directory(const char *path) {
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return synced;
}

enum hf_err hf_datadir_sync(const char *dir, struct hf_why *why) {
	char parent[PATH_MAX];
	snprintf(parent, sizeof parent, "%s/..", dir);
	if (!sync_directory(dir) || !sync_directory(parent))
		return hf_fail(why, hf_room_err(errno), "cannot sync %.120s: %s", dir, strerror(errno));
	return HF_OK;
}

enum hf_err hf_datadir_install(const char *dir, const char *new_file, const char *aside, struct hf_why *why) {
	char file[PATH_MAX], lock_table[PATH_MAX];
	if (snprintf(file, sizeof file, "%s/data.mdb", dir) >= (int)sizeof file ||
	    snprintf(lock_table, sizeof lock_table, "%s/lock.mdb", dir) >= (int)sizeof lock_table)
		return hf_fail(why, HF_E_DATA_DIR, "the path of the data directory is too long");
	struct stat st;
	if (lstat(file, &st) == 0 && !S_ISREG(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is a link, or no file; name the directory that holds the file itself",
			       file);
	if (link(file, aside) != 0 && errno != ENOENT)
		return hf_fail(why, hf_room_err(errno), "%.100s cannot be kept as %.100s: %s", file, aside, strerror(errno));
	enum hf_err err = hf_datadir_sync(dir, why);
	if (err)
		return err;
	unlink(lock_table); /* of the old file's readers, also if this ends here; LMDB makes a new one */
	if (rename(new_file, file) != 0) {
		err = hf_fail(why, hf_room_err(errno), "%.120s cannot be put in place: %s", file, strerror(errno));
		unlink(aside);
		return err;
	}
	if (hf_datadir_sync(dir, NULL))
		return hf_fail(why, HF_E_DATA_DIR,
			       "%.120s is in place, but is not durable yet: %s; look at the disk, then run sync", file,
			       strerror(errno));
	return HF_OK;
}

void hf_datadir_scrap(const char *dir) {
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	for (struct dirent *entry; entries && (entry = readdir(entries));)
		unlinkat(fd, entry->d_name, 0); /* not `.` and `..` */
	if (entries)
		closedir(entries);
	else if (fd >= 0)
		close(fd);
	rmdir(dir);
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
