/* defaults.h — what a store and its server use unless another value is set: numbers without casts, as --help prints them. */
#ifndef HF_STORAGE_MODEL_DEFAULTS_H
#define HF_STORAGE_MODEL_DEFAULTS_H

#define HF_DEFAULT_MAP_GIB 64	     /* the database file's limit */
#define HF_DEFAULT_CHANGES 200000    /* kept in the feed */
#define HF_DEFAULT_CHANGES_HOURS 168 /* and for how long */
#define HF_DEFAULT_QUEUE 4096	     /* writes waiting for the committer */

#define HF_DEFAULT_MAP_BYTES ((uint64_t)HF_DEFAULT_MAP_GIB << 30)

#endif
