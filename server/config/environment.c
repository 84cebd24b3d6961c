/* environment.c — compares the names of variables with the known ones. */
#include "environment.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nearest.h"

#define PREFIX "HOLDFAST_"

/* The front command's own. It does not pass them on, but they may be set where the server runs. */
static const char *const FRONT[] = {PREFIX "URL", PREFIX "TOKEN", PREFIX "TOKEN_FILE"};
#define N_FRONT ((int)(sizeof FRONT / sizeof *FRONT))

/* Kubernetes sets variables that describe each Service of a namespace in each of its pods. */
static bool is_of_kubernetes(const char *name) {
	static const char *const patterns[] = {
		PREFIX "PORT",		 PREFIX "PORT_[0-9]*",	   PREFIX "*_PORT",	  PREFIX "*_PORT_[0-9]*_*",
		PREFIX "SERVICE_HOST",	 PREFIX "*_SERVICE_HOST",  PREFIX "SERVICE_PORT", PREFIX "SERVICE_PORT_*",
		PREFIX "*_SERVICE_PORT", PREFIX "*_SERVICE_PORT_*"};
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

static bool is_listed(const char *name, const char *const list[], int n) {
	for (int i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

enum hf_err hf_environment_check(const char *const known[], int n, struct hf_why *why) {
	const char *all[HF_ENVIRONMENT_KNOWN_MAX + N_FRONT];
	memcpy(all, known, (size_t)n * sizeof *all);
	memcpy(all + n, FRONT, sizeof FRONT);
	for (char **at = environ; *at; at++) {
		char name[128], hint[HF_NEAREST_HINT];
		size_t len = strcspn(*at, "=");
		snprintf(name, sizeof name, "%.*s", len < sizeof name ? (int)len : (int)sizeof name - 1, *at);
		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || is_of_kubernetes(name) || is_listed(name, all, n + N_FRONT))
			continue;
		return hf_fail(why, HF_E_INVALID_PARAMETER, "unknown variable %.60s%s", name,
			       hf_nearest_hint(name, all, n + N_FRONT, "", hint));
	}
	return HF_OK;
}
