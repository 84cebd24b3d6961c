/* err.h — all errors of requests and of the store, in one table.
 *
 * The table gives each error its name in C, its stable problem code ("slug"), the HTTP status of the answer and a title (RFC
 * 9457). Every function that can fail returns `enum hf_err`; HF_OK is 0. The explanation for people is in a `struct hf_why`, which
 * hf_fail() fills; it is optional everywhere (NULL is fine) and untouched on success.
 */
#ifndef HF_STORAGE_BASE_ERR_H
#define HF_STORAGE_BASE_ERR_H

#define HF_ERR_TABLE(X)                                                                                                            \
	X(HF_OK, "ok", 200, "Success")                                                                                             \
	X(HF_E_INVALID_JSON, "invalid-json", 400, "The body is not valid JSON")                                                    \
	X(HF_E_INVALID_NAME, "invalid-name", 400, "A name is out of form")                                                         \
	X(HF_E_INVALID_PARAMETER, "invalid-parameter", 400, "A parameter is not valid")                                            \
	X(HF_E_INVALID_ADDRESS, "invalid-address", 400, "An address or range is out of form")                                      \
	X(HF_E_INCOMPLETE_LIST, "incomplete-list", 400, "The list says itself that it is not complete")                            \
	X(HF_E_UNAUTHORIZED, "unauthorized", 401, "The request is not authenticated")                                              \
	X(HF_E_FORBIDDEN, "forbidden", 403, "The caller may not do this")                                                          \
	X(HF_E_CROSS_ORIGIN, "cross-origin", 403, "The request comes from a page of another origin")                               \
	X(HF_E_NOT_FOUND, "not-found", 404, "The resource does not exist")                                                         \
	X(HF_E_METHOD_NOT_ALLOWED, "method-not-allowed", 405, "The method is not allowed here")                                    \
	X(HF_E_ADDRESS_TAKEN, "address-taken", 409, "The address is held or reserved")                                             \
	X(HF_E_LEASE_EXISTS, "lease-exists", 409, "The existing lease contradicts the request")                                    \
	X(HF_E_STALE_EPOCH, "stale-epoch", 409, "The zone epoch is not the current one")                                           \
	X(HF_E_ZONE_OFFLINE, "zone-offline", 409, "The zone is offline and its leases are frozen")                                 \
	X(HF_E_ZONE_ONLINE, "zone-online", 409, "The zone's control plane is connected")                                           \
	X(HF_E_MASS_RELEASE_GUARD, "mass-release-guard", 409, "Too many leases would be released")                                 \
	X(HF_E_POOL_IN_USE, "pool-in-use", 409, "The pool or range still has leases")                                              \
	X(HF_E_POOL_OVERLAP, "pool-overlap", 409, "The ranges overlap")                                                            \
	X(HF_E_REVISION_COMPACTED, "revision-compacted", 410, "The changes since that revision are gone")                          \
	X(HF_E_PRECONDITION_FAILED, "precondition-failed", 412, "A precondition does not hold")                                    \
	X(HF_E_BODY_TOO_LARGE, "body-too-large", 413, "The body is too large")                                                     \
	X(HF_E_UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", 415, "The body's media type is not supported")                    \
	X(HF_E_MISDIRECTED, "misdirected", 421, "The request is for another host")                                                 \
	X(HF_E_ADDRESS_OUTSIDE_POOL, "address-outside-pool", 422, "The address is not in the pool")                                \
	X(HF_E_NO_POOL, "no-pool", 422, "No pool serves the request")                                                              \
	X(HF_E_HEADERS_TOO_LARGE, "headers-too-large", 431, "The request's headers are too large")                                 \
	X(HF_E_STORAGE, "storage-error", 500, "The store failed")                                                                  \
	X(HF_E_OVERLOADED, "overloaded", 503, "The server is overloaded")                                                          \
	X(HF_E_STORE_GONE, "store-gone", 503, "The database file is gone")                                                         \
	X(HF_E_POOL_EXHAUSTED, "pool-exhausted", 507, "The pool has no free address")                                              \
	X(HF_E_STORAGE_FULL, "storage-full", 507, "The store is full")                                                             \
	/* Only at startup; never sent over HTTP. */                                                                               \
	X(HF_E_DATA_DIR, "data-directory", 500, "The data directory cannot be used")                                               \
	X(HF_E_LOCKED, "locked", 500, "The data directory is in use")                                                              \
	X(HF_E_NEWER_FORMAT, "newer-format", 500, "The store was written by a newer version")                                      \
	X(HF_E_CORRUPT, "corrupt", 500, "The store is damaged")                                                                    \
	X(HF_E_LISTEN, "listen", 500, "The address cannot be listened on")                                                         \
	/* Answered as storage-error: LMDB refuses all further work until the store is reopened. */                                \
	X(HF_E_PANIC, "panic", 500, "The store must be reopened")

enum hf_err {
#define HF_ERR_ENUM(name, slug, status, title) name,
	HF_ERR_TABLE(HF_ERR_ENUM)
#undef HF_ERR_ENUM
};

#define HF_CHECKED __attribute__((warn_unused_result))
#define HF_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Says in one sentence, for people, what went wrong and where. Empty if there is nothing to explain. */
struct hf_why {
	char text[256];
};

/* Fills `why` (may be NULL) from a printf format, cut at its size, and returns `err`: `return hf_fail(why, HF_E_…, "…")`. */
enum hf_err hf_fail(struct hf_why *why, enum hf_err err, const char *format, ...) HF_PRINTF(3, 4);

/* Fails with HF_E_OVERLOADED because memory ran out; a later attempt may succeed. */
enum hf_err hf_no_memory(struct hf_why *why);

/* Return the table's columns, as static strings, for any value of the enum. */
const char *hf_err_slug(enum hf_err err);
int hf_err_status(enum hf_err err);
const char *hf_err_title(enum hf_err err);

#endif
