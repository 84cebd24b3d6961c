/* flags.c — a table of flags for getopt_long(). */
#include "flags.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "nearest.h"

/* What getopt_long() returns; all above what it returns for a letter. */
enum { HELP = 256, VERSION, FIRST };

static void list_options(const struct hf_flags *flags, struct option ret[HF_FLAGS_MAX + 3]) {
	int n = 0;
	for (int i = 0; i < flags->n; i++)
		ret[n++] = (struct option){flags->all[i]->name, flags->all[i]->value ? required_argument : optional_argument, NULL,
					   FIRST + i};
	ret[n++] = (struct option){"help", no_argument, NULL, HELP};
	if (flags->version)
		ret[n++] = (struct option){"version", no_argument, NULL, VERSION};
	ret[n] = (struct option){0};
}

static enum hf_err refuse_unknown(const struct hf_flags *flags, const char *text, struct hf_why *why) {
	const char *names[HF_FLAGS_MAX], *word = text + strspn(text, "-");
	char name[64], hint[HF_NEAREST_HINT];
	for (int i = 0; i < flags->n; i++)
		names[i] = flags->all[i]->name;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
	return hf_fail(why, HF_E_INVALID_PARAMETER, "unknown flag %.60s%s", text,
		       hf_nearest_hint(name, names, flags->n, "--", hint));
}

static enum hf_err refuse(const struct hf_flags *flags, int found, const char *text, struct hf_why *why) {
	char letter[] = {'-', (char)optopt, '\0'};
	if (found == ':')
		return hf_fail(why, HF_E_INVALID_PARAMETER, "%.60s needs a value; see --help", text);
	return refuse_unknown(flags, optopt > 0 && optopt < HELP ? letter : text, why);
}

enum hf_err hf_flags_read(const struct hf_flags *flags, int argc, char **argv, struct hf_why *why, enum hf_asked *ret_asked,
			  int *ret_rest) {
	struct option options[HF_FLAGS_MAX + 3];
	bool given[HF_FLAGS_MAX] = {false};
	list_options(flags, options);
	*ret_asked = HF_ASKED_RUN;
	opterr = 0;
	optind = 1;
	for (int found; (found = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
		if (found == 'h' || found == HELP || found == VERSION) {
			*ret_asked = found == VERSION ? HF_ASKED_VERSION : HF_ASKED_HELP;
			return HF_OK;
		}
		if (found < FIRST)
			return refuse(flags, found, argv[optind - 1], why);
		const struct hf_flag *flag = flags->all[found - FIRST];
		if (given[found - FIRST] && !flag->repeats)
			return hf_fail(why, HF_E_INVALID_PARAMETER, "--%s is given twice", flag->name);
		given[found - FIRST] = true;
		enum hf_err err = flags->take(flags->context, flag, optarg ? optarg : "true", why);
		if (err)
			return err;
	}
	*ret_rest = optind;
	return HF_OK;
}

static void print_line(const char *name, const char *value, const char *help) {
	char head[48];
	snprintf(head, sizeof head, "--%s%s%s", name, value ? " " : "", value ? value : "");
	printf("  %-24s %s\n", head, help);
}

void hf_flags_print(const struct hf_flag *flag, const char *help) { print_line(flag->name, flag->value, help); }

void hf_flags_print_common(const struct hf_flags *flags) {
	print_line("help", NULL, "print this and stop");
	if (flags->version)
		print_line("version", NULL, "print the version and stop");
}
