/* environment.c — names of variables, known and strange. */
#include "environment.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nearest.h"
#include "options.h"

#define PREFIX "HOLDFAST_"
#define KNOWN_MAX 64

/* The front command's own. It passes them on to nobody, but whoever runs the server may have them set. */
static const char *const FRONT[] = {PREFIX "URL", PREFIX "TOKEN"};
#define N_FRONT ((int)(sizeof FRONT / sizeof *FRONT))

/* Kubernetes describes each Service of a namespace to each pod in it. */
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

enum hf_err hf_environment_check(struct hf_why *why) {
	char names[KNOWN_MAX][HF_VARIABLE_TEXT];
	const char *known[KNOWN_MAX + N_FRONT];
	int n = 0;
	while (n < KNOWN_MAX && hf_options_variable(n, names[n])) {
		known[n] = names[n];
		n++;
	}
	for (int i = 0; i < N_FRONT; i++)
		known[n++] = FRONT[i];
	for (char **at = environ; *at; at++) {
		char name[128];
		size_t len = strcspn(*at, "=");
		snprintf(name, sizeof name, "%.*s", len < sizeof name ? (int)len : (int)sizeof name - 1, *at);
		bool good = strncmp(name, PREFIX, strlen(PREFIX)) != 0 || is_of_kubernetes(name);
		for (int i = 0; !good && i < n; i++)
			good = strcmp(name, known[i]) == 0;
		if (good)
			continue;
		const char *nearest = hf_nearest(name, known, n);
		return hf_fail(why, HF_E_INVALID_PARAMETER, "%.60s: there is no such variable%s%s", name, nearest ? ": is it " : "",
			       nearest ? nearest : "");
	}
	return HF_OK;
}
