/* backup_file.c — a backup's marks, and whether its contents match its digest. */
#include "backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_file.h"
#include "space.h"

#define CHECK_BYTES ((size_t)1 << 20) /* bytes per read */

static bool has_mark(int fd, const struct hf_lmdb_meta *file) {
	char mark[HF_BACKUP_MARK_BYTES];
	return pread(fd, mark, sizeof mark, (off_t)(file->page_bytes - sizeof mark)) == (ssize_t)sizeof mark &&
	       memcmp(mark, HF_BACKUP_MARK, sizeof mark) == 0;
}

bool hf_backup_is_marked(const char *path) {
	struct hf_lmdb_meta file;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool marked = fd >= 0 && hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &file) && has_mark(fd, &file);
	if (fd >= 0)
		close(fd);
	return marked;
}

/* Computes the digest of the first `len` bytes. Returns false if they cannot be read. */
static bool digest_file(int fd, uint64_t len, struct hf_digest *ret) {
	struct hf_hasher *hasher = hf_hasher_new();
	char *piece = malloc(CHECK_BYTES);
	ssize_t n = piece && hasher ? 1 : 0;
	for (uint64_t at = 0; n > 0 && at < len; at += (uint64_t)n) {
		n = pread(fd, piece, len - at < CHECK_BYTES ? (size_t)(len - at) : CHECK_BYTES, (off_t)at);
		if (n > 0)
			hf_hasher_add(hasher, piece, (size_t)n);
	}
	free(piece);
	if (hasher)
		*ret = hf_hasher_end(hasher);
	return n > 0;
}

static enum hf_err check_marked(int fd, const char *path, uint64_t file_bytes, uint64_t database, struct hf_why *why) {
	uint8_t trailer[HF_BACKUP_TRAILER_BYTES];
	struct hf_digest digest;
	uint64_t expected = database + HF_BACKUP_TRAILER_BYTES;
	if (file_bytes < expected)
		return hf_fail(why, HF_E_CORRUPT, "%.120s is a backup that was cut off: it has %" PRIu64 " bytes of %" PRIu64, path,
			       file_bytes, expected);
	if (file_bytes > expected || pread(fd, trailer, sizeof trailer, (off_t)database) != (ssize_t)sizeof trailer ||
	    memcmp(trailer, HF_BACKUP_MARK, HF_BACKUP_MARK_BYTES) != 0)
		return hf_fail(why, HF_E_CORRUPT, "%.120s is a backup that was altered: it does not end as one", path);
	if (!digest_file(fd, database + HF_BACKUP_MARK_BYTES, &digest))
		return hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be read: %s", path, strerror(errno));
	if (memcmp(digest.bytes, trailer + HF_BACKUP_MARK_BYTES, sizeof digest.bytes) != 0)
		return hf_fail(why, HF_E_CORRUPT, "%.120s is a backup that was altered: its digest does not match", path);
	return HF_OK;
}

enum hf_err hf_backup_check(const char *path, struct hf_why *why, enum hf_backup_kind *ret, uint64_t *ret_bytes) {
	struct hf_lmdb_meta file;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		enum hf_err err = hf_fail(why, HF_E_DATA_DIR, "%.120s cannot be read: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	enum hf_err err = HF_OK;
	bool marked = hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &file) && has_mark(fd, &file);
	if (marked)
		err = check_marked(fd, path, (uint64_t)st.st_size, file.pages * file.page_bytes, why);
	close(fd);
	*ret = marked ? HF_BACKUP_WHOLE : HF_BACKUP_NONE;
	*ret_bytes = marked ? file.pages * file.page_bytes : (uint64_t)st.st_size;
	return err;
}

enum hf_err hf_backup_unmark(const char *path, struct hf_why *why) {
	static const char nothing[HF_BACKUP_MARK_BYTES];
	struct hf_lmdb_meta file;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool done = fd >= 0 && hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &file) &&
		    pwrite(fd, nothing, sizeof nothing, (off_t)(file.page_bytes - sizeof nothing)) == (ssize_t)sizeof nothing &&
		    fsync(fd) == 0;
	enum hf_err err = done ? HF_OK : hf_fail(why, hf_space_err(errno), "%.120s cannot be written: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}
