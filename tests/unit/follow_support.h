/* follow_support.h — what the tests of the store's time share: a store that follows the fixture's wall clock at once. */
#ifndef HF_TESTS_FOLLOW_SUPPORT_H
#define HF_TESTS_FOLLOW_SUPPORT_H

#include "storage/store/store.h"
#include "support.h"

#define MINUTE 60000
#define HOUR 3600000
#define DAY ((int64_t)24 * HOUR)
#define YEAR (365 * DAY)

extern struct fixture f;

void follow_setup(void);
void follow_teardown(void); /* verifies the store first */

/* Leases of MeshServices in zone east. */
struct hf_identity service(const char *name);
struct hf_acquire acquired(const char *name);
void released(const char *name);
bool exists(const char *name);
int64_t until(const char *name); /* the end of its quarantine */

/* What the committer's thread does each second, until there is no more to do. */
struct hf_clock_news upkeep(void);

/* Time passes, and the wall clock steps. */
struct hf_clock_news pass(int64_t ms, int64_t step_ms);

/* The server ends; time passes; another one starts, after a boot or not. */
struct hf_clock_news restart(int64_t ms, int64_t step_ms, bool boot);

int past(struct hf_addr vip); /* how many past holders its address has */
uint64_t compacted(void);

#endif
