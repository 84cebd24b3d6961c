/* descriptors.h — makes sure that a process has its standard streams. */
#ifndef HF_STORAGE_DISK_DESCRIPTORS_H
#define HF_STORAGE_DISK_DESCRIPTORS_H

#include <stdbool.h>

/* Opens /dev/null as each of the descriptors 0 to 2 that is closed: otherwise the next file opened, such as the database, would get
 * that number, and messages for standard error would be written into it. Must be called before a program opens any file. Standard
 * input is opened for writing and standard output for reading, so that a command that needs one still fails with an error instead
 * of silently losing data; standard error accepts everything. Returns false if that fails; the process must then exit at once. */
bool hf_descriptors_fill(void);

#endif
