/* export.h — `holdfastd export`: writes a store as lines of JSON. */
#ifndef HF_SERVER_OFFLINE_EXPORT_H
#define HF_SERVER_OFFLINE_EXPORT_H

#include "command.h"

/* Runs the command and prints what it did. Returns its exit status. */
int hf_offline_export(const struct hf_offline *o);

#endif
