/* export_json.h — writing the lines of an export as JSON, one object each. docs/export.md lists every member. Thread-safe. */
#ifndef HF_API_SHAPES_EXPORT_JSON_H
#define HF_API_SHAPES_EXPORT_JSON_H

#include "api/text/buf.h"
#include "storage/admin/export.h"

#define HF_EXPORT_VERSION 3 /* the version that is written; export_read.h accepts older ones too */

/* Appends a line and its newline. The same record always gives the same bytes.
 * Fails with HF_E_CORRUPT if a damaged record has a time or number that no line can hold.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_export_write(struct hf_buf *out, const struct hf_line *line, struct hf_why *why) HF_CHECKED;

#endif
