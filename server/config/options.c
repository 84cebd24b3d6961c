/* options.c — one table of settings; flags, variables, the file's keys, --help and the defaults all follow from it. */
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/call/origin.h"
#include "conffile.h"
#include "environment.h"
#include "nearest.h"
#include "server/process/listen.h"
#include "storage/model/defaults.h"
#include "storage/model/pool.h"
#include "values.h"

#define CONFIG "config"

enum type { TEXT, ADDRESS, HOSTS, SWITCH, BYTES, SECONDS32, SECONDS, NUMBER, LEVEL };

/* A setting: --name VALUE, HOLDFAST_NAME with underscores, or name = VALUE in the file. The limits are those of a number, or of a
 * text's length. The default is a value as a flag would have it, NULL: 0 or empty; --help shows it, or `shown` in its place. */
static const struct setting {
	struct hf_flag flag;
	const char *help, *standard, *shown;
	enum type type;
	size_t offset;
	uint64_t min, max;
} SETTINGS[] = {
#define FLAG(name, value)                                                                                                          \
	{ name, value, false }
#define REPEATED(name, value)                                                                                                      \
	{ name, value, true }
#define AT(member) offsetof(struct hf_options, member)
#define DIGITS(number) #number
#define WORD(number) DIGITS(number) /* of a macro, the number that it stands for */
#define LEN(member) (sizeof((struct hf_options *)NULL)->member - 1)
	{FLAG(CONFIG, "FILE"), "a file of settings, name = VALUE, one a line", NULL, "default none", TEXT, AT(config), 1,
	 LEN(config)},
	{FLAG("data-dir", "DIR"), "where the database lives; made if missing", HF_DEFAULT_DATA_DIR,
	 "default ./" HF_DEFAULT_DATA_DIR, TEXT, AT(data_dir), 1, LEN(data_dir)},
	{FLAG("listen", "HOST:PORT"), "where to listen; port 0 picks a free one", "127.0.0.1:8241", NULL, ADDRESS, AT(listen), 1,
	 LEN(listen)},
	{FLAG("tokens", "FILE"),
	 "who may call, as holdfast token writes it, read again at SIGHUP; without it everybody is an administrator", NULL,
	 "default none", TEXT, AT(tokens), 1, LEN(tokens)},
	{FLAG("insecure-no-auth", NULL), "listen beyond loopback without --tokens", NULL, NULL, SWITCH, AT(insecure_no_auth), 0, 0},
	{FLAG("insecure-no-tls", NULL), "listen beyond loopback without TLS, which the server does not speak yet", NULL, NULL,
	 SWITCH, AT(insecure_no_tls), 0, 0},
	{REPEATED("host", "NAME"), "a name that clients use for this server, or more, separated by commas; may be repeated", NULL,
	 "default localhost", HOSTS, AT(host), 1, LEN(host)},
	{FLAG("map-size", "SIZE"), "the database file's limit, such as 64GiB; it is sparse", WORD(HF_DEFAULT_MAP_GIB) "GiB", NULL,
	 BYTES, AT(map_size_bytes), 1 << 20, (uint64_t)1 << 46},
	{FLAG("quarantine", "TIME"), "what a pool gets that is written without one: 3600, 90s, 30m, 1h", "1h", NULL, SECONDS32,
	 AT(quarantine_seconds), 0, HF_QUARANTINE_MAX_SECONDS},
	{FLAG("max-body", "SIZE"), "of one request, and of one document of a sync", "256KiB", NULL, BYTES, AT(body_max_bytes), 1024,
	 64 << 20},
	{FLAG("max-sync-body", "SIZE"), "of one sync or manifest", "256MiB", NULL, BYTES, AT(sync_body_max_bytes), 1024,
	 (uint64_t)1 << 40},
	{FLAG("max-sync-items", "N"), "of one sync or manifest", "100000", NULL, NUMBER, AT(sync_items_max), 1, 10000000},
	{FLAG("sync-memory", "SIZE"), "of all syncs under way, a zone's a quarter at most; beyond it 503", "512MiB", NULL, BYTES,
	 AT(sync_memory_bytes), 1 << 20, (uint64_t)1 << 40},
	{FLAG("max-connections", "N"), "open at once", "1000", NULL, NUMBER, AT(connections_max), 1, 100000},
	{FLAG("max-connections-per-address", "N"), "of these from one address, or one IPv6 /64", NULL, "default three quarters",
	 NUMBER, AT(connections_per_address), 1, 100000},
	{FLAG("head-timeout", "TIME"), "for a request's line and headers to come", "15s", NULL, SECONDS, AT(head_seconds), 1, 3600},
	{FLAG("body-timeout", "TIME"), "for a body to come or an answer to be read, beside 1s for each 16KiB", "30s", NULL, SECONDS,
	 AT(body_seconds), 1, 3600},
	{FLAG("idle-timeout", "TIME"), "that a connection stays open without a request", "60s", NULL, SECONDS, AT(idle_seconds), 1,
	 3600},
	{FLAG("max-queue", "N"), "writes that wait; beyond it 503 overloaded", WORD(HF_DEFAULT_QUEUE), NULL, NUMBER, AT(queue_max),
	 1, 1000000},
	{FLAG("threads", "N"), "workers, 1 to 64", NULL, "default: as many as processors, but 2 to 16", NUMBER, AT(threads), 1, 64},
	{FLAG("changes-max", "N"), "changes kept in the feed", WORD(HF_DEFAULT_CHANGES), NULL, NUMBER, AT(changes_max), 1,
	 (uint64_t)1 << 40},
	{FLAG("changes-age", "TIME"), "and for how long at the most", WORD(HF_DEFAULT_CHANGES_HOURS) "h", NULL, SECONDS,
	 AT(changes_age_seconds), 1, 3650u * 86400},
	{FLAG("log-level", "LEVEL"), "debug, info, warn or error", "info", NULL, LEVEL, AT(log_level), 0, 0},
#undef FLAG
#undef REPEATED
#undef LEN
#undef WORD
#undef DIGITS
#undef AT
};
#define N_SETTINGS ((int)(sizeof SETTINGS / sizeof *SETTINGS))
_Static_assert(N_SETTINGS <= HF_FLAGS_MAX && N_SETTINGS <= HF_ENVIRONMENT_KNOWN_MAX, "every setting fits");

#define VARIABLE_TEXT 64
#define HELP_TEXT 160

static const char *help_of(const struct setting *s, char ret[HELP_TEXT]) {
	const char *shown = s->shown ? s->shown : s->standard;
	snprintf(ret, HELP_TEXT, "%s%s%s%s%s", s->help, shown ? " (" : "", shown && !s->shown ? "default " : "", shown ? shown : "",
		 shown ? ")" : "");
	return ret;
}

static bool parse_text(const char *text, uint64_t max, char *ret) {
	if (!*text || strlen(text) > max)
		return false;
	strcpy(ret, text);
	return true;
}

static bool parse(const struct setting *s, const char *text, void *ret) {
	uint64_t seconds = 0;
	switch (s->type) {
	case TEXT:
	case ADDRESS:
	case HOSTS:
		return parse_text(text, s->max, ret);
	case SWITCH:
		return hf_value_bool(text, ret);
	case LEVEL:
		return hf_log_level_parse(text, ret);
	case BYTES:
		return hf_value_number(text, HF_UNITS_BYTES, s->min, s->max, ret);
	case SECONDS:
		return hf_value_number(text, HF_UNITS_SECONDS, s->min, s->max, ret);
	case SECONDS32:
		if (!hf_value_number(text, HF_UNITS_SECONDS, s->min, s->max, &seconds))
			return false;
		*(uint32_t *)ret = (uint32_t)seconds;
		return true;
	default:
		return hf_value_number(text, HF_UNITS_NONE, s->min, s->max, ret);
	}
}

static enum hf_err check_hosts(const char *text, const char *source, struct hf_why *why) {
	struct hf_why said;
	enum hf_err err = hf_hosts_check(text, &said);
	return err ? hf_fail(why, err, "%s: %s", source, said.text) : HF_OK;
}

/* Sets a setting. `source` is its flag, variable or key, for messages. */
static enum hf_err set(struct hf_options *options, const struct setting *s, const char *text, const char *source,
		       struct hf_why *why) {
	char limits[64] = "", help[HELP_TEXT];
	if (parse(s, text, (char *)options + s->offset)) /* refuse a wrong address now, not only where it is used */
		return s->type == ADDRESS ? hf_listen_check(text, (struct hf_beyond){true, true}, why)
		       : s->type == HOSTS ? check_hosts(text, source, why)
					  : HF_OK;
	if (s->type == SWITCH)
		strcpy(limits, "true or false: ");
	else if (s->max)
		snprintf(limits, sizeof limits, "%" PRIu64 " to %" PRIu64 "%s: ", s->min, s->max,
			 s->type == NUMBER			      ? ""
			 : s->type == SECONDS || s->type == SECONDS32 ? " seconds"
								      : " bytes");
	return hf_fail(why, HF_E_INVALID_PARAMETER, "%s: \"%.60s\" is not valid: %s%s", source, text, limits, help_of(s, help));
}

static void variable_name(const struct setting *s, char ret[VARIABLE_TEXT]) {
	snprintf(ret, VARIABLE_TEXT, "HOLDFAST_%s", s->flag.name);
	for (char *at = ret; *at; at++)
		*at = *at == '-' ? '_' : (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
}

enum hf_err hf_options_check_environment(struct hf_why *why) {
	char names[N_SETTINGS][VARIABLE_TEXT];
	const char *known[N_SETTINGS];
	for (int i = 0; i < N_SETTINGS; i++) {
		variable_name(&SETTINGS[i], names[i]);
		known[i] = names[i];
	}
	return hf_environment_check(known, N_SETTINGS, why);
}

static enum hf_err read_environment(struct hf_options *options, struct hf_why *why) {
	enum hf_err err = hf_options_check_environment(why);
	for (int i = 0; !err && i < N_SETTINGS; i++) {
		char name[VARIABLE_TEXT];
		variable_name(&SETTINGS[i], name);
		const char *text = getenv(name);
		if (text)
			err = set(options, &SETTINGS[i], text, name, why);
	}
	return err;
}

/* The settings of a file, and the line of each; 0: not set. */
struct file {
	struct hf_options *options;
	unsigned lines[N_SETTINGS];
};

static enum hf_err refuse_key(const char *key, struct hf_why *why) {
	const char *names[N_SETTINGS];
	char hint[HF_NEAREST_HINT];
	for (int i = 0; i < N_SETTINGS; i++)
		names[i] = SETTINGS[i].flag.name;
	return hf_fail(why, HF_E_INVALID_PARAMETER, "unknown setting \"%.60s\"%s", key,
		       hf_nearest_hint(key, names, N_SETTINGS, "", hint));
}

static enum hf_err take_pair(void *context, unsigned line, const char *key, const char *value, struct hf_why *why) {
	struct file *file = context;
	int i = 0;
	while (i < N_SETTINGS && strcmp(SETTINGS[i].flag.name, key) != 0)
		i++;
	if (i == N_SETTINGS)
		return refuse_key(key, why);
	if (strcmp(key, CONFIG) == 0)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "a file cannot set \"" CONFIG "\"; use the flag or the variable");
	if (file->lines[i])
		return hf_fail(why, HF_E_INVALID_PARAMETER, "%s is already set in line %u", key, file->lines[i]);
	file->lines[i] = line;
	return set(file->options, &SETTINGS[i], value, key, why);
}

/* Reads the file that a flag names, or else a variable. An empty variable is refused with the other variables. */
static enum hf_err read_file(const char *flag, struct hf_options *options, struct hf_why *why) {
	struct file file = {.options = options};
	const char *variable = getenv("HOLDFAST_CONFIG"), *path = *flag ? flag : variable;
	return path && *path ? hf_conffile_read(path, &(struct hf_conffile_taker){take_pair, &file}, why) : HF_OK;
}

/* The settings of the flags. */
struct taken {
	struct hf_options *options;
	/* All names, because they add up; one byte longer than a list may be, so that a list that was cut off is refused. */
	char hosts[sizeof((struct hf_options *)NULL)->host + 1];
};

static enum hf_err take_flag(void *context, const struct hf_flag *flag, const char *value, struct hf_why *why) {
	const struct setting *setting = (const struct setting *)flag; /* its first member */
	struct taken *taken = context;
	char source[64];
	snprintf(source, sizeof source, "--%s", flag->name);
	if (setting->type == HOSTS) {
		size_t len = strlen(taken->hosts);
		snprintf(taken->hosts + len, sizeof taken->hosts - len, "%s%s", len > 0 ? "," : "", value);
		value = taken->hosts;
	}
	return set(taken->options, setting, value, source, why);
}

static void list_flags(struct hf_flags *ret) {
	*ret = (struct hf_flags){.n = N_SETTINGS, .version = true, .take = take_flag};
	for (int i = 0; i < N_SETTINGS; i++)
		ret->all[i] = &SETTINGS[i].flag;
}

static enum hf_err read_flags(int argc, char **argv, struct hf_options *options, struct hf_why *why, enum hf_asked *ret_asked) {
	struct taken taken = {.options = options};
	struct hf_flags flags;
	int rest = argc;
	list_flags(&flags);
	flags.context = &taken;
	enum hf_err err = hf_flags_read(&flags, argc, argv, why, ret_asked, &rest);
	if (err || *ret_asked != HF_ASKED_RUN)
		return err;
	if (rest < argc && strcmp(argv[rest], "serve") == 0)
		rest++;
	if (rest < argc)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "unknown command \"%.60s\"; see --help", argv[rest]);
	return HF_OK;
}

static enum hf_err set_defaults(struct hf_options *ret, struct hf_why *why) {
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	enum hf_err err = HF_OK;
	*ret = (struct hf_options){.threads = processors < 2 ? 2 : processors > 16 ? 16 : (uint64_t)processors};
	for (int i = 0; !err && i < N_SETTINGS; i++)
		if (SETTINGS[i].standard)
			err = set(ret, &SETTINGS[i], SETTINGS[i].standard, SETTINGS[i].flag.name, why);
	return err;
}

enum hf_err hf_options_read(int argc, char **argv, struct hf_why *why, struct hf_options *ret, enum hf_asked *ret_asked) {
	struct hf_options options, asked;
	enum hf_err err = set_defaults(&options, why);
	if (err)
		return err;
	asked = options;
	err = read_flags(argc, argv, &asked, why, ret_asked); /* first: --help works even if a variable is wrong */
	if (err || *ret_asked != HF_ASKED_RUN)
		return err;
	err = read_file(asked.config, &options, why);
	if (!err)
		err = read_environment(&options, why);
	if (!err)
		err = read_flags(argc, argv, &options, why, ret_asked);
	if (!err)
		*ret = options;
	return err;
}

void hf_options_help(void) {
	struct hf_flags flags;
	char help[HELP_TEXT];
	printf("Usage: holdfastd [serve] [FLAG…]\n"
	       "Holdfast keeps every mesh service on its virtual IP. This is its server.\n\n");
	for (int i = 0; i < N_SETTINGS; i++)
		hf_flags_print(&SETTINGS[i].flag, help_of(&SETTINGS[i], help));
	list_flags(&flags);
	hf_flags_print_common(&flags);
	printf("\nEach flag has a variable too, HOLDFAST_DATA_DIR for --data-dir; a flag wins over its variable, and this\n"
	       "over the file, where the same is written data-dir = DIR. An unknown variable HOLDFAST_... is an error.\n"
	       "SIZE is a number of bytes, or of KiB, MiB, GiB, TiB. TIME is a number of seconds, or of s, m, h.\n\n"
	       "Exit status: 0 stopped by SIGTERM or SIGINT; 1 failed while running; 2 flags or other settings; 3 the data\n"
	       "directory cannot be used; 4 it is in use by another holdfastd; 5 it is of a newer format; 6 it is damaged;\n"
	       "7 cannot listen.\n");
}
