/* lastwords.c — formats and writes the line with async-signal-safe functions only. */
#include "lastwords.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "storage/lmdb/fault.h"

#define LINE_MAX_BYTES 1400
#define WRITE_MS 1000 /* a log that nobody reads must not keep the process alive */

static const char *command_name;
static int damage, lock_table;

struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
};

static void add(struct line *line, const char *text) {
	for (; *text && line->len + 2 < sizeof line->text; text++)
		line->text[line->len++] = *text;
}

/* Adds a number with `digits` digits, and the text after it. */
static void add_number(struct line *line, int64_t n, int digits, const char *after) {
	char text[8] = "";
	for (int i = digits - 1; i >= 0; i--, n /= 10)
		text[i] = (char)('0' + n % 10);
	add(line, text);
	add(line, after);
}

/* Adds the date of a day since 1970 (Howard Hinnant's algorithm, which counts from March of the year 0). */
static void add_date(struct line *line, int64_t days) {
	int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
	add_number(line, yoe + era * 400 + (month <= 2), 4, "-");
	add_number(line, month, 2, "-");
	add_number(line, doy - (153 * mp + 2) / 5 + 1, 2, "T");
}

static void add_time(struct line *line) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t seconds = now.tv_sec > 0 ? now.tv_sec : 0;
	add(line, "time=");
	add_date(line, seconds / 86400);
	add_number(line, seconds / 3600 % 24, 2, ":");
	add_number(line, seconds / 60 % 60, 2, ":");
	add_number(line, seconds % 60, 2, ".");
	add_number(line, now.tv_nsec / 1000000, 3, "Z ");
}

/* Adds a quoted text, as hf_log_quote() does, except that bytes beyond ASCII are not checked. */
static void add_quoted(struct line *line, const char *text) {
	add(line, "\"");
	for (; *text; text++) {
		char one[] = {*text, '\0'};
		if (*text == '"' || *text == '\\')
			add(line, "\\");
		add(line, (unsigned char)*text < ' ' || *text == 0x7f ? "?" : one);
	}
	add(line, "\"");
}

static void add_head(struct line *line, const char *message) {
	add_time(line);
	add(line, "level=error msg=");
	add_quoted(line, message);
	add(line, " detail=");
}

static void end(const char *detail, bool is_damage) {
	struct line line = {.len = 0};
	struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (command_name) {
		add(&line, "holdfastd ");
		add(&line, command_name);
		add(&line, ": ");
		add(&line, detail);
	} else {
		add_head(&line, "database damaged");
		add_quoted(&line, detail);
	}
	line.text[line.len++] = '\n';
	if (poll(&log, 1, WRITE_MS) > 0 && write(STDERR_FILENO, line.text, line.len) < 0)
		_exit(is_damage ? damage : lock_table);
	_exit(is_damage ? damage : lock_table);
}

void hf_lastwords_install(const char *command, int damage_status, int lock_table_status) {
	static const struct hf_fault_handler handler = {end};
	command_name = command;
	damage = damage_status;
	lock_table = lock_table_status;
	hf_fault_install(&handler);
}
