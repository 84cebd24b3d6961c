/* options.h — the server's settings: flags win over HOLDFAST_* variables, these over a file, and that over defaults. */
#ifndef HF_SERVER_CONFIG_OPTIONS_H
#define HF_SERVER_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flags.h"
#include "server/process/log.h"
#include "storage/base/err.h"

#define HF_DEFAULT_DATA_DIR "holdfast-data"

struct hf_options {
	char config[4096]; /* a file of settings; empty: none */
	char data_dir[4096];
	char listen[128];			/* HOST:PORT, [HOST]:PORT; port 0 picks a free one */
	char tokens[4096];			/* the tokens file; empty: no authentication */
	bool insecure_no_auth, insecure_no_tls; /* may listen beyond loopback without authentication, and without TLS */
	char host[1024]; /* names of the server in requests, besides its address and loopback; separated by commas */
	uint64_t map_size_bytes;
	uint32_t quarantine_seconds;
	uint64_t body_max_bytes;
	uint64_t sync_body_max_bytes, sync_items_max, sync_memory_bytes;
	uint64_t connections_max, connections_per_address; /* the latter 0: three quarters of the former */
	uint64_t head_seconds, body_seconds, idle_seconds; /* limits for slow clients */
	uint64_t queue_max;
	uint64_t threads; /* workers */
	uint64_t changes_max;
	uint64_t changes_age_seconds;
	enum hf_log_level log_level;
};

/* Reads argv, the environment, and the file that either of them names. *ret_asked: what to do; only HF_ASKED_RUN sets *ret.
 * Fails with HF_E_INVALID_PARAMETER if a setting is wrong; `why` names the flag, the variable, or file and line. */
enum hf_err hf_options_read(int argc, char **argv, struct hf_why *why, struct hf_options *ret, enum hf_asked *ret_asked) HF_CHECKED;

/* Checks that each variable HOLDFAST_… is known.
 * Fails with HF_E_INVALID_PARAMETER if one is unknown; `why` names it. */
enum hf_err hf_options_check_environment(struct hf_why *why) HF_CHECKED;

/* Prints --help to standard output. */
void hf_options_help(void);

#endif
