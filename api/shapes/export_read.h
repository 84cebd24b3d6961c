/* export_read.h — reading the lines of an export. docs/export.md lists every member. Thread-safe. */
#ifndef HF_API_SHAPES_EXPORT_READ_H
#define HF_API_SHAPES_EXPORT_READ_H

#include "storage/admin/export.h"

#define HF_EXPORT_LINE_MAX (2 << 20) /* bytes of a line that is read, its end included; a written line is shorter */

/* Reads a line, which the caller gives up with hf_line_drop(). Members may come in any order; each must be present and have the
 * form that hf_export_write() gives it. A line is not compared with other lines. `why` names the member. Fails with
 * HF_E_INVALID_JSON if it is not a JSON object. Fails with HF_E_INVALID_PARAMETER if a member is missing, unknown or wrong. Fails
 * with HF_E_INVALID_NAME if a text is not a name. Fails with HF_E_INVALID_ADDRESS if a text is not an address, a range or a CIDR.
 * Fails with HF_E_POOL_OVERLAP if a pool's ranges overlap.
 * Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_export_read(const char *text, size_t len, struct hf_why *why, struct hf_line *ret) HF_CHECKED;

#endif
