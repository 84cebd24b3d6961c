/* flags.h — reads flags, --name VALUE or --name=VALUE, from a command line and prints their --help. */
#ifndef HF_SERVER_CONFIG_FLAGS_H
#define HF_SERVER_CONFIG_FLAGS_H

#include <stdbool.h>

#include "storage/base/err.h"

#define HF_FLAGS_MAX 64 /* of one command */

/* One flag, usually the first member of a larger struct of the command's own. */
struct hf_flag {
	const char *name;  /* without the dashes */
	const char *value; /* its name in --help; NULL: a switch, which may be given =true or =false */
	bool repeats;	   /* may be given more than once */
};

/* The flags of a command; --help and -h are added. */
struct hf_flags {
	const struct hf_flag *all[HF_FLAGS_MAX];
	int n;
	bool version; /* adds --version */
	/* Takes a flag's value; a switch without a value has "true". An error ends the reading. */
	enum hf_err (*take)(void *context, const struct hf_flag *flag, const char *value, struct hf_why *why);
	void *context;
};

/* What a command line asks for. */
enum hf_asked { HF_ASKED_RUN, HF_ASKED_HELP, HF_ASKED_VERSION };

/* Reads all flags, in order, up to --help or --version. *ret_rest is the index of the first argument that is not a flag; argv is
 * permuted so that the others follow it. Not thread-safe.
 * Fails with HF_E_INVALID_PARAMETER if a flag is unknown, is given twice or has no value, or `take` refused it; `why` names it. */
enum hf_err hf_flags_read(const struct hf_flags *flags, int argc, char **argv, struct hf_why *why, enum hf_asked *ret_asked,
			  int *ret_rest) HF_CHECKED;

/* Prints the line of one flag in --help, or the lines of --help and --version, to standard output. */
void hf_flags_print(const struct hf_flag *flag, const char *help);
void hf_flags_print_common(const struct hf_flags *flags);

#endif
