/* export_json.h — the lines of an export as JSON, one object each. docs/export.md has every member. Thread-safe. */
#ifndef HF_API_SHAPES_EXPORT_JSON_H
#define HF_API_SHAPES_EXPORT_JSON_H

#include "api/text/buf.h"
#include "storage/admin/export.h"

#define HF_EXPORT_VERSION 2	       /* what is written; older ones are read too */
#define HF_EXPORT_LINE_MAX (256 << 10) /* bytes of a line that is read, its end included; none that is written comes near */

/* Appends a line and its newline: always the same bytes for the same record. HF_E_CORRUPT: a time or number that no line can say,
 * which comes from a damaged record. HF_E_STORAGE: out of memory. */
enum hf_err hf_export_write(struct hf_buf *out, const struct hf_line *line, struct hf_why *why) HF_CHECKED;

/* Reads a line. Members may come in any order, but none may be missing, unknown, or of another form than hf_export_write() gives
 * them. HF_E_INVALID_JSON, HF_E_INVALID_PARAMETER, HF_E_INVALID_NAME, HF_E_INVALID_ADDRESS, HF_E_POOL_OVERLAP: `why` names the
 * member. What a line says is not compared with other lines. */
enum hf_err hf_export_read(const char *text, size_t len, struct hf_why *why, struct hf_line *ret) HF_CHECKED;

#endif
