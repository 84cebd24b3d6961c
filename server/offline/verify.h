/* verify.h — `holdfastd verify`: checks a store. */
#ifndef HF_SERVER_OFFLINE_VERIFY_H
#define HF_SERVER_OFFLINE_VERIFY_H

#include "command.h"

/* Runs the command and prints what it did. Returns its exit status. */
int hf_offline_verify(const struct hf_offline *o);

#endif
