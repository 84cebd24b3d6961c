/* restore.h — `holdfastd restore`: puts a backup in place of a database. */
#ifndef HF_SERVER_OFFLINE_RESTORE_H
#define HF_SERVER_OFFLINE_RESTORE_H

#include "command.h"

/* Runs the command and prints what it did. Returns its exit status. */
int hf_offline_restore(const struct hf_offline *o);

#endif
