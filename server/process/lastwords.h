/* lastwords.h — the last line of a process that a damaged database ends. */
#ifndef HF_SERVER_PROCESS_LASTWORDS_H
#define HF_SERVER_PROCESS_LASTWORDS_H

/* Sets the exit statuses of such an end, by a damaged database or a damaged lock table. `command` is the name of the offline
 * command, or NULL for the server, whose line has the form of the log. Call it once, before the first thread. */
void hf_lastwords_install(const char *command, int damage_status, int lock_table_status);

#endif
