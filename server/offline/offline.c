/* offline.c — one table of offline commands; their flags and --help follow from it. */
#include "offline.h"

#include <errno.h>
#include <getopt.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/config/environment.h"
#include "server/process/lastwords.h"
#include "server/process/owner.h"

enum type { TEXT, FLAG, NUMBER };

static const struct flag {
	const char *name, *value, *help;
	enum type type;
	size_t offset;
} FLAGS[] = {
#define AT(member) offsetof(struct hf_offline, member)
	{"data-dir", "DIR", "the data directory (default $HOLDFAST_DATA_DIR, else ./holdfast-data)", TEXT, AT(data_dir)},
	{"json", NULL, "tell it as JSON", FLAG, AT(json)},
	{"output", "FILE", "where to; it is there whole or not at all (default standard output)", TEXT, AT(output)},
	{"on-conflict", "HOW",
	 "keep what is there, or replace it, unless another service has the address, or had it when the run began", TEXT,
	 AT(on_conflict)},
	{"restored", NULL, "it is of the past: begin a new store epoch, as a restore does", FLAG, AT(restored)},
	{"dry-run", NULL, "tell what would be done, and change nothing", FLAG, AT(dry_run)},
	{"apply", NULL, "do it; else it is only told", FLAG, AT(apply)},
	{"other-store", NULL, "the directory may hold another store than the backup's", FLAG, AT(other_store)},
	{"store-epoch", "N", "raise the store epoch to N at least: for lost data whose epoch was higher", NUMBER, AT(store_epoch)},
#undef AT
};
#define N_FLAGS ((int)(sizeof FLAGS / sizeof *FLAGS))

static const struct command {
	const char *name;
	const char *argument; /* what the argument is, in brackets if it may be left out; NULL: none is taken */
	const char *flags;    /* that it takes, each between spaces */
	const char *help;
	int (*run)(const struct hf_offline *o);
} COMMANDS[] = {
	{"verify", "[PATH]", " data-dir json ",
	 "Checks all invariants of a store: a data directory, whose server may be at work, or a file such as a backup.",
	 hf_offline_verify},
	{"restore", "FILE", " data-dir json other-store store-epoch ",
	 "Puts a backup in place of a data directory's database, which is kept aside, and begins a new store epoch.",
	 hf_offline_restore},
	{"export", "[PATH]", " data-dir output ",
	 "Writes all that a store holds as lines of JSON: a data directory, whose server may be at work, or a file such as a "
	 "backup.",
	 hf_offline_export},
	{"import", "FILE", " data-dir on-conflict restored store-epoch dry-run json ",
	 "Makes the store of an export (FILE, or - for standard input), or adds its leases to a store that is in use.",
	 hf_offline_import},
	{"repair", NULL, " data-dir apply json ",
	 "Makes anew what follows from other records: free extents, the reverse index, deadlines, counters, digests.",
	 hf_offline_repair},
	{"migrate", NULL, " data-dir json ",
	 "Brings a store of an older format to this version's, as the server does at its start: a copy is kept aside.",
	 hf_offline_migrate},
};
#define N_COMMANDS ((int)(sizeof COMMANDS / sizeof *COMMANDS))

static bool takes(const struct command *command, const char *flag) {
	char word[32];
	snprintf(word, sizeof word, " %s ", flag);
	return strstr(command->flags, word) != NULL;
}

static void help(const struct command *command) {
	printf("Usage: holdfastd %s [FLAG…]%s%s\n%s\n\n", command->name, command->argument ? " " : "",
	       command->argument ? command->argument : "", command->help);
	for (int i = 0; i < N_FLAGS; i++) {
		char head[48];
		snprintf(head, sizeof head, "--%s %s", FLAGS[i].name, FLAGS[i].value ? FLAGS[i].value : "");
		if (takes(command, FLAGS[i].name))
			printf("  %-24s %s\n", head, FLAGS[i].help);
	}
	printf("  %-24s print this and stop\n\nExit status: 0 done; 1 refused, or something was found; 2 wrong arguments, or "
	       "unreadable.\n",
	       "--help");
}

static int usage(const struct command *command, const char *what, const char *of) {
	fprintf(stderr, "holdfastd %s: %s%s; see --help\n", command->name, what, of);
	return HF_OFFLINE_UNREADABLE;
}

static bool set(struct hf_offline *o, const struct flag *flag, const char *text) {
	void *at = (char *)o + flag->offset;
	char *end = NULL;
	switch (flag->type) {
	case TEXT:
		*(const char **)at = text;
		return text[0] != '\0';
	case FLAG:
		*(bool *)at = true;
		return true;
	default:
		errno = 0;
		*(uint64_t *)at = strtoull(text, &end, 10);
		return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
	}
}

/* -1: the arguments are read; else the status to end with. */
static int read_arguments(const struct command *command, int argc, char **argv, struct hf_offline *ret) {
	struct option options[N_FLAGS + 2] = {{0}};
	bool given[N_FLAGS] = {false};
	int n = 0, flag;
	for (int i = 0; i < N_FLAGS; i++)
		if (takes(command, FLAGS[i].name))
			options[n++] =
				(struct option){FLAGS[i].name, FLAGS[i].type == FLAG ? no_argument : required_argument, NULL, i};
	options[n] = (struct option){"help", no_argument, NULL, N_FLAGS};
	opterr = 0;
	optind = 1;
	while ((flag = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (flag == N_FLAGS || flag == 'h') {
			help(command);
			return HF_OFFLINE_DONE;
		}
		if (flag == '?' && optopt > ' ') {
			char letter[] = {'-', (char)optopt, '\0'};
			return usage(command, "there is no such flag: ", letter);
		}
		if (flag == '?' || flag == ':')
			return usage(command, flag == ':' ? "a value is missing: " : "there is no such flag: ", argv[optind - 1]);
		if (given[flag])
			return usage(command, "this flag is stated twice: --", FLAGS[flag].name);
		given[flag] = true;
		if (!set(ret, &FLAGS[flag], optarg))
			return usage(command, "this value is not valid: ", optarg);
	}
	if (optind < argc && command->argument)
		ret->path = argv[optind++];
	if (optind < argc)
		return usage(command, "one argument too many: ", argv[optind]);
	struct hf_why why;
	if (hf_environment_check(&why))
		return usage(command, why.text, "");
	if (ret->path && !ret->path[0])
		return usage(command, "an argument is empty: ", command->argument);
	if (command->argument && command->argument[0] != '[' && !ret->path)
		return usage(command, "an argument is missing: ", command->argument);
	return -1;
}

static bool unprinted; /* a JSON text could not be made */

void hf_offline_print(struct hf_buf *text) {
	unprinted = unprinted || text->failed;
	if (!text->failed) {
		fwrite(text->data, 1, text->len, stdout);
		putchar('\n');
	}
	hf_buf_free(text);
}

/* What was told may not have arrived. It is said here for all commands, whatever their status was. */
static int end_output(const char *command, int status) {
	if (unprinted) {
		fprintf(stderr, "holdfastd %s: out of memory, so what was done cannot be told\n", command);
		return HF_OFFLINE_UNREADABLE;
	}
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "holdfastd %s: standard output cannot be written%s%s\n", command, errno ? ": " : "",
		errno ? strerror(errno) : "");
	return HF_OFFLINE_UNREADABLE;
}

/* LMDB tells readers by their process's number, and a container's first process is number 1 in each: the work is done by a child.
 * False: it has been. */
static bool leave_first_process(int *ret_status) {
	int status;
	pid_t child = getpid() == 1 ? fork() : 0;
	if (child <= 0) /* none is needed, or none can be made */
		return true;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return false;
}

bool hf_offline_run(int argc, char **argv, int *ret_status) {
	const char *configured = getenv("HOLDFAST_DATA_DIR");
	struct hf_offline o = {.data_dir = configured && *configured ? configured : "holdfast-data"};
	for (int i = 0; argc > 1 && i < N_COMMANDS; i++)
		if (strcmp(argv[1], COMMANDS[i].name) == 0) {
			gnutls_global_init();
			hf_lastwords_install(COMMANDS[i].name, HF_OFFLINE_UNREADABLE, HF_OFFLINE_UNREADABLE);
			signal(SIGPIPE, SIG_IGN); /* so that a reader that leaves is an error of the write that meets it */
			signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of the write that meets it */
			if (!leave_first_process(ret_status))
				return true;
			*ret_status = read_arguments(&COMMANDS[i], argc - 1, argv + 1, &o);
			if (*ret_status < 0)
				*ret_status = COMMANDS[i].run(&o);
			*ret_status = end_output(COMMANDS[i].name, *ret_status);
			return true;
		}
	return false;
}

enum hf_err hf_offline_become(const char *path, struct hf_why *why) {
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return HF_OK;
	return hf_owner_become(path, why, NULL);
}

int hf_offline_fail(const char *command, enum hf_err err, const struct hf_why *why) {
	fprintf(stderr, "holdfastd %s: %s\n", command, why->text[0] ? why->text : hf_err_title(err));
	return err == HF_E_LOCKED || err == HF_E_STORAGE_FULL || err == HF_E_PRECONDITION_FAILED ? HF_OFFLINE_FOUND
												 : HF_OFFLINE_UNREADABLE;
}
