/* lastwords.h — the one line of a process that a damaged database ends; safe in a signal handler. */
#ifndef HF_SERVER_PROCESS_LASTWORDS_H
#define HF_SERVER_PROCESS_LASTWORDS_H

/* From now on such an end has this status; `command` is the offline command's name, NULL for the server, whose line is one of the
 * log. Once, before there are threads. */
void hf_lastwords_install(const char *command, int damage_status, int lock_table_status);

#endif
