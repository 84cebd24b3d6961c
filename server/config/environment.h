/* environment.h — checks the variables HOLDFAST_…, so that a misspelt one is not silently ignored. */
#ifndef HF_SERVER_CONFIG_ENVIRONMENT_H
#define HF_SERVER_CONFIG_ENVIRONMENT_H

#include "storage/base/err.h"

#define HF_ENVIRONMENT_KNOWN_MAX 64

/* Checks that each variable HOLDFAST_… is one of the `n` known ones (at most HF_ENVIRONMENT_KNOWN_MAX) or belongs to the front
 * command. Variables that Kubernetes sets in a pod for a Service named holdfast or holdfast-… are ignored.
 * Fails with HF_E_INVALID_PARAMETER if a variable is unknown; `why` names it and the nearest known one. */
enum hf_err hf_environment_check(const char *const known[], int n, struct hf_why *why) HF_CHECKED;

#endif
