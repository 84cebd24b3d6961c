/* options.h — what the process is told: flags over HOLDFAST_* variables over a file over defaults. */
#ifndef HF_SERVER_CONFIG_OPTIONS_H
#define HF_SERVER_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/process/log.h"
#include "storage/base/err.h"

struct hf_options {
	char config[4096]; /* a file of settings; empty: none */
	char data_dir[4096];
	char listen[128]; /* HOST:PORT, [HOST]:PORT; port 0 picks a free one */
	bool insecure;	  /* may listen beyond loopback */
	char host[1024];  /* names under which it may be asked, besides its address and loopback; separated by commas */
	uint64_t map_size_bytes;
	uint32_t quarantine_seconds;
	uint64_t body_max_bytes;
	uint64_t sync_body_max_bytes, sync_items_max, sync_memory_bytes;
	uint64_t connections_max, connections_per_address; /* the latter 0: three quarters */
	uint64_t head_seconds, body_seconds, idle_seconds; /* how long a client may take */
	uint64_t queue_max;
	uint64_t threads; /* workers */
	uint64_t changes_max;
	uint64_t changes_age_seconds;
	enum hf_log_level log_level;
};

/* What to do after the options were read. */
enum hf_run { HF_RUN_SERVE, HF_RUN_HELP, HF_RUN_VERSION };

/* Reads argv, the environment and the file that either names. HF_E_INVALID_PARAMETER: `why` names the flag, the variable, or file
 * and line. */
enum hf_err hf_options_read(int argc, char **argv, struct hf_why *why, struct hf_options *ret, enum hf_run *ret_run) HF_CHECKED;

/* The name of a setting's variable, by its place from 0 on. False: there are no more. */
#define HF_VARIABLE_TEXT 64
bool hf_options_variable(int at, char ret[HF_VARIABLE_TEXT]);

/* Prints what --help says to standard output. */
void hf_options_help(void);

#endif
