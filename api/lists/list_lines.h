/* list_lines.h — a list with one document a line (NDJSON). One thread at a time. */
#ifndef HF_API_LISTS_LIST_LINES_H
#define HF_API_LISTS_LIST_LINES_H

#include "list_buffer.h"

/* The NDJSON form of hf_list_reader_feed() and hf_list_reader_end(), with the same errors; the reason is in buffer->why. */
enum hf_err hf_list_lines_feed(struct hf_list_buffer *buffer, const char *data, size_t len) HF_CHECKED;
enum hf_err hf_list_lines_end(struct hf_list_buffer *buffer) HF_CHECKED;

#endif
