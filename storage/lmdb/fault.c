/* fault.c — LMDB's assertions, and the signals that a damaged database raises. Code that runs in a signal handler calls only
 * async-signal-safe functions, such as write().
 */
#include "fault.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCHES_MAX 16
#define DETAIL_MAX 1000

struct watch {
	_Atomic uintptr_t begin; /* 0: unused, or being set */
	uintptr_t end;
	uint32_t page_bytes;
	bool is_lock_table;
	char path[PATH_MAX];
};

static const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGABRT};
#define N_SIGNALS (sizeof SIGNALS / sizeof *SIGNALS)

_Thread_local struct hf_fault_note hf_fault_note;
static struct watch watches[WATCHES_MAX];
static pthread_mutex_t watches_lock = PTHREAD_MUTEX_INITIALIZER;
static struct hf_fault_handler handler;
static struct sigaction before[N_SIGNALS];
static atomic_flag is_ending = ATOMIC_FLAG_INIT;

/* A sentence that a signal handler builds; it is cut off where it does not fit. */
struct sentence {
	char text[DETAIL_MAX];
	size_t len;
};

static void add(struct sentence *s, const char *text) {
	for (; *text && s->len + 1 < sizeof s->text; text++)
		s->text[s->len++] = *text;
	s->text[s->len] = '\0';
}

static void add_number(struct sentence *s, uint64_t n) {
	char digits[24];
	size_t at = sizeof digits - 1;
	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	add(s, digits + at);
}

static void add_table(struct sentence *s) {
	if (!hf_fault_note.table)
		return;
	add(s, hf_fault_note.inside ? ", in table \"" : ", after a look at table \"");
	add(s, hf_fault_note.table);
	add(s, "\"");
}

/* Lets the first thread report; others that fail meanwhile wait for the process to end. */
static void end(struct sentence *s, bool is_damage) {
	if (atomic_flag_test_and_set(&is_ending))
		for (;;)
			pause();
	if (is_damage)
		add(s,
		    ". Leave the file as it is; see what the disk says (dmesg); stop what uses it and run holdfastd verify on its "
		    "directory; then restore a backup");
	handler.end(s->text, is_damage);
	_exit(EXIT_FAILURE);
}

void hf_fault_assertion(const char *path, const char *text) {
	struct sentence s = {.len = 0};
	if (!handler.end)
		return;
	add(&s, path);
	add(&s, " is damaged: a page has wrong contents");
	add_table(&s);
	add(&s, " (");
	add(&s, text);
	add(&s, ")");
	end(&s, true);
}

static const struct watch *watch_of(uintptr_t address) {
	for (int i = 0; i < WATCHES_MAX; i++) {
		uintptr_t begin = watches[i].begin;
		if (begin && address >= begin && address < watches[i].end)
			return &watches[i];
	}
	return NULL;
}

/* Gives the signal its previous effect: a fault happens again as soon as this returns. */
static void pass_on(int signal_number, const siginfo_t *info) {
	for (size_t i = 0; i < N_SIGNALS; i++)
		if (SIGNALS[i] == signal_number)
			sigaction(signal_number, &before[i], NULL);
	if (info->si_code <= 0 || signal_number == SIGABRT)
		raise(signal_number); /* sent by a process: delivered when this returns */
}

static void on_signal(int signal_number, siginfo_t *info, void *context) {
	struct sentence s = {.len = 0};
	bool has_address = signal_number != SIGABRT && info->si_code > 0;
	const struct watch *watch = has_address ? watch_of((uintptr_t)info->si_addr) : NULL;
	(void)context;
	if (!watch && !(hf_fault_note.inside && (has_address || signal_number == SIGABRT))) {
		pass_on(signal_number, info);
		return;
	}
	add(&s, watch ? watch->path : "a database");
	if (watch && watch->is_lock_table) {
		add(&s, " was cut short or cannot be read any more; it holds no data, and a restart recreates it");
		end(&s, false);
	}
	add(&s, signal_number == SIGBUS ? " was cut short, or the disk cannot read it" : " is damaged");
	if (watch) {
		add(&s, ": page ");
		add_number(&s, ((uintptr_t)info->si_addr - watch->begin) / watch->page_bytes);
	}
	add_table(&s);
	add(&s, signal_number == SIGBUS ? " (SIGBUS)" : signal_number == SIGSEGV ? " (SIGSEGV)" : " (SIGABRT)");
	end(&s, true);
}

void hf_fault_install(const struct hf_fault_handler *wanted) {
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
	handler = *wanted;
	sigemptyset(&action.sa_mask);
	action.sa_sigaction = on_signal;
	for (size_t i = 0; i < N_SIGNALS; i++)
		sigaction(SIGNALS[i], &action, &before[i]);
}

/* Finds where a file is mapped, as LMDB does not say. Compares inode numbers alone: on some file systems the device listed here
 * differs from what stat() returns. */
static bool find_map(const struct stat *st, uintptr_t *ret_begin, uintptr_t *ret_end) {
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];
	unsigned long begin, ending, inode;
	bool found = false;
	while (maps && !found && fgets(line, sizeof line, maps))
		found = sscanf(line, "%lx-%lx %*s %*s %*s %lu", &begin, &ending, &inode) == 3 && inode == st->st_ino &&
			!watch_of(begin);
	if (maps)
		fclose(maps);
	*ret_begin = found ? begin : 0;
	*ret_end = found ? ending : 0;
	return found;
}

int hf_fault_watch(const char *path, int fd, uint32_t page_bytes, bool is_lock_table) {
	uintptr_t begin, ending;
	struct stat st;
	int found = -1;
	pthread_mutex_lock(&watches_lock);
	if ((is_lock_table ? stat(path, &st) : fstat(fd, &st)) == 0 && find_map(&st, &begin, &ending))
		for (int i = 0; i < WATCHES_MAX && found < 0; i++)
			if (!watches[i].begin) {
				watches[i].end = ending;
				watches[i].page_bytes = page_bytes;
				watches[i].is_lock_table = is_lock_table;
				snprintf(watches[i].path, sizeof watches[i].path, "%s", path);
				watches[i].begin = begin;
				found = i;
			}
	pthread_mutex_unlock(&watches_lock);
	return found;
}

void hf_fault_unwatch(int watch) {
	if (watch >= 0)
		watches[watch].begin = 0;
}
