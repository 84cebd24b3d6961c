/* space.c — disk space. */
#include "space.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

bool hf_space_is_short(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }

enum hf_err hf_space_err(int error) { return hf_space_is_short(error) ? HF_E_STORAGE_FULL : HF_E_DATA_DIR; }

int hf_space_reserve(const char *path, uint64_t len) {
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;
	int error = posix_fallocate(fd, 0, (off_t)len);
	close(fd);
	return error;
}

int hf_space_lack(int fd) {
	static const char page[4096]; /* the smallest amount by which a database grows */
	struct stat st;
	if (fstat(fd, &st) != 0)
		return 0;
	ssize_t n = pwrite(fd, page, sizeof page, st.st_size);
	int error = n < 0 ? errno : n < (ssize_t)sizeof page ? ENOSPC : 0;
	return n > 0 && ftruncate(fd, st.st_size) != 0 && !error ? errno : error;
}
