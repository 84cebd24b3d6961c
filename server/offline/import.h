/* import.h — `holdfastd import`: makes a store of an export, or merges it into one. */
#ifndef HF_SERVER_OFFLINE_IMPORT_H
#define HF_SERVER_OFFLINE_IMPORT_H

#include "command.h"

/* Runs the command and prints what it did. Returns its exit status. */
int hf_offline_import(const struct hf_offline *o);

#endif
