/* logwriter.h — writes lines to standard error without ever waiting for its reader.
 *
 * A line is written at once if the descriptor takes it. Otherwise it waits in a ring until a thread can write it. When the ring is
 * full, lines are dropped and counted, and a notice with their number follows as soon as lines flow again. Pipes, sockets and
 * terminals are never waited for. A regular file is written directly, unless a disk is known to hang. Thread-safe after the start.
 */
#ifndef HF_SERVER_PROCESS_LOGWRITER_H
#define HF_SERVER_PROCESS_LOGWRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest line in bytes, including its newline: a pipe takes as much whole or not at all. */
#define HF_LOG_LINE_MAX 1400

/* Starts the thread. Before it, and if it fails, lines are written directly and may wait. Returns false if out of threads. */
bool hf_logwriter_start(void);

/* Waits up to `grace_ms` until all waiting lines are written. Returns true if they were. */
bool hf_logwriter_flush(int grace_ms);

/* Flushes and ends the thread; lines that cannot be written at once after that are dropped. */
void hf_logwriter_stop(int grace_ms);

/* Writes or queues one line with its newline, at most HF_LOG_LINE_MAX bytes. */
void hf_logwriter_put(const char *line, size_t len);

/* While a disk hangs: sends lines to a file through the ring. */
void hf_logwriter_distrust_files(bool distrust);

/* Returns the number of lines dropped since the start. */
uint64_t hf_logwriter_dropped(void);

/* Formats the notice about dropped lines, and returns its length. Set it before the start. */
typedef size_t hf_logwriter_notice(uint64_t lines, char ret[HF_LOG_LINE_MAX]);
void hf_logwriter_set_notice(hf_logwriter_notice *notice);

#endif
