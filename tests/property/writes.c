/* writes.c — random writes to the store and to the model, alone and in batches. */
#include "writes.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "moves.h"
#include "random_moves.h"
#include "replay.h"
#include "seen.h"
#include "storage/store/upkeep.h"
#include "words.h"

#define BATCH_MAX 8

struct op {
	enum { ACQUIRE, RELEASE, MOVE, CONNECT, DISCONNECT, POOL_PUT, POOL_DELETE } verb;
	struct m_pool_put want; /* of POOL_PUT */
	union {
		struct hf_write write;
		struct hf_acquire acquire;
		struct hf_release release;
		struct hf_move move;
		struct hf_zone_connect connect;
		struct hf_zone_disconnect disconnect;
		struct hf_pool_put put;
		struct hf_pool_delete del;
	};
};

static bool same_ranges(const struct hf_ranges *is, const struct hf_range *expected, int n) {
	bool same = is->n == n;
	for (int i = 0; same && i < n; i++)
		same = is->at[i].first.n == expected[i].first.n && is->at[i].last.n == expected[i].last.n;
	return same;
}

static bool same_names(const struct hf_names *is, const struct hf_names *expected) {
	bool same = is->n == expected->n;
	for (int i = 0; same && i < is->n; i++)
		same = strcmp(is->names[i], expected->names[i]) == 0;
	return same;
}

/* Makes the store's request of the model's. Whether two sort and judge a configuration alike; only a valid one becomes a request.
 */
static bool make_put(struct run *run, struct op *op) {
	struct m_config *want = &op->want.config;
	struct hf_pool_put *put = &op->put;
	memset(put, 0, sizeof *put);
	memcpy(put->name, op->want.name, sizeof put->name);
	put->drain = op->want.drain;
	put->config = (struct hf_pool_config){.strategy = want->strategy,
					      .quarantine_seconds = want->quarantine_seconds,
					      .kinds = want->kinds,
					      .meshes = want->meshes,
					      .zones = want->zones};
	if (!hf_ranges_make(want->cidrs, want->n_cidrs, &put->config.cidrs) ||
	    !hf_ranges_make(want->reserved, want->n_reserved, &put->config.reserved))
		c_fail(run, "out of memory");
	enum hf_err err = hf_pool_config_check(&put->config, NULL);
	c_err(run, "configuration", err, m_pool_config(want));
	if (!err && (!same_ranges(&put->config.cidrs, want->cidrs, want->n_cidrs) ||
		     !same_ranges(&put->config.reserved, want->reserved, want->n_reserved) ||
		     !same_names(&put->config.meshes, &want->meshes) || !same_names(&put->config.zones, &want->zones)))
		c_fail(run, "the checked configuration has other ranges or names");
	hf_pool_put_begin(put);
	if (err)
		hf_pool_put_end(put);
	return err == HF_OK;
}

/* Makes a random write and puts it in words. False: it was refused before it became one. */
static bool random_write(struct run *run, struct op *op) {
	struct world *w = &run->world;
	const struct profile *p = w->profile;
	int at = w_below(w, p->acquire + p->release + p->purge + p->pool_put + p->pool_delete + p->zone + p->move);
	if ((at -= p->acquire) < 0) {
		op->verb = ACQUIRE;
		w_acquire(w, &run->model, &op->acquire);
		say_acquire(run, &op->acquire);
	} else if ((at -= p->release + p->purge) < 0) {
		op->verb = RELEASE;
		w_release(w, &run->model, at + p->purge >= 0, &op->release);
		say_release(run, &op->release);
	} else if ((at -= p->move) < 0) {
		op->verb = MOVE;
		w_move(w, &run->model, &op->move);
		say_move(run, &op->move);
	} else if ((at -= p->zone) < 0) {
		op->verb = w_chance(w, 65) ? CONNECT : DISCONNECT;
		if (op->verb == CONNECT)
			w_connect(w, &run->model, &op->connect);
		else
			w_disconnect(w, &run->model, &op->disconnect);
		say_zone(run, op->verb == CONNECT ? &op->connect : NULL, &op->disconnect);
	} else if ((at -= p->pool_put) < 0) {
		op->verb = POOL_PUT;
		w_pool_put(w, &run->model, &op->want);
		say_put(run, &op->want);
		return make_put(run, op);
	} else {
		op->verb = POOL_DELETE;
		op->del = (struct hf_pool_delete){.write = {.apply = NULL}};
		strcpy(op->del.name, M_POOL_NAMES[w_pool_to_delete(w, &run->model)]);
		hf_pool_delete_begin(&op->del);
		say(run, "delete pool %s", op->del.name);
	}
	return true;
}

/* What the model answers to a write. */
struct expected {
	struct m_answer answer;
	int pool_outcome;
	enum hf_connection connection;
	bool incremental, forgotten;
	struct m_lease before; /* of a move */
};

static struct expected expect(struct model *m, const struct op *op, bool write) {
	struct expected e = {.answer = {.err = HF_OK}};
	switch (op->verb) {
	case ACQUIRE:
		e.answer = m_acquire(m, &op->acquire, write);
		break;
	case RELEASE:
		e.answer = m_release(m, &op->release, write);
		break;
	case MOVE:
		e.before = m->leases[m_find_identity(m, &op->move.want.id)];
		e.answer = m_move(m, &op->move, write);
		break;
	case CONNECT:
		e.forgotten = m_is_forgotten(m, op->connect.name, op->connect.instance);
		e.answer = m_connect(m, &op->connect, write, &e.connection, &e.incremental);
		break;
	case DISCONNECT:
		e.answer = m_disconnect(m, &op->disconnect, write);
		break;
	case POOL_PUT:
		e.answer = m_pool_put(m, &op->want, &e.pool_outcome);
		break;
	default:
		e.answer = m_pool_delete(m, &op->del);
	}
	return e;
}

static void check_connection(struct run *run, const struct hf_zone_connect *is, const struct expected *e) {
	if (is->connection != e->connection || is->incremental != e->incremental)
		c_fail(run, "the connection is %s, incremental %d; expected %s, %d", hf_connection_name(is->connection),
		       is->incremental, hf_connection_name(e->connection), e->incremental);
	if (is->revision != run->model.revision || is->store_epoch != run->model.store_epoch)
		c_fail(run, "the connection tells revision %" PRIu64 " of store epoch %" PRIu64, is->revision, is->store_epoch);
	if (e->answer.writes && is->info.zone.epoch <= run->epochs[m_find_zone(&run->model, is->name)])
		c_fail(run, "epoch %" PRIu64 " was given before a restore", is->info.zone.epoch);
	c_zone(run, &is->info);
	seen.connections[e->connection]++;
	seen.incremental += e->incremental;
	seen.forgotten += e->forgotten;
}

/* What an accepted write, or a peek that is done, tells. */
static void check_result(struct run *run, const struct op *op, const struct expected *e) {
	struct model *m = &run->model;
	if (op->verb == ACQUIRE && op->acquire.outcome != e->answer.outcome)
		c_fail(run, "the outcome is %s, expected %s", hf_outcome_name(op->acquire.outcome),
		       hf_outcome_name(e->answer.outcome));
	if (op->verb == ACQUIRE)
		c_lease(run, "acquired", &op->acquire.lease, m_find_identity(m, &op->acquire.want.id), &e->answer.lease);
	if (op->verb == RELEASE)
		c_lease(run, "released", &op->release.lease, m_find_identity(m, &op->release.want.id), &e->answer.lease);
	if (op->verb == MOVE)
		c_lease(run, "move", &op->move.lease, m_find_identity(m, &op->move.want.id), &e->answer.lease);
	if (op->verb == CONNECT)
		check_connection(run, &op->connect, e);
	if (op->verb == DISCONNECT)
		c_zone(run, &op->disconnect.info);
	if (op->verb == POOL_PUT && (int)op->put.outcome != e->pool_outcome)
		c_fail(run, "the outcome is %d, expected %d", (int)op->put.outcome, e->pool_outcome);
	if (op->verb == POOL_PUT)
		c_pool(run, &op->put.pool);
}

/* Applies a write to both. Returns whether the model wrote. */
static bool apply(struct run *run, struct hf_batch *batch, struct op *op) {
	run->model.by = w_caller(&run->world);
	hf_batch_set_by(batch, run->model.by);
	struct expected e = expect(&run->model, op, true);
	op->write.err = op->write.apply(batch, &op->write, &op->write.why);
	if (op->write.err != e.answer.err)
		c_fail(run, "the answer is %s (%s), expected %s", hf_err_slug(op->write.err), op->write.why.text,
		       hf_err_slug(e.answer.err));
	seen.errors[e.answer.err]++;
	if (op->verb == MOVE)
		see_move(&run->model, &op->move, &e.before, &e.answer);
	seen.held_by_previous += e.answer.held_by_previous;
	if (e.answer.err)
		return false;
	if (op->verb == ACQUIRE)
		seen.outcomes[e.answer.outcome]++;
	seen.disconnected += op->verb == DISCONNECT && e.answer.writes;
	check_result(run, op, &e);
	return e.answer.writes;
}

/* The compaction of the feed is free to be late, within bounds; what it has dropped it must have been allowed to. */
static void check_compaction(struct run *run, uint64_t compacted) {
	struct model *m = &run->model;
	const struct hf_store_options *options = &run->f.options;
	if (compacted < m->compacted || compacted > m->revision)
		c_fail(run, "compacted up to %" PRIu64 ", after %" PRIu64, compacted, m->compacted);
	for (uint64_t r = m->compacted + 1; r <= compacted; r++)
		if (m->revision - r < options->changes_max && m_change(m, r)->at_ms + options->changes_age_ms > run->f.now_ms)
			c_fail(run, "revision %" PRIu64 " is gone from the feed, but neither old nor one too many", r);
	if (m->revision - compacted > options->changes_max)
		c_fail(run, "the feed keeps %" PRIu64 " changes", m->revision - compacted);
	m->compacted = compacted;
}

void check_meta(struct run *run) {
	c_err(run, "reader", hf_reader_begin(run->f.reader, NULL), HF_OK);
	struct hf_meta meta = hf_meta_read(run->f.reader);
	if (meta.store_epoch != run->model.store_epoch || meta.restored_ms != run->model.restored_ms)
		c_fail(run, "the store's epoch is %" PRIu64 ", expected %" PRIu64 "; or its time differs", meta.store_epoch,
		       run->model.store_epoch);
	if (meta.revision != run->model.revision)
		c_fail(run, "the store's revision is %" PRIu64 ", expected %" PRIu64, meta.revision, run->model.revision);
	check_compaction(run, meta.compacted);
	if (hf_txn_count(run->f.reader, HF_CHANGES) != meta.revision - meta.compacted)
		c_fail(run, "the feed has gaps");
	replay_changes(run);
	hf_reader_end(run->f.reader);
}

static struct stat file_stat(struct run *run, bool age) {
	static const struct timespec past[2] = {{1, 0}, {1, 0}};
	char path[160];
	struct stat st;
	snprintf(path, sizeof path, "%s/data.mdb", run->f.dir);
	if ((age && utimensat(AT_FDCWD, path, past, 0) != 0) || stat(path, &st) != 0)
		c_fail(run, "%s cannot be looked at", path);
	return st;
}

struct stat age_file(struct run *run) {
	return file_stat(run, true);
}

void check_file(struct run *run, const struct stat *before, bool writes) {
	struct stat after = file_stat(run, false);
	bool wrote = after.st_mtime != before->st_mtime || after.st_size != before->st_size;
	if (wrote != writes)
		c_fail(run, "the file was %s", wrote ? "written, though nothing changed" : "not written");
}

static void end(struct op *op) {
	if (op->verb == POOL_PUT)
		hf_pool_put_end(&op->put);
	if (op->verb == POOL_DELETE)
		hf_pool_delete_end(&op->del);
}

void give_up(struct run *run) {
	m_keep_refreshes(&run->spare, &run->model);
	m_copy(&run->model, &run->spare);
}

/* Applies writes in one batch to both, and commits or aborts it. */
static void write_all(struct run *run, struct op *ops, int n, bool commits) {
	struct hf_batch *batch;
	struct hf_why why = {""};
	struct stat before = age_file(run);
	if (!commits)
		m_copy(&run->spare, &run->model);
	c_err(run, "begin", hf_upkeep_begin(run->f.store, NULL, &batch), HF_OK);
	bool writes = m_begin(&run->model, run->f.now_ms, M_SWEEP) > 0;
	for (int i = 0; i < n; i++)
		writes |= apply(run, batch, &ops[i]);
	for (int i = 0; i < n; i++)
		end(&ops[i]);
	if (commits) {
		enum hf_err err = hf_upkeep_commit(batch, &why);
		if (err)
			c_fail(run, "commit: %s", why.text);
	} else {
		hf_batch_abort(batch);
		give_up(run);
	}
	check_file(run, &before, writes && commits);
	check_meta(run);
}

/* A request is looked at on a reader first, as a server does; often that settles it. */
static bool peek(struct run *run, struct op *op) {
	enum hf_peek is = HF_PEEK_DONE;
	enum hf_err err;
	struct hf_txn *reader = run->f.reader;
	bool unread = op->verb == ACQUIRE && op->acquire.want.has_config && w_chance(&run->world, 50);
	c_err(run, "reader", hf_reader_begin(reader, NULL), HF_OK);
	if (unread)
		op->acquire.want.has_fingerprint = false;
	struct expected e = expect(&run->model, op, false);
	if (op->verb == ACQUIRE)
		err = hf_acquire_peek(reader, &op->acquire, NULL, &is);
	else if (op->verb == RELEASE)
		err = hf_release_peek(reader, &op->release, NULL, &is);
	else if (op->verb == MOVE)
		err = hf_move_peek(reader, &op->move, NULL, &is);
	else if (op->verb == CONNECT)
		err = hf_zone_connect_peek(run->f.store, reader, &op->connect, NULL, &is);
	else
		err = hf_zone_disconnect_peek(reader, &op->disconnect, NULL, &is);
	hf_reader_end(reader);
	c_err(run, "peek", err, e.answer.err);
	if (!err && is != e.answer.peek)
		c_fail(run, "peek answers %d, expected %d", (int)is, (int)e.answer.peek);
	if (!err && is == HF_PEEK_DONE)
		check_result(run, op, &e);
	if (unread)
		op->acquire.want.has_fingerprint = true;
	return err || is == HF_PEEK_DONE;
}

static struct op OPS[BATCH_MAX];

void do_write(struct run *run) {
	if (!random_write(run, &OPS[0]))
		return;
	bool peeks = OPS[0].verb != POOL_PUT && OPS[0].verb != POOL_DELETE;
	if (peeks && w_chance(&run->world, 70) && peek(run, &OPS[0]) && w_chance(&run->world, 70))
		return;
	write_all(run, OPS, 1, true);
}

static void do_this(struct run *run) {
	if (!w_chance(&run->world, 50) || !peek(run, &OPS[0]))
		write_all(run, OPS, 1, true);
}

void do_acquire(struct run *run, const struct hf_acquire *acquire) {
	OPS[0].verb = ACQUIRE;
	OPS[0].acquire = *acquire;
	hf_acquire_begin(&OPS[0].acquire);
	say_acquire(run, acquire);
	do_this(run);
}

void do_purge(struct run *run, int who) {
	OPS[0].verb = RELEASE;
	OPS[0].release = (struct hf_release){.want.id = run->world.ids[who], .want.purge = true, .want.force = true};
	hf_release_begin(&OPS[0].release);
	say_release(run, &OPS[0].release);
	do_this(run);
}

void do_connect(struct run *run, const char *zone) {
	struct hf_zone_connect *connect = &OPS[0].connect;
	OPS[0].verb = CONNECT;
	*connect = (struct hf_zone_connect){.has_epoch = false};
	strcpy(connect->name, zone);
	snprintf(connect->instance, sizeof connect->instance, "cp-%d", w_below(&run->world, M_NAMES));
	hf_zone_connect_begin(connect);
	say_zone(run, connect, NULL);
	do_this(run);
}

void do_batch(struct run *run, bool commits) {
	int n = 0, wanted = 1 + w_below(&run->world, BATCH_MAX);
	say(run, commits ? "batch: " : "aborted batch: ");
	for (int i = 0; i < wanted; i++, say(run, "; "))
		n += random_write(run, &OPS[n]);
	write_all(run, OPS, n, commits);
}
