/* lock_file.c — the lines of DIR/holdfast.lock. */
#include "lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_file.h"
#include "space.h"
#include "storage/base/digest.h"

#define TEXT_MAX 512

static bool read_hex(const char *text, uint8_t ret[16]) {
	for (int i = 0; i < 16; i++) {
		unsigned byte;
		if (sscanf(text + (size_t)2 * (size_t)i, "%2x", &byte) != 1)
			return false;
		ret[i] = (uint8_t)byte;
	}
	return strlen(text) == 32;
}

static void read_line(const char *line, struct hf_lock_file *ret) {
	char id[33], host[HF_LOCK_FILE_HOST_MAX + 1];
	if (sscanf(line, "host %64s", host) == 1)
		memcpy(ret->host, host, sizeof ret->host);
	else if (sscanf(line, "store %32s epoch %" SCNu64 " revision %" SCNu64, id, &ret->store_epoch, &ret->revision) == 3)
		ret->has_store = read_hex(id, ret->store_id);
	else
		ret->is_clean = sscanf(line, "clean %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &ret->inode, &ret->bytes,
				       &ret->modified_ns, &ret->txn_id) == 4;
}

void hf_lock_file_read(int fd, struct hf_lock_file *ret) {
	char text[TEXT_MAX], *rest = text;
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	*ret = (struct hf_lock_file){.pid = 0};
	text[n > 0 ? n : 0] = '\0';
	ret->pid = strtol(text, NULL, 10);
	strsep(&rest, "\n");
	for (char *line; rest && (line = strsep(&rest, "\n")) && rest;) /* a line without an end was cut off */
		read_line(line, ret);
}

bool hf_lock_file_write(int fd, const struct hf_lock_file *mark) {
	char text[TEXT_MAX], host[HF_LOCK_FILE_HOST_MAX + 1] = "", id[33];
	gethostname(host, sizeof host - 1);
	int len = snprintf(text, sizeof text, "%ld\nhost %s\n", (long)getpid(), host[0] ? host : "-");
	hf_hex_encode(mark->store_id, sizeof mark->store_id, id);
	if (mark->has_store)
		len += snprintf(text + len, sizeof text - (size_t)len, "store %s epoch %" PRIu64 " revision %" PRIu64 "\n", id,
				mark->store_epoch, mark->revision);
	if (mark->is_clean)
		len += snprintf(text + len, sizeof text - (size_t)len, "clean %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
				mark->inode, mark->bytes, mark->modified_ns, mark->txn_id);
	/* remove the old text last, so that the new text can use its space on a full disk */
	ssize_t n = pwrite(fd, text, (size_t)len, 0);
	return (n >= 0 || hf_space_is_short(errno)) && ftruncate(fd, n == len ? len : 0) == 0 &&
	       (!mark->has_store || fsync(fd) == 0 || hf_space_is_short(errno));
}

static struct hf_lock_file of_store(const struct hf_meta *meta) {
	struct hf_lock_file mark = {.has_store = true, .store_epoch = meta->store_epoch, .revision = meta->revision};
	memcpy(mark.store_id, meta->store_id, sizeof mark.store_id);
	return mark;
}

bool hf_lock_file_store(int fd, const struct hf_meta *meta) {
	struct hf_lock_file mark = of_store(meta);
	return hf_lock_file_write(fd, &mark);
}

/* Reads what distinguishes a file from its copies and its earlier states. */
static bool look_at(const char *file, struct hf_lock_file *ret) {
	struct hf_lmdb_meta meta;
	struct stat st;
	int fd = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool seen = fd >= 0 && fstat(fd, &st) == 0 && hf_lmdb_meta_read(fd, HF_LMDB_ANY_TXN, &meta);
	if (fd >= 0)
		close(fd);
	if (!seen)
		return false;
	ret->inode = st.st_ino;
	ret->bytes = (uint64_t)st.st_size;
	ret->modified_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
	ret->txn_id = meta.txn_id;
	return true;
}

void hf_lock_file_closed(int fd, const struct hf_meta *meta, const char *file) {
	struct hf_lock_file mark = of_store(meta);
	mark.is_clean = look_at(file, &mark);
	if (!hf_lock_file_write(fd, &mark))
		return;
}

bool hf_lock_file_fits(const struct hf_lock_file *mark, const char *file) {
	struct hf_lock_file now;
	return mark->is_clean && look_at(file, &now) && now.inode == mark->inode && now.bytes == mark->bytes &&
	       now.modified_ns == mark->modified_ns && now.txn_id == mark->txn_id;
}

bool hf_lock_file_is_of_worth(const struct hf_lock_file *mark) {
	return mark->has_store && !(mark->is_clean && mark->store_epoch == 1 && mark->revision <= HF_DEFAULT_POOLS);
}

enum hf_err hf_lock_file_check(const struct hf_lock_file *mark, const char *dir, const struct hf_meta *meta, struct hf_why *why) {
	bool same = mark->has_store && memcmp(mark->store_id, meta->store_id, sizeof meta->store_id) == 0;
	if (!same || meta->store_epoch > mark->store_epoch ||
	    (meta->store_epoch == mark->store_epoch && meta->revision >= mark->revision))
		return HF_OK;
	return hf_fail(why, HF_E_DATA_DIR,
		       "data.mdb in %.80s is an older copy of the store that was there: revision %" PRIu64 ", and it had %" PRIu64
		       "; what was handed out since would go to others. Move it away, and restore it: holdfast restore FILE",
		       dir, meta->revision, mark->revision);
}
