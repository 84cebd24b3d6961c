/* datadir.c — make, check and lock the data directory. */
#include "datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum hf_err in_use(int fd, const char *dir, struct hf_why *why) {
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return hf_fail(why, HF_E_LOCKED, "%.120s is in use by another holdfastd%s%s", dir, pid[0] ? ", pid " : "", pid);
}

enum hf_err hf_datadir_lock(const char *dir, struct hf_why *why, int *ret_fd) {
	char path[PATH_MAX], pid[16];
	struct stat st;
	if (mkdir(dir, 0750) != 0 && errno != EEXIST)
		return hf_fail(why, HF_E_DATA_DIR, "cannot make %.120s: %s", dir, strerror(errno));
	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is not a directory", dir);
	if (snprintf(path, sizeof path, "%s/holdfast.lock", dir) >= (int)sizeof path)
		return hf_fail(why, HF_E_DATA_DIR, "the path of the data directory is too long");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return hf_fail(why, HF_E_DATA_DIR, "%.120s is not writable: %s", dir, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		enum hf_err err = errno == EWOULDBLOCK
					  ? in_use(fd, dir, why)
					  : hf_fail(why, HF_E_DATA_DIR, "cannot lock %.120s: %s", path, strerror(errno));
		close(fd);
		return err;
	}
	snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	snprintf(path, sizeof path, "%s/data.mdb", dir);
	enum hf_err err = HF_OK;
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
		err = hf_fail(why, HF_E_DATA_DIR, "%.120s is not writable: %s", dir, strerror(errno));
	else if (stat(path, &st) == 0 && st.st_size == 0)
		err = hf_fail(why, HF_E_CORRUPT, "data.mdb is empty; restore a backup, or remove the file to begin a new store");
	else if (access(path, F_OK) == 0 && access(path, R_OK | W_OK) != 0)
		err = hf_fail(why, HF_E_DATA_DIR, "data.mdb in %.120s cannot be read and written: %s", dir, strerror(errno));
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return HF_OK;
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
		return hf_fail(why, HF_E_DATA_DIR, "cannot sync %.120s: %s", dir, strerror(errno));
	return HF_OK;
}
