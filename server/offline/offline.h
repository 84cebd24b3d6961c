/* offline.h — commands that work on a data directory or a file without a server: `holdfastd verify` and the like. */
#ifndef HF_SERVER_OFFLINE_OFFLINE_H
#define HF_SERVER_OFFLINE_OFFLINE_H

#include <stdbool.h>

/* Runs the offline command that argv names first, and sets *ret_status to its exit status: 0 done; 1 refused, or something was
 * found; 2 wrong arguments, or unreadable. Returns false if argv names none of them. Before the first thread is started. */
bool hf_offline_run(int argc, char **argv, int *ret_status);

#endif
