/* dump_support.h — a store that has something of everything, exports as text, imports from text. */
#ifndef HF_TESTS_DUMP_SUPPORT_H
#define HF_TESTS_DUMP_SUPPORT_H

#include "storage/admin/import.h"
#include "support.h"

/* Fills an open, new store: pools of one and two families, hashed, reserved, draining, one that was deleted; leases that are
 * active, updated, versioned, without a configuration, in quarantine, restored, purged, expired, in reserved and draining ranges;
 * zones online, offline, unmanaged; past holders, a scope without leases, a feed whose beginning is gone. */
void rich_store(struct fixture *f);

/* The store's export; the caller frees it. Fails the program on an error. */
char *export_text(struct fixture *f);

/* The first line that has a text in it, without its newline; a static buffer, "" if there is none. */
const char *line_of(const char *text, const char *part);

/* A copy of an export in which the first `part` is replaced; the caller frees it. Fails the program if it is not there. */
char *replaced(const char *text, const char *part, const char *by);

/* Imports a text into the fixture's directory, whose store must be closed; the request's settings are the caller's. The conflicts
 * are said(), one a line. */
enum hf_err import_text(struct fixture *f, const char *text, struct hf_import *im, struct hf_why *why);
const char *said(void);

/* What verify says of the store, as JSON; the caller frees it. */
char *verify_text(struct fixture *f);

#endif
