/* commands.h — the offline commands, each in the file of its name. They print what they did and return their exit status. */
#ifndef HF_SERVER_OFFLINE_COMMANDS_H
#define HF_SERVER_OFFLINE_COMMANDS_H

#include "command.h"

int hf_offline_export(const struct hf_offline *o);  /* writes a store as lines of JSON */
int hf_offline_import(const struct hf_offline *o);  /* makes a store of an export, or merges it into one */
int hf_offline_migrate(const struct hf_offline *o); /* brings a store to the current format */
int hf_offline_repair(const struct hf_offline *o);  /* rebuilds what follows from other records */
int hf_offline_restore(const struct hf_offline *o); /* puts a backup in place of a database */
int hf_offline_verify(const struct hf_offline *o);  /* checks a store */

#endif
