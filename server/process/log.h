/* log.h — writes log lines in logfmt to standard error. Thread-safe. */
#ifndef HF_SERVER_PROCESS_LOG_H
#define HF_SERVER_PROCESS_LOG_H

#include <stdbool.h>

#include "storage/base/err.h"

enum hf_log_level { HF_LOG_DEBUG, HF_LOG_INFO, HF_LOG_WARN, HF_LOG_ERROR };

/* Sets the lowest level that is written; HF_LOG_INFO by default. Call it before the first thread. */
void hf_log_set_level(enum hf_log_level level);

/* Reads debug, info, warn or error. Returns false for any other text. */
bool hf_log_level_parse(const char *text, enum hf_log_level *ret);

/* Returns true if lines of this level are written. */
bool hf_log_enabled(enum hf_log_level level);

/* Writes `time=… level=… msg="…"` and the pairs of the format ("" for none), cut to the longest line. Values that are not plain
 * words must go through hf_log_quote(). */
void hf_log(enum hf_log_level level, const char *message, const char *format, ...) HF_PRINTF(3, 4);

/* Starts the log's thread. From now on logging never waits: lines that standard error does not take at once are written by the
 * thread, or dropped and counted (logwriter.h). Returns false if out of threads. */
bool hf_log_start(void);

/* Writes waiting lines for up to `grace_ms`, then drops those that cannot be written at once. */
void hf_log_stop(int grace_ms);

/* Writes the text, quoted, escaped and cut to the size, into ret. Returns ret. */
#define HF_LOG_QUOTED 400
const char *hf_log_quote(const char *text, char ret[HF_LOG_QUOTED]);

#endif
