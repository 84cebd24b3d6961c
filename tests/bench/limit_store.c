/* limit_store.c — records of Holdfast's sizes; storage/FORMAT.md is where these come from. */
#include "limit_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/base/bytes.h"
#include "storage/disk/descriptors.h"

#define MAP_BYTES ((size_t)64 << 30)
#define READERS_MAX 1024
#define POOL "meshservice"
#define FIRST_ADDRESS 0xf1000000u /* 241.0.0.0 */
#define LAST_ADDRESS 0xf1ffffffu
#define SCOPE "east\0default\0\1" /* zone, mesh and kind, as identity bytes have them */
#define SCOPE_LEN (sizeof SCOPE - 1)
#define PREFIX_AT (4 + 5 * 8) /* in a lease's record: behind four bytes and five numbers */
#define POOL_RECORD_BYTES 184 /* of a pool with one CIDR */
#define SCOPE_RECORD_BYTES 49
#define META_RECORD_BYTES 46
#define RECORD_MAX 600

enum table { META, LEASES, ADDRESSES, FREE, POOLS, SCOPES, CHANGES, TABLES };
static const char *const NAMES[TABLES] = {"meta", "leases", "addresses", "free", "pools", "scopes", "changes"};

struct limit_store {
	MDB_env *env;
	MDB_dbi tables[TABLES];
	MDB_txn *txn; /* the batch's */
	uint64_t revision;
	uint32_t next_address;
};

void limit_require(bool good, const char *what) {
	if (good)
		return;
	fprintf(stderr, "limit: %s\n", what);
	exit(1);
}

void limit_check(int rc, const char *what) {
	if (rc == MDB_SUCCESS)
		return;
	fprintf(stderr, "limit: %s: %s\n", what, mdb_strerror(rc));
	exit(1);
}

void limit_key_of(const char *name, struct limit_key *ret) {
	size_t len = strlen(name);
	limit_require(len <= 400, "a name is too long");
	memcpy(ret->bytes, SCOPE, SCOPE_LEN);
	memcpy(ret->bytes + SCOPE_LEN, name, len);
	ret->len = (uint16_t)(SCOPE_LEN + len);
}

static void put(struct limit_store *store, enum table table, struct hf_slice key, struct hf_slice value, unsigned flags) {
	MDB_val k = {key.len, (void *)key.data}, v = {value.len, (void *)value.data};
	limit_check(mdb_put(store->txn, store->tables[table], &k, &v, flags), NAMES[table]);
}

static void put_address(struct hf_writer *w, uint32_t address) {
	hf_put_addr(w, (struct hf_addr){(hf_u128)0xffff << 32 | address});
}

static struct hf_slice extent_key(uint32_t first, uint8_t buffer[RECORD_MAX]) {
	struct hf_writer w = hf_writer_begin(buffer);
	hf_put_uint(&w, 1, 4);
	hf_put_uint(&w, 4, 1);
	put_address(&w, first);
	return hf_writer_end(&w);
}

static void put_extent(struct limit_store *store, uint32_t first) {
	uint8_t key[RECORD_MAX], value[RECORD_MAX];
	struct hf_writer w = hf_writer_begin(value);
	hf_put_uint(&w, 1, 1);
	put_address(&w, LAST_ADDRESS);
	put(store, FREE, extent_key(first, key), hf_writer_end(&w), 0);
}

struct limit_store *limit_store_open(const char *dir) {
	struct limit_store *store = calloc(1, sizeof *store);
	limit_require(store != NULL, "out of memory");
	limit_require(hf_descriptors_fill(), "standard streams are missing");
	limit_check(mdb_env_create(&store->env), dir);
	limit_check(mdb_env_set_maxdbs(store->env, TABLES), dir);
	limit_check(mdb_env_set_maxreaders(store->env, READERS_MAX), dir);
	limit_check(mdb_env_set_mapsize(store->env, MAP_BYTES), dir);
	limit_check(mdb_env_open(store->env, dir, MDB_NOTLS, 0640), dir);
	store->next_address = FIRST_ADDRESS;
	limit_begin(store);
	for (int i = 0; i < TABLES; i++)
		limit_check(mdb_dbi_open(store->txn, NAMES[i], MDB_CREATE, &store->tables[i]), NAMES[i]);
	put_extent(store, store->next_address);
	limit_commit(store);
	return store;
}

void limit_store_close(struct limit_store *store) {
	mdb_env_close(store->env);
	free(store);
}

MDB_txn *limit_reader_open(struct limit_store *store) {
	MDB_txn *reader;
	limit_check(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &reader), "reader");
	mdb_txn_reset(reader);
	return reader;
}

const uint8_t *limit_get(struct limit_store *store, MDB_txn *txn, const struct limit_key *key) {
	MDB_val k = {key->len, (void *)key->bytes}, v;
	int rc = mdb_get(txn, store->tables[LEASES], &k, &v);
	if (rc == MDB_NOTFOUND)
		return NULL;
	limit_check(rc, "leases");
	return (const uint8_t *)v.mv_data + PREFIX_AT;
}

void limit_begin(struct limit_store *store) { limit_check(mdb_txn_begin(store->env, NULL, 0, &store->txn), "begin"); }

static void put_lease(struct limit_store *store, const struct limit_key *key, const uint8_t prefix[LIMIT_PREFIX_BYTES]) {
	uint8_t value[RECORD_MAX];
	struct hf_writer w = hf_writer_begin(value);
	hf_put_uint(&w, 0x01010101, 4);
	hf_put_uint(&w, 1, 8);
	hf_put_uint(&w, store->revision, 8);
	for (int i = 0; i < 3; i++)
		hf_put_uint(&w, 0, 8);
	hf_put_bytes(&w, prefix, LIMIT_PREFIX_BYTES);
	put_address(&w, store->next_address);
	hf_put_text(&w, POOL);
	hf_put_text(&w, "");
	put(store, LEASES, (struct hf_slice){key->bytes, key->len}, hf_writer_end(&w), 0);
}

static void append_change(struct limit_store *store, const struct limit_key *key) {
	uint8_t revision[8], value[RECORD_MAX];
	struct hf_writer r = hf_writer_begin(revision), w = hf_writer_begin(value);
	hf_put_uint(&r, store->revision, 8);
	hf_put_uint(&w, 0x010101, 3);
	hf_put_uint(&w, 0, 8);
	hf_put_text(&w, POOL);
	hf_put_uint(&w, 1, 8);
	hf_put_uint(&w, 1, 1);
	put_address(&w, store->next_address);
	hf_put_bytes(&w, key->bytes, key->len);
	put(store, CHANGES, hf_writer_end(&r), hf_writer_end(&w), MDB_APPEND);
}

/* Binds the next address to the key and takes it off the free extent. */
static void take_address(struct limit_store *store, const struct limit_key *key) {
	uint8_t address[HF_ADDR_BYTES], free_key[RECORD_MAX], value[RECORD_MAX];
	struct hf_writer a = hf_writer_begin(address), w = hf_writer_begin(value);
	put_address(&a, store->next_address);
	hf_put_uint(&w, 1, 1);
	hf_put_uint(&w, store->revision, 8);
	hf_put_uint(&w, 0, 8);
	hf_put_bytes(&w, key->bytes, key->len);
	put(store, ADDRESSES, hf_writer_end(&a), hf_writer_end(&w), MDB_APPEND);
	struct hf_slice old = extent_key(store->next_address, free_key);
	MDB_val k = {old.len, (void *)old.data};
	limit_check(mdb_del(store->txn, store->tables[FREE], &k, NULL), "free");
	put_extent(store, ++store->next_address);
}

bool limit_put(struct limit_store *store, const struct limit_key *key, const uint8_t prefix[LIMIT_PREFIX_BYTES]) {
	bool is_new = limit_get(store, store->txn, key) == NULL;
	store->revision++;
	append_change(store, key);
	put_lease(store, key, prefix);
	if (is_new)
		take_address(store, key);
	return is_new;
}

void limit_commit(struct limit_store *store) {
	uint8_t record[RECORD_MAX] = {1};
	for (int i = 0; i < 8; i++)
		record[1 + i] = (uint8_t)(store->revision >> 8 * (7 - i));
	put(store, POOLS, (struct hf_slice){(const uint8_t *)POOL, strlen(POOL)}, (struct hf_slice){record, POOL_RECORD_BYTES}, 0);
	put(store, SCOPES, (struct hf_slice){(const uint8_t *)SCOPE, SCOPE_LEN}, (struct hf_slice){record, SCOPE_RECORD_BYTES}, 0);
	put(store, META, (struct hf_slice){(const uint8_t *)"store", 5}, (struct hf_slice){record, META_RECORD_BYTES}, 0);
	limit_check(mdb_txn_commit(store->txn), "commit");
}
