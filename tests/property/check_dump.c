/* check_dump.c — the store's dump makes the very same store again. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "check.h"
#include "storage/admin/build.h"
#include "storage/disk/datadir.h"

static enum hf_err load_line(void *context, const struct hf_line *line, struct hf_why *why) {
	return hf_load_line(context, line, why);
}

void c_dump(struct run *run) {
	struct fixture copy = {.now_ms = run->f.now_ms, .options = run->f.options};
	struct hf_load *load;
	struct hf_why why = {""};
	snprintf(copy.dir, sizeof copy.dir, "%.100s/copy", run->f.dir);
	if (mkdir(copy.dir, 0750) != 0)
		c_fail(run, "%s cannot be made", copy.dir);
	c_err(run, "load", hf_load_begin(copy.dir, &why, &load), HF_OK);
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	enum hf_err err = hf_dump(run->f.reader, load_line, load, &why);
	hf_reader_end(run->f.reader);
	hf_load_close(load);
	if (err)
		c_fail(run, "dump and load: %s, %s", hf_err_slug(err), why.text);
	fixture_open(&copy);
	struct hf_digest is = fixture_digest(&copy), expected = fixture_digest(&run->f);
	fixture_close(&copy);
	hf_datadir_scrap(copy.dir);
	if (!hf_digest_equal(&is, &expected))
		c_fail(run, "the store that was made of the dump differs");
}
