/* environment.h — the variables HOLDFAST_…: what is set must be known, so that a misspelt one is no silent default. */
#ifndef HF_SERVER_CONFIG_ENVIRONMENT_H
#define HF_SERVER_CONFIG_ENVIRONMENT_H

#include "storage/base/err.h"

/* Looks through the environment. Known are the settings' variables and those of the front command; what Kubernetes sets in a pod
 * for a Service of the name holdfast or holdfast-… is not ours and is passed over. HF_E_INVALID_PARAMETER: `why` names a variable
 * that is not known, and the one that it is like. */
enum hf_err hf_environment_check(struct hf_why *why) HF_CHECKED;

#endif
