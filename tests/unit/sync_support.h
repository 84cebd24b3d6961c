/* sync_support.h — syncs in one line of text each, and what became of them in another. */
#ifndef HF_TESTS_SYNC_SUPPORT_H
#define HF_TESTS_SYNC_SUPPORT_H

#include "storage/sync/sync.h"
#include "support.h"

/* What all syncs of a test use; 64 MiB unless the test sets another limit. */
extern struct hf_budget sync_budget;

/* The end of a test of syncs: the store is in order, no sync kept memory; then fixture_remove(). */
void sync_fixture_end(struct fixture *f);

/* A sync of one kind (MeshService) in one mesh ("*": all), which may release all that it likes. */
void sync_open(struct hf_sync *sync, enum hf_sync_mode mode, const char *zone, const char *mesh);

/* Adds items, one a word, and closes the list; its error. A word is
 *   [zone:][mesh/][+]service[=config][%version][@claim,claim…]
 * with + for a MeshExternalService; -word is `removed`, !word is a rejected document whose identity was read, ? one of which nobody
 * knows whose it is, # one that no lease can be of. Without a zone it is the sync's, without a mesh `default`, without a
 * configuration {}. Of a manifest %version goes before =config. */
enum hf_err sync_list(struct hf_sync *sync, const char *words);

enum hf_err sync_peek(struct fixture *f, struct hf_sync *sync, bool *ret_write);
enum hf_err sync_commit(struct fixture *f, struct hf_sync *sync); /* after a peek */

/* Peeks, and commits if it has to; *ret_written tells (may be NULL). */
enum hf_err sync_run(struct fixture *f, struct hf_sync *sync, bool *ret_written);

/* List, run, free: for what comes before the test's own. Fails the program on an error. */
void synced(struct fixture *f, enum hf_sync_mode mode, const char *zone, const char *words);

/* The results: "redis=created@241.0.0.0 …", words as above; ~ behind one whose claim was refused; those that are not listed behind
 * a bar. A static buffer. */
const char *sync_results(const struct hf_sync *sync);

/* Those numbers of the summary that are not 0: "created=1 skipped=2". A static buffer. */
const char *sync_summary(const struct hf_sync *sync);

/* The leases of a zone as a reader sees them: "redis@241.0.0.0 …", quarantined ones in brackets. A static buffer. */
const char *zone_leases(struct fixture *f, const char *zone);

/* Whether a sync's revision and digest are those that a reader sees now. */
bool sync_is_what_is_read(struct fixture *f, const struct hf_sync *sync);

#endif
