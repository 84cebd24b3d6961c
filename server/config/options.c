/* options.c — one table of settings; flags, variables, the file's keys and --help all follow from it. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/call/origin.h"
#include "api/sync/sync_ledger.h"
#include "conffile.h"
#include "environment.h"
#include "nearest.h"
#include "server/process/listen.h"
#include "storage/model/pool.h"

#define CONFIG "config"

enum type { TEXT, ADDRESS, HOSTS, FLAG, BYTES, SECONDS32, SECONDS, NUMBER, LEVEL };

/* A setting: --name VALUE, HOLDFAST_NAME with underscores, or name = VALUE in the file. Limits are those of the number or of the
 * text's length. */
static const struct setting {
	const char *name, *value, *help;
	enum type type;
	size_t offset;
	uint64_t min, max;
} SETTINGS[] = {
#define AT(member) offsetof(struct hf_options, member)
#define LEN(member) (sizeof((struct hf_options *)NULL)->member - 1)
	{CONFIG, "FILE", "a file of settings, name = VALUE, one a line (default none)", TEXT, AT(config), 1, LEN(config)},
	{"data-dir", "DIR", "where the database lives; made if missing (default ./holdfast-data)", TEXT, AT(data_dir), 1,
	 LEN(data_dir)},
	{"listen", "HOST:PORT", "where to listen; port 0 picks a free one (default 127.0.0.1:8241)", ADDRESS, AT(listen), 1,
	 LEN(listen)},
	{"insecure", NULL, "listen beyond loopback although there is no authentication yet", FLAG, AT(insecure), 0, 0},
	{"host", "NAME",
	 "a name that clients use for this server, or more, separated by commas; may be repeated (default localhost)", HOSTS,
	 AT(host), 1, LEN(host)},
	{"map-size", "SIZE", "the database file's limit, such as 64GiB; it is sparse (default 64GiB)", BYTES, AT(map_size_bytes),
	 1 << 20, (uint64_t)1 << 46},
	{"quarantine", "TIME", "what a pool gets that is written without one: 3600, 90s, 30m, 1h (default 1h)", SECONDS32,
	 AT(quarantine_seconds), 0, HF_QUARANTINE_MAX_SECONDS},
	{"max-body", "SIZE", "of one request, and of one document of a sync (default 256KiB)", BYTES, AT(body_max_bytes), 1024,
	 64 << 20},
	{"max-sync-body", "SIZE", "of one sync or manifest (default 256MiB)", BYTES, AT(sync_body_max_bytes), 1024,
	 (uint64_t)1 << 40},
	{"max-sync-items", "N", "of one sync or manifest (default 100000)", NUMBER, AT(sync_items_max), 1, 10000000},
	{"sync-memory", "SIZE", "of all syncs under way, a zone's a quarter at most; beyond it 503 (default 512MiB)", BYTES,
	 AT(sync_memory_bytes), 1 << 20, (uint64_t)1 << 40},
	{"max-connections", "N", "open at once (default 1000)", NUMBER, AT(connections_max), 1, 100000},
	{"max-connections-per-address", "N", "of these from one address, or one IPv6 /64 (default three quarters)", NUMBER,
	 AT(connections_per_address), 1, 100000},
	{"head-timeout", "TIME", "for a request's line and headers to come (default 15s)", SECONDS, AT(head_seconds), 1, 3600},
	{"body-timeout", "TIME", "for a body to come or an answer to be read, beside 1s for each 16KiB (default 30s)", SECONDS,
	 AT(body_seconds), 1, 3600},
	{"idle-timeout", "TIME", "that a connection stays open without a request (default 60s)", SECONDS, AT(idle_seconds), 1,
	 3600},
	{"max-queue", "N", "writes that wait; beyond it 503 overloaded (default 4096)", NUMBER, AT(queue_max), 1, 1000000},
	{"threads", "N", "workers, 1 to 64 (default: as many as processors, but 2 to 16)", NUMBER, AT(threads), 1, 64},
	{"changes-max", "N", "changes kept in the feed (default 200000)", NUMBER, AT(changes_max), 1, (uint64_t)1 << 40},
	{"changes-age", "TIME", "and for how long at the most (default 168h)", SECONDS, AT(changes_age_seconds), 1, 3650u * 86400},
	{"log-level", "LEVEL", "debug, info, warn or error (default info)", LEVEL, AT(log_level), 0, 0},
#undef LEN
#undef AT
};
#define N_SETTINGS ((int)(sizeof SETTINGS / sizeof *SETTINGS))
#define HELP_VALUE (N_SETTINGS)
#define VERSION_VALUE (N_SETTINGS + 1)

struct unit {
	const char *name;
	uint64_t factor;
};
static const struct unit BYTE_UNITS[] = {{"", 1},	   {"KiB", 1 << 10},	       {"MiB", 1 << 20},
					 {"GiB", 1 << 30}, {"TiB", (uint64_t)1 << 40}, {NULL, 0}};
static const struct unit TIME_UNITS[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {NULL, 0}};
static const struct unit NO_UNITS[] = {{"", 1}, {NULL, 0}};

static bool parse_number(const char *text, const struct unit *units, uint64_t min, uint64_t max, uint64_t *ret) {
	char *end;
	errno = 0;
	uint64_t value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		return false;
	while (units->name && strcmp(units->name, end) != 0)
		units++;
	if (!units->name || value > UINT64_MAX / units->factor)
		return false;
	*ret = value * units->factor;
	return *ret >= min && *ret <= max;
}

static bool parse_text(const char *text, uint64_t max, char *ret) {
	if (!*text || strlen(text) > max)
		return false;
	strcpy(ret, text);
	return true;
}

static bool parse(const struct setting *s, const char *text, void *ret) {
	uint64_t number = 0;
	bool good = true;
	switch (s->type) {
	case TEXT:
	case ADDRESS:
	case HOSTS:
		return parse_text(text, s->max, ret);
	case FLAG:
		good = strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
		*(bool *)ret = text[0] == 't';
		return good;
	case LEVEL:
		return hf_log_level_parse(text, ret);
	case SECONDS32:
		good = parse_number(text, TIME_UNITS, s->min, s->max, &number);
		*(uint32_t *)ret = (uint32_t)number;
		return good;
	default:
		good = parse_number(text,
				    s->type == BYTES	 ? BYTE_UNITS
				    : s->type == SECONDS ? TIME_UNITS
							 : NO_UNITS,
				    s->min, s->max, &number);
		*(uint64_t *)ret = number;
		return good;
	}
}

static enum hf_err check_hosts(const char *text, const char *source, struct hf_why *why) {
	struct hf_why said;
	enum hf_err err = hf_hosts_check(text, &said);
	return err ? hf_fail(why, err, "%s: %s", source, said.text) : HF_OK;
}

static enum hf_err set(struct hf_options *options, const struct setting *s, const char *text, const char *source,
		       struct hf_why *why) {
	char limits[64] = "";
	if (parse(s, text, (char *)options + s->offset)) /* an address is wrong at once, not only where it is used */
		return s->type == ADDRESS ? hf_listen_check(text, true, why)
		       : s->type == HOSTS ? check_hosts(text, source, why)
					  : HF_OK;
	if (s->type == FLAG)
		strcpy(limits, "true or false: ");
	else if (s->max)
		snprintf(limits, sizeof limits, "%" PRIu64 " to %" PRIu64 "%s: ", s->min, s->max,
			 s->type == NUMBER			      ? ""
			 : s->type == SECONDS || s->type == SECONDS32 ? " seconds"
								      : " bytes");
	return hf_fail(why, HF_E_INVALID_PARAMETER, "%s: \"%.60s\" is not valid: %s%s", source, text, limits, s->help);
}

static void variable_name(const struct setting *s, char ret[HF_VARIABLE_TEXT]) {
	snprintf(ret, HF_VARIABLE_TEXT, "HOLDFAST_%s", s->name);
	for (char *at = ret; *at; at++)
		*at = *at == '-' ? '_' : (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
}

bool hf_options_variable(int at, char ret[HF_VARIABLE_TEXT]) {
	if (at < N_SETTINGS)
		variable_name(&SETTINGS[at], ret);
	return at < N_SETTINGS;
}

/* The setting's name that is like a word, as `: is it NAME`, or nothing. */
static const char *guess(const char *word, char ret[HF_VARIABLE_TEXT]) {
	const char *names[N_SETTINGS];
	for (int i = 0; i < N_SETTINGS; i++)
		names[i] = SETTINGS[i].name;
	const char *nearest = hf_nearest(word, names, N_SETTINGS);
	snprintf(ret, HF_VARIABLE_TEXT, "%s%s", nearest ? ": is it " : "", nearest ? nearest : "");
	return ret;
}

static enum hf_err read_environment(struct hf_options *options, struct hf_why *why) {
	enum hf_err err = hf_environment_check(why);
	for (int i = 0; !err && i < N_SETTINGS; i++) {
		char name[HF_VARIABLE_TEXT];
		variable_name(&SETTINGS[i], name);
		const char *text = getenv(name);
		if (text)
			err = set(options, &SETTINGS[i], text, name, why);
	}
	return err;
}

/* The file's settings, and the line that each stands in; 0 is nowhere. */
struct file {
	struct hf_options *options;
	unsigned lines[N_SETTINGS];
};

static enum hf_err take_pair(void *context, unsigned line, const char *key, const char *value, struct hf_why *why) {
	struct file *file = context;
	int i = 0;
	while (i < N_SETTINGS && strcmp(SETTINGS[i].name, key) != 0)
		i++;
	if (i == N_SETTINGS || strcmp(key, CONFIG) == 0) {
		char like[HF_VARIABLE_TEXT] = "";
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%.60s\" is not a setting%s; see --help", key,
			       i == N_SETTINGS ? guess(key, like) : like);
	}
	if (file->lines[i])
		return hf_fail(why, HF_E_INVALID_PARAMETER, "%s is set in line %u already", key, file->lines[i]);
	file->lines[i] = line;
	return set(file->options, &SETTINGS[i], value, key, why);
}

/* The file that a flag names, or else a variable; an empty one is refused where the variables are read. */
static enum hf_err read_file(const char *flag, struct hf_options *options, struct hf_why *why) {
	struct file file = {.options = options};
	const char *variable = getenv("HOLDFAST_CONFIG"), *path = *flag ? flag : variable;
	return path && *path ? hf_conffile_read(path, &(struct hf_conffile_taker){take_pair, &file}, why) : HF_OK;
}

/* A flag that is not known, or has no value. */
static enum hf_err refuse_flag(const char *text, bool known, struct hf_why *why) {
	char name[HF_VARIABLE_TEXT], like[HF_VARIABLE_TEXT] = "";
	const char *word = text + strspn(text, "-");
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
	return hf_fail(why, HF_E_INVALID_PARAMETER, "%s: %s%s; see --help", text,
		       known ? "a value is missing" : "there is no such flag", known ? "" : guess(name, like));
}

/* What was taken of the flags so far. */
struct taken {
	bool given[N_SETTINGS];
	char hosts[sizeof((struct hf_options *)NULL)->host +
		   1]; /* names add up; a list that is too long stays too long to be taken */
};

static enum hf_err take_flag(struct hf_options *options, int i, const char *argument, struct taken *taken, struct hf_why *why) {
	char source[64];
	const char *value = argument ? argument : "true";
	size_t len = strlen(taken->hosts);
	snprintf(source, sizeof source, "--%s", SETTINGS[i].name);
	if (SETTINGS[i].type == HOSTS) {
		snprintf(taken->hosts + len, sizeof taken->hosts - len, "%s%s", len > 0 ? "," : "", argument);
		value = taken->hosts;
	} else if (taken->given[i]) {
		return hf_fail(why, HF_E_INVALID_PARAMETER, "%s is stated twice", source);
	}
	taken->given[i] = true;
	return set(options, &SETTINGS[i], value, source, why);
}

static enum hf_err read_flags(int argc, char **argv, struct hf_options *options, enum hf_run *ret_run, struct hf_why *why) {
	struct option flags[N_SETTINGS + 3] = {{0}};
	for (int i = 0; i < N_SETTINGS; i++)
		flags[i] = (struct option){SETTINGS[i].name, SETTINGS[i].type == FLAG ? optional_argument : required_argument, NULL,
					   i};
	flags[N_SETTINGS] = (struct option){"help", no_argument, NULL, HELP_VALUE};
	flags[N_SETTINGS + 1] = (struct option){"version", no_argument, NULL, VERSION_VALUE};
	struct taken taken = {0};
	opterr = 0;
	optind = 1;
	for (int flag; (flag = getopt_long(argc, argv, ":h", flags, NULL)) != -1;) {
		if (flag == '?' || flag == ':')
			return refuse_flag(argv[optind - 1], flag == ':', why);
		if (flag == HELP_VALUE || flag == 'h') {
			*ret_run = HF_RUN_HELP;
			return HF_OK;
		}
		if (flag == VERSION_VALUE) {
			*ret_run = HF_RUN_VERSION;
			return HF_OK;
		}
		enum hf_err err = take_flag(options, flag, optarg, &taken, why);
		if (err)
			return err;
	}
	if (optind < argc && strcmp(argv[optind], "serve") == 0)
		optind++;
	if (optind < argc)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%.60s\" is not a command; see --help", argv[optind]);
	return HF_OK;
}

enum hf_err hf_options_read(int argc, char **argv, struct hf_why *why, struct hf_options *ret, enum hf_run *ret_run) {
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct hf_options options = {
		.data_dir = "holdfast-data",
		.listen = "127.0.0.1:8241",
		.map_size_bytes = (uint64_t)64 << 30,
		.quarantine_seconds = 3600,
		.body_max_bytes = 256 << 10,
		.sync_body_max_bytes = HF_DEFAULT_SYNC_BODY_MAX,
		.sync_items_max = HF_DEFAULT_SYNC_ITEMS_MAX,
		.sync_memory_bytes = HF_DEFAULT_SYNC_MEMORY,
		.connections_max = 1000,
		.head_seconds = 15,
		.body_seconds = 30,
		.idle_seconds = 60,
		.queue_max = 4096,
		.threads = processors < 2    ? 2
			   : processors > 16 ? 16
					     : (uint64_t)processors,
		.changes_max = 200000,
		.changes_age_seconds = 7 * 86400,
		.log_level = HF_LOG_INFO,
	};
	*ret_run = HF_RUN_SERVE;
	struct hf_options asked = options;
	enum hf_err err = read_flags(argc, argv, &asked, ret_run, why); /* --help helps even where a variable is wrong */
	if (!err && *ret_run == HF_RUN_SERVE)
		err = read_file(asked.config, &options, why);
	if (!err && *ret_run == HF_RUN_SERVE)
		err = read_environment(&options, why);
	if (!err && *ret_run == HF_RUN_SERVE)
		err = read_flags(argc, argv, &options, ret_run, why);
	if (!err)
		*ret = options;
	return err;
}

void hf_options_help(void) {
	printf("Usage: holdfastd [serve] [FLAG…]\n"
	       "Holdfast keeps every mesh service on its virtual IP. This is its server.\n\n");
	for (int i = 0; i < N_SETTINGS; i++) {
		char head[48];
		snprintf(head, sizeof head, "--%s %s", SETTINGS[i].name, SETTINGS[i].value ? SETTINGS[i].value : "");
		printf("  %-24s %s\n", head, SETTINGS[i].help);
	}
	printf("  %-24s print this and stop\n  %-24s print the version and stop\n\n", "--help", "--version");
	printf("Each flag has a variable too, HOLDFAST_DATA_DIR for --data-dir; a flag wins over its variable, and this\n"
	       "over the file, where the same is written data-dir = DIR. A variable HOLDFAST_... that is none of these is an "
	       "error.\n"
	       "SIZE is a number of bytes, or of KiB, MiB, GiB, TiB. TIME is a number of seconds, or of s, m, h.\n\n"
	       "Exit status: 0 stopped by SIGTERM or SIGINT; 1 failed while running; 2 flags or other settings; 3 the data\n"
	       "directory cannot be used; 4 it is in use by another holdfastd; 5 it is of a newer format; 6 it is damaged;\n"
	       "7 cannot listen.\n");
}
