/* log.c — formats lines; logwriter.c writes them. */
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/text/json.h"
#include "logwriter.h"

static const char *const NAMES[] = {"debug", "info", "warn", "error"};
static enum hf_log_level least = HF_LOG_INFO;

void hf_log_set_level(enum hf_log_level level) { least = level; }

bool hf_log_level_parse(const char *text, enum hf_log_level *ret) {
	for (int i = 0; i < (int)(sizeof NAMES / sizeof *NAMES); i++)
		if (strcmp(text, NAMES[i]) == 0) {
			*ret = (enum hf_log_level)i;
			return true;
		}
	return false;
}

bool hf_log_enabled(enum hf_log_level level) { return level >= least; }

/* Writes the head of a line, up to its pairs. Returns its length. */
static int begin_line(enum hf_log_level level, const char *message, char ret[HF_LOG_LINE_MAX]) {
	char when[32];
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(ret, HF_LOG_LINE_MAX, "time=%s.%03ldZ level=%s msg=\"%s\" ", when, now.tv_nsec / 1000000, NAMES[level],
			message);
}

void hf_log(enum hf_log_level level, const char *message, const char *format, ...) {
	char line[HF_LOG_LINE_MAX];
	va_list args;
	if (!hf_log_enabled(level))
		return;
	int len = begin_line(level, message, line);
	va_start(args, format);
	int more = vsnprintf(line + len, sizeof line - (size_t)len - 1, format, args);
	va_end(args);
	len += more < (int)sizeof line - len - 1 ? more : (int)sizeof line - len - 2;
	if (line[len - 1] == ' ')
		len--;
	line[len++] = '\n';
	hf_logwriter_put(line, (size_t)len);
}

static size_t notice(uint64_t lines, char ret[HF_LOG_LINE_MAX]) {
	int len = begin_line(HF_LOG_WARN, "log lines were dropped", ret);
	len += snprintf(ret + len, HF_LOG_LINE_MAX - (size_t)len,
			"lines=%" PRIu64 " detail=\"standard error was not read in time\"\n", lines);
	return (size_t)len;
}

bool hf_log_start(void) {
	hf_logwriter_set_notice(notice);
	return hf_logwriter_start();
}

void hf_log_stop(int grace_ms) { hf_logwriter_stop(grace_ms); }

const char *hf_log_quote(const char *text, char ret[HF_LOG_QUOTED]) { return hf_text_quote(text, ret, HF_LOG_QUOTED); }
