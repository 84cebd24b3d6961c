/* offline.c — the table of offline commands; their flags and --help follow from it. */
#include "offline.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "server/config/flags.h"
#include "server/config/options.h"
#include "server/config/values.h"
#include "server/process/lastwords.h"

enum type { TEXT, SWITCH, NUMBER };

static const struct known_flag {
	struct hf_flag flag;
	const char *help;
	enum type type;
	size_t offset;
} FLAGS[] = {
#define AT(member) offsetof(struct hf_offline, member)
	{{"data-dir", "DIR", false},
	 "the data directory (default $HOLDFAST_DATA_DIR, else ./" HF_DEFAULT_DATA_DIR ")",
	 TEXT,
	 AT(data_dir)},
	{{"json", NULL, false}, "print JSON", SWITCH, AT(json)},
	{{"output", "FILE", false},
	 "write to this file, which appears whole or not at all (default standard output)",
	 TEXT,
	 AT(output)},
	{{"on-conflict", "HOW", false},
	 "keep the existing lease, or replace it unless another service has the address, or had it when the import began",
	 TEXT,
	 AT(on_conflict)},
	{{"restored", NULL, false},
	 "the store has gone on since the export: begin a new store epoch, as a restore does",
	 SWITCH,
	 AT(restored)},
	{{"dry-run", NULL, false}, "print what would be done, and change nothing", SWITCH, AT(dry_run)},
	{{"apply", NULL, false}, "repair; without it, only print what would be done", SWITCH, AT(apply)},
	{{"other-store", NULL, false}, "accept a directory that holds another store than the backup's", SWITCH, AT(other_store)},
	{{"store-epoch", "N", false},
	 "raise the store epoch to at least N: for lost data whose epoch was higher",
	 NUMBER,
	 AT(store_epoch)},
#undef AT
};
#define N_FLAGS ((int)(sizeof FLAGS / sizeof *FLAGS))

static const struct command {
	const char *name;
	const char *argument; /* its name in --help, in brackets if optional; NULL: none */
	const char *flags;    /* the accepted ones, each between spaces */
	const char *help;
	int (*run)(const struct hf_offline *o);
} COMMANDS[] = {
	{"verify", "[PATH]", " data-dir json ",
	 "Checks all invariants of a store: a data directory, even while a server uses it, or a file such as a backup.",
	 hf_offline_verify},
	{"restore", "FILE", " data-dir json other-store store-epoch ",
	 "Puts a backup in place of a data directory's database, which is kept aside, and begins a new store epoch.",
	 hf_offline_restore},
	{"export", "[PATH]", " data-dir output ",
	 "Writes everything in a store as lines of JSON: a data directory, even while a server uses it, or a file such as a "
	 "backup.",
	 hf_offline_export},
	{"import", "FILE", " data-dir on-conflict restored store-epoch dry-run json ",
	 "Makes the store of an export (FILE, or - for standard input), or adds its leases to an existing store.",
	 hf_offline_import},
	{"repair", NULL, " data-dir apply json ",
	 "Rebuilds what follows from other records: free extents, the reverse index, deadlines, counters, digests.",
	 hf_offline_repair},
	{"migrate", NULL, " data-dir json ",
	 "Brings a store of an older format to this version's, as a server does when it starts, and keeps a copy aside.",
	 hf_offline_migrate},
};
#define N_COMMANDS ((int)(sizeof COMMANDS / sizeof *COMMANDS))

static enum hf_err take_flag(void *context, const struct hf_flag *flag, const char *value, struct hf_why *why) {
	const struct known_flag *known = (const struct known_flag *)flag; /* its first member */
	void *at = (char *)context + known->offset;
	bool good = value[0] != '\0';
	if (known->type == TEXT)
		*(const char **)at = value;
	else if (known->type == SWITCH)
		good = hf_value_bool(value, at);
	else
		good = hf_value_number(value, HF_UNITS_NONE, 0, UINT64_MAX, at);
	return good ? HF_OK : hf_fail(why, HF_E_INVALID_PARAMETER, "--%s: \"%.60s\" is not valid; see --help", flag->name, value);
}

static void list_flags(const struct command *command, struct hf_flags *ret) {
	char word[32];
	*ret = (struct hf_flags){.take = take_flag};
	for (int i = 0; i < N_FLAGS; i++) {
		snprintf(word, sizeof word, " %s ", FLAGS[i].flag.name);
		if (strstr(command->flags, word))
			ret->all[ret->n++] = &FLAGS[i].flag;
	}
}

static void print_help(const struct command *command, const struct hf_flags *flags) {
	printf("Usage: holdfastd %s [FLAG…]%s%s\n%s\n\n", command->name, command->argument ? " " : "",
	       command->argument ? command->argument : "", command->help);
	for (int i = 0; i < flags->n; i++)
		hf_flags_print(flags->all[i], ((const struct known_flag *)flags->all[i])->help);
	hf_flags_print_common(flags);
	printf("\nExit status: 0 done; 1 refused, or something was found; 2 wrong arguments, or unreadable.\n");
}

/* Checks the arguments that are not flags, from argv[at] on. */
static enum hf_err take_argument(const struct command *command, int argc, char **argv, int at, struct hf_why *why,
				 struct hf_offline *ret) {
	if (at < argc && command->argument)
		ret->path = argv[at++];
	if (at < argc)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "unexpected argument \"%.60s\"; see --help", argv[at]);
	if (ret->path && !ret->path[0])
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the argument %s is empty; see --help", command->argument);
	if (command->argument && command->argument[0] != '[' && !ret->path)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the argument %s is missing; see --help", command->argument);
	return hf_options_check_environment(why);
}

static int run_command(const struct command *command, int argc, char **argv) {
	const char *configured = getenv("HOLDFAST_DATA_DIR");
	struct hf_offline o = {.data_dir = configured && *configured ? configured : HF_DEFAULT_DATA_DIR};
	struct hf_flags flags;
	struct hf_why why = {""};
	enum hf_asked asked;
	int rest = argc;
	list_flags(command, &flags);
	flags.context = &o;
	enum hf_err err = hf_flags_read(&flags, argc, argv, &why, &asked, &rest);
	if (!err && asked == HF_ASKED_HELP) {
		print_help(command, &flags);
		return HF_OFFLINE_DONE;
	}
	if (!err)
		err = take_argument(command, argc, argv, rest, &why, &o);
	return err ? hf_offline_fail(command->name, err, &why) : command->run(&o);
}

/* LMDB identifies readers by process id, and the first process of every container has id 1: if this is one, a child does the work.
 * Returns true in the process that does it. In the other, *ret_status is the child's exit status. */
static bool leave_first_process(int *ret_status) {
	int status;
	pid_t child = getpid() == 1 ? fork() : 0;
	if (child <= 0) /* not needed, or not possible */
		return true;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return false;
}

bool hf_offline_run(int argc, char **argv, int *ret_status) {
	const struct command *command = COMMANDS;
	while (command < COMMANDS + N_COMMANDS && (argc < 2 || strcmp(argv[1], command->name) != 0))
		command++;
	if (command == COMMANDS + N_COMMANDS)
		return false;
	gnutls_global_init();
	hf_lastwords_install(command->name, HF_OFFLINE_UNREADABLE, HF_OFFLINE_UNREADABLE);
	signal(SIGPIPE, SIG_IGN); /* a write to a closed pipe fails instead */
	signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit of file sizes fails instead */
	if (leave_first_process(ret_status))
		*ret_status = hf_offline_end(command->name, run_command(command, argc - 1, argv + 1));
	return true;
}
