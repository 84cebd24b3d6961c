/* repair.h — `holdfastd repair`: rebuilds what follows from other records. */
#ifndef HF_SERVER_OFFLINE_REPAIR_H
#define HF_SERVER_OFFLINE_REPAIR_H

#include "command.h"

/* Runs the command and prints what it did. Returns its exit status. */
int hf_offline_repair(const struct hf_offline *o);

#endif
