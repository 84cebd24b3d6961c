/* descriptors.h — the standard streams of a process, there whatever it was started with. */
#ifndef HF_STORAGE_DISK_DESCRIPTORS_H
#define HF_STORAGE_DISK_DESCRIPTORS_H

#include <stdbool.h>

/* Gives descriptors 0 to 2 to /dev/null where they are closed: else the next file that is opened, such as the database, gets such a
 * number, and what is meant for standard error is written into it. The first act of every program that opens files. Input and
 * output are opened the wrong way round, so that a command whose input or output matters fails with an error as before instead of
 * losing it in silence; standard error takes everything. False: that cannot be done, and the process must end at once. */
bool hf_descriptors_fill(void);

#endif
