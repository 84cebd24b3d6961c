/* log.h — one line a thing, in logfmt, on standard error. Thread-safe. */
#ifndef HF_SERVER_PROCESS_LOG_H
#define HF_SERVER_PROCESS_LOG_H

#include <stdbool.h>

#include "storage/base/err.h"

enum hf_log_level { HF_LOG_DEBUG, HF_LOG_INFO, HF_LOG_WARN, HF_LOG_ERROR };

/* Nothing below this level is written; HF_LOG_INFO at the start. Set it before there are threads. */
void hf_log_set_level(enum hf_log_level level);
bool hf_log_level_parse(const char *text, enum hf_log_level *ret);
bool hf_log_enabled(enum hf_log_level level);

/* Writes `time=… level=… msg="…"` and the pairs that the format makes ("" for none). Values that are not plain words go through
 * hf_log_quote(). */
void hf_log(enum hf_log_level level, const char *message, const char *format, ...) HF_PRINTF(3, 4);

/* From here on no line is waited for: what standard error does not take at once is written by a thread, or dropped and counted
 * (logwriter.h). False: out of threads. */
bool hf_log_start(void);

/* Writes what still waits, for at most `grace_ms`; what cannot be written at once after that is dropped. */
void hf_log_stop(int grace_ms);

/* Writes the text quoted and escaped into ret, cut to its size. Returns ret. */
#define HF_LOG_QUOTED 400
const char *hf_log_quote(const char *text, char ret[HF_LOG_QUOTED]);

#endif
