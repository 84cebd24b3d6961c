/* export.c — `holdfastd export`. */
#include "commands.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/shapes/export_json.h"
#include "outfile.h"
#include "server/process/owner.h"
#include "storage/disk/file.h"
#include "storage/store/open.h"

#define WRITE_BYTES ((size_t)256 << 10)
#define LIMIT_S 60
#define LIMIT_BYTES_PER_S 1048576

struct export {
	struct hf_outfile out;
	struct hf_buf text;
};

static enum hf_err flush(struct export *e, struct hf_why *why) {
	enum hf_err err = hf_outfile_write(&e->out, e->text.data, e->text.len, why);
	e->text.len = 0;
	return err;
}

static enum hf_err add_line(void *context, const struct hf_line *line, struct hf_why *why) {
	struct export *e = context;
	enum hf_err err = hf_export_write(&e->text, line, why);
	return err || e->text.len < WRITE_BYTES ? err : flush(e, why);
}

static enum hf_err export_to(struct export *e, struct hf_store *store, struct hf_why *why) {
	struct hf_txn *reader;
	enum hf_err err = hf_reader_open(store, why, &reader);
	if (err)
		return err;
	err = hf_reader_begin(reader, why);
	if (!err)
		err = hf_dump(reader, add_line, e, why);
	hf_reader_close(reader);
	return err ? err : flush(e, why);
}

static void on_alarm(int signal_number) {
	static const char words[] =
		"holdfastd export: standard output is read too slowly, which keeps old pages of a running server; use --output\n";
	(void)signal_number;
	if (write(STDERR_FILENO, words, sizeof words - 1) < 0)
		_exit(HF_OFFLINE_UNREADABLE);
	_exit(HF_OFFLINE_UNREADABLE);
}

/* Limits how long a snapshot of a served store stays open for a slow reader of the lines: a minute, and a second more for each MiB
 * of the store. */
static void limit_time(const struct hf_offline *o, const struct hf_store *store) {
	uint64_t used_bytes, map_bytes;
	char lock[PATH_MAX];
	hf_store_size(store, &used_bytes, &map_bytes);
	int len = snprintf(lock, sizeof lock, "%s/holdfast.lock", o->path ? o->path : o->data_dir);
	if (o->output || len >= (int)sizeof lock || !hf_file_is_locked(lock))
		return;
	signal(SIGALRM, on_alarm);
	alarm((unsigned)(LIMIT_S + used_bytes / LIMIT_BYTES_PER_S));
}

/* Reads the store and writes its lines; the caller commits the file. */
static enum hf_err export_lines(const struct hf_offline *o, struct export *e, struct hf_why *why) {
	const char *path = o->path ? o->path : o->data_dir;
	struct hf_store *store;
	enum hf_err err = hf_offline_become(path, why);
	if (!err)
		err = hf_store_open_read(path, why, &store);
	if (err)
		return err;
	limit_time(o, store);
	err = export_to(e, store, why);
	hf_store_close(store);
	return err;
}

/* For root in another user's directory: root may write where the owner may not, so a child with the owner's ids reads the store,
 * and root puts the file in place. Returns the exit status, or -1 in all other cases. */
static int export_as_owner(const struct hf_offline *o, struct export *e) {
	struct hf_why why = {""};
	int status;
	pid_t child = o->output && hf_owner_is_another(o->path ? o->path : o->data_dir) ? fork() : -1;
	if (child < 0)
		return -1;
	if (child == 0) {
		enum hf_err failed = export_lines(o, e, &why);
		_exit(failed ? hf_offline_fail("export", failed, &why) : HF_OFFLINE_DONE);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : HF_OFFLINE_UNREADABLE;
	if (status != HF_OFFLINE_DONE) {
		hf_outfile_abort(&e->out);
		return status;
	}
	enum hf_err err = hf_outfile_commit(&e->out, &why);
	return err ? hf_offline_fail("export", err, &why) : HF_OFFLINE_DONE;
}

int hf_offline_export(const struct hf_offline *o) {
	struct export e = {.text = {0}};
	struct hf_why why = {""};
	enum hf_err err = hf_outfile_open(o->output, &why, &e.out);
	if (err)
		return hf_offline_fail("export", err, &why);
	int status = export_as_owner(o, &e);
	if (status >= 0)
		return status;
	err = export_lines(o, &e, &why);
	if (!err)
		err = hf_outfile_commit(&e.out, &why);
	else
		hf_outfile_abort(&e.out);
	hf_buf_free(&e.text);
	return err ? hf_offline_fail("export", err, &why) : HF_OFFLINE_DONE;
}
