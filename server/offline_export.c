/* offline_export.c — `holdfastd export`. */
#include "api/export_json.h"
#include "offline.h"
#include "outfile.h"

#define WRITE_BYTES ((size_t)256 << 10) /* at once */

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
	enum hf_err err = hf_reader_open(store, &reader);
	if (err)
		return hf_fail(why, err, "no reader is left");
	err = hf_reader_begin(reader, why);
	if (!err)
		err = hf_dump(reader, add_line, e, why);
	hf_reader_close(reader);
	return err ? err : flush(e, why);
}

int hf_offline_export(const struct hf_offline *o) {
	struct export e = {.text = {0}};
	struct hf_why why = {""};
	struct hf_store *store;
	enum hf_err err = hf_store_open_read(o->path ? o->path : o->data_dir, &why, &store);
	if (err)
		return hf_offline_fail("export", err, &why);
	err = hf_outfile_open(o->output, &why, &e.out);
	if (!err) {
		err = export_to(&e, store, &why);
		if (!err)
			err = hf_outfile_commit(&e.out, &why);
		else
			hf_outfile_abort(&e.out);
	}
	hf_buf_free(&e.text);
	hf_store_close(store);
	return err ? hf_offline_fail("export", err, &why) : HF_OFFLINE_DONE;
}
