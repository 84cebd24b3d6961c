/* datadir.c — makes, checks and locks the data directory. */
#include "datadir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "lock_file.h"
#include "space.h"

enum hf_err hf_datadir_path(const char *dir, const char *name, struct hf_why *why, char *ret) {
	if (snprintf(ret, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return hf_fail(why, HF_E_DATA_DIR, "the path of the data directory is too long");
	return HF_OK;
}

enum hf_err hf_datadir_file(const char *dir, struct hf_why *why, char *ret) { return hf_datadir_path(dir, "data.mdb", why, ret); }

enum hf_err hf_datadir_lock_table(const char *dir, struct hf_why *why, char *ret) {
	return hf_datadir_path(dir, "lock.mdb", why, ret);
}

static enum hf_err in_use(int fd, const char *dir, struct hf_why *why) {
	char host[HF_LOCK_FILE_HOST_MAX + 1] = "", who[HF_LOCK_FILE_HOST_MAX + 48] = "";
	struct hf_lock_file mark;
	hf_lock_file_read(fd, &mark);
	gethostname(host, sizeof host - 1);
	if (mark.pid > 0 && mark.host[0] && strcmp(mark.host, host) != 0)
		snprintf(who, sizeof who, ", pid %ld of host or container %s", mark.pid, mark.host);
	else if (mark.pid > 0)
		snprintf(who, sizeof who, ", pid %ld", mark.pid);
	return hf_fail(why, HF_E_LOCKED, "%.120s is in use by another holdfastd%s", dir, who);
}

/* Records that this process has the directory. Keeps which store the directory held, but not that it was closed. */
static bool take(int fd, struct hf_lock_file *ret_found) {
	struct hf_lock_file mark;
	hf_lock_file_read(fd, &mark);
	if (ret_found)
		*ret_found = mark;
	mark.is_clean = false;
	return hf_lock_file_write(fd, &mark);
}

enum hf_err hf_datadir_claim(const char *dir, struct hf_why *why, int *ret_fd, struct hf_lock_file *ret_found) {
	char path[PATH_MAX];
	struct stat st;
	if (mkdir(dir, 0750) != 0 && errno != EEXIST)
		return hf_fail(why, hf_space_err(errno), "cannot make %.120s: %s", dir, strerror(errno));
	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is not a directory", dir);
	enum hf_err err = hf_datadir_path(dir, "holdfast.lock", why, path);
	if (err)
		return err;
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return hf_fail(why, hf_space_err(errno), "%.120s is not writable: %s", dir, strerror(errno));
	hf_file_give(path);
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

static enum hf_err check_database(const char *dir, struct hf_why *why) {
	char path[PATH_MAX];
	struct stat st;
	enum hf_err err = hf_datadir_file(dir, why, path);
	if (err)
		return err;
	bool exists = lstat(path, &st) == 0;
	if (exists && !S_ISREG(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "data.mdb in %.120s is not a file", dir);
	if (exists && st.st_size == 0)
		return hf_fail(why, HF_E_CORRUPT, "data.mdb is empty, so what was in it is lost; restore a backup");
	if (access(path, F_OK) == 0 && access(path, R_OK | W_OK) != 0)
		return hf_fail(why, HF_E_DATA_DIR, "data.mdb in %.120s cannot be read and written: %s", dir, strerror(errno));
	return HF_OK;
}

enum hf_err hf_datadir_lock(const char *dir, struct hf_why *why, int *ret_fd, struct hf_lock_file *ret_found) {
	int fd;
	enum hf_err err = hf_datadir_claim(dir, why, &fd, ret_found);
	if (err)
		return err;
	err = check_database(dir, why);
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return HF_OK;
}

enum hf_err hf_datadir_aside(const char *dir, const char *what, int64_t now_ms, struct hf_why *why, char *ret) {
	char stamp[32] = "", name[NAME_MAX + 1];
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;
	if (gmtime_r(&now, &tm))
		strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; i < 1000; i++) {
		char again[8] = "";
		if (i > 0)
			snprintf(again, sizeof again, ".%d", i);
		snprintf(name, sizeof name, "data.mdb.%s-%s%s", what, stamp, again);
		enum hf_err err = hf_datadir_path(dir, name, why, ret);
		if (err)
			return err;
		if (access(ret, F_OK) != 0)
			return HF_OK;
	}
	return hf_fail(why, HF_E_DATA_DIR, "%.120s exists, and a thousand names like it are in use", ret);
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
		return hf_fail(why, hf_space_err(errno), "cannot sync %.120s: %s", dir, strerror(errno));
	return HF_OK;
}

enum hf_err hf_datadir_install(const char *dir, const char *new_file, const char *aside, struct hf_why *why) {
	char file[PATH_MAX], lock_table[PATH_MAX];
	enum hf_err err = hf_datadir_file(dir, why, file);
	if (!err)
		err = hf_datadir_lock_table(dir, why, lock_table);
	if (err)
		return err;
	struct stat st;
	if (lstat(file, &st) == 0 && !S_ISREG(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is a link, or not a file; name the directory that holds the file itself",
			       file);
	if (link(file, aside) != 0 && errno != ENOENT)
		return hf_fail(why, hf_space_err(errno), "%.100s cannot be kept as %.100s: %s", file, aside, strerror(errno));
	err = hf_datadir_sync(dir, why);
	if (err)
		return err;
	unlink(lock_table); /* it lists the old file's readers, even if the rename fails; LMDB makes a new one */
	if (rename(new_file, file) != 0) {
		err = hf_fail(why, hf_space_err(errno), "%.120s cannot be put in place: %s", file, strerror(errno));
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
