/* migrate.h — `holdfastd migrate`: brings a store to the current format. */
#ifndef HF_SERVER_OFFLINE_MIGRATE_H
#define HF_SERVER_OFFLINE_MIGRATE_H

#include "command.h"

/* Runs the command and prints what it did. Returns its exit status. */
int hf_offline_migrate(const struct hf_offline *o);

#endif
