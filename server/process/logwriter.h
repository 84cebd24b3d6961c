/* logwriter.h — lines to standard error, so that whoever logs never waits for whoever reads.
 *
 * A line is written at once if the descriptor takes it at once. Else it waits in a ring, and a thread writes it once it can be
 * written; when the ring is full lines are dropped, counted, and their number becomes a line of its own once lines flow again.
 * Pipes, sockets and terminals are never waited for. A regular file is written directly, unless a disk is known to hang.
 * Thread-safe after the start.
 */
#ifndef HF_SERVER_PROCESS_LOGWRITER_H
#define HF_SERVER_PROCESS_LOGWRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest line, its newline included: a pipe takes as much whole or not at all. */
#define HF_LOG_LINE_MAX 1400

/* Starts the thread. Before, and if this fails, a line is written directly and may wait. False: out of threads. */
bool hf_logwriter_start(void);

/* Waits until all that waits is written, for at most `grace_ms`; whether it is. */
bool hf_logwriter_flush(int grace_ms);

/* Flushes and ends the thread; what cannot be written at once after that is dropped. */
void hf_logwriter_stop(int grace_ms);

/* Takes one line with its newline, at most HF_LOG_LINE_MAX bytes. */
void hf_logwriter_put(const char *line, size_t len);

/* A disk hangs: lines to a file go through the ring until it does not. */
void hf_logwriter_distrust_files(bool distrust);

/* Lines that were dropped since the start. */
uint64_t hf_logwriter_dropped(void);

/* Makes the line that says how many lines were dropped; the log's own form. Returns its length. */
typedef size_t hf_logwriter_notice(uint64_t lines, char ret[HF_LOG_LINE_MAX]);
void hf_logwriter_set_notice(hf_logwriter_notice *notice);

#endif
