/* backup.c — reads the pages of a snapshot from the file while the server works. */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/disk/lmdb_file.h"
#include "storage/disk/space.h"
#include "storage/tables/meta_table.h"

#define READ_AHEAD_BYTES ((off_t)4 << 20)

struct hf_backup {
	pthread_mutex_t lock; /* guards the snapshot */
	struct hf_txn *reader;
	_Atomic bool expired;
	int fd; /* of the database, which closes it */
	struct hf_lmdb_meta file;
	struct hf_meta meta;
	struct hf_hasher *hasher; /* NULL: the digest is complete */
	uint64_t at;		  /* the next byte to read */
	uint8_t head[2 * HF_LMDB_PAGE_MAX];
	uint8_t trailer[HF_BACKUP_TRAILER_BYTES];
};

static uint64_t database_bytes(const struct hf_backup *backup) { return backup->file.pages * backup->file.page_bytes; }

static void make_head(struct hf_backup *backup) {
	uint32_t page_bytes = backup->file.page_bytes;
	for (int page = 0; page < 2; page++)
		hf_lmdb_meta_page(&backup->file, page, backup->head + (size_t)page * page_bytes);
	memcpy(backup->head + page_bytes - HF_BACKUP_MARK_BYTES, HF_BACKUP_MARK, HF_BACKUP_MARK_BYTES);
	memcpy(backup->trailer, HF_BACKUP_MARK, HF_BACKUP_MARK_BYTES);
}

enum hf_err hf_backup_open(struct hf_store *store, struct hf_why *why, struct hf_backup **ret) {
	struct hf_backup *backup = calloc(1, sizeof *backup);
	if (backup)
		backup->hasher = hf_hasher_new();
	enum hf_err err = backup && backup->hasher ? hf_reader_open(store, why, &backup->reader) : hf_no_memory(why);
	if (!err)
		err = hf_txn_renew_file(backup->reader, why, &backup->fd, &backup->file);
	if (!err) {
		backup->meta = hf_meta_read(backup->reader);
		err = hf_txn_fault(backup->reader, why);
	}
	if (err) {
		if (backup && backup->hasher)
			hf_hasher_end(backup->hasher);
		if (backup)
			hf_reader_close(backup->reader);
		free(backup);
		return err;
	}
	pthread_mutex_init(&backup->lock, NULL);
	make_head(backup);
	*ret = backup;
	return HF_OK;
}

uint64_t hf_backup_bytes(const struct hf_backup *backup) { return database_bytes(backup) + HF_BACKUP_TRAILER_BYTES; }

const struct hf_meta *hf_backup_meta(const struct hf_backup *backup) { return &backup->meta; }

/* Reads bytes of the pages. A sound file may end before its last page (lmdb_file.h): no tree uses the missing pages. */
static ssize_t read_pages(struct hf_backup *backup, void *ret, size_t max) {
	uint64_t left = database_bytes(backup) - backup->at;
	size_t len = left < max ? (size_t)left : max;
	ssize_t n = pread(backup->fd, ret, len, (off_t)backup->at);
	if (n == 0) {
		memset(ret, 0, len);
		n = (ssize_t)len;
	}
	off_t block = (off_t)(backup->at + len) / READ_AHEAD_BYTES;
	if (block != (off_t)backup->at / READ_AHEAD_BYTES)
		posix_fadvise(backup->fd, (block + 1) * READ_AHEAD_BYTES, READ_AHEAD_BYTES, POSIX_FADV_WILLNEED);
	return n;
}

static ssize_t copy_out(const uint8_t *from, uint64_t len, void *ret, size_t max) {
	size_t n = len < max ? (size_t)len : max;
	memcpy(ret, from, n);
	return (ssize_t)n;
}

/* Reads the next bytes. The caller holds the lock. */
static ssize_t read_next(struct hf_backup *backup, void *ret, size_t max) {
	uint64_t head_bytes = 2 * (uint64_t)backup->file.page_bytes, end = database_bytes(backup),
		 mark = end + HF_BACKUP_MARK_BYTES;
	if (backup->expired || !backup->reader)
		return -1;
	if (backup->at == mark && backup->hasher) {
		struct hf_digest digest = hf_hasher_end(backup->hasher);
		backup->hasher = NULL;
		memcpy(backup->trailer + HF_BACKUP_MARK_BYTES, digest.bytes, sizeof digest.bytes);
	}
	ssize_t n;
	if (backup->at < head_bytes)
		n = copy_out(backup->head + backup->at, head_bytes - backup->at, ret, max);
	else if (backup->at < end)
		n = read_pages(backup, ret, max);
	else /* write the mark first, as the digest covers it */
		n = copy_out(backup->trailer + (backup->at - end),
			     (backup->at < mark ? mark : hf_backup_bytes(backup)) - backup->at, ret, max);
	if (n > 0 && backup->hasher)
		hf_hasher_add(backup->hasher, ret, (size_t)n);
	backup->at += n > 0 ? (uint64_t)n : 0;
	return n;
}

ssize_t hf_backup_read(struct hf_backup *backup, void *ret, size_t max) {
	pthread_mutex_lock(&backup->lock);
	ssize_t n = read_next(backup, ret, max);
	pthread_mutex_unlock(&backup->lock);
	if (backup->expired) /* perhaps by a thread that just failed to get the lock */
		hf_backup_expire(backup);
	return n;
}

void hf_backup_expire(struct hf_backup *backup) {
	backup->expired = true;
	if (pthread_mutex_trylock(&backup->lock) != 0)
		return; /* the reading thread holds it, and will check */
	hf_reader_close(backup->reader);
	backup->reader = NULL;
	pthread_mutex_unlock(&backup->lock);
}

void hf_backup_close(struct hf_backup *backup) {
	hf_backup_expire(backup);
	if (backup->hasher)
		hf_hasher_end(backup->hasher);
	pthread_mutex_destroy(&backup->lock);
	free(backup);
}
