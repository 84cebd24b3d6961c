/* syncers.c — threads that synchronise zones through a lane and the committer, and those that write to the same zones meanwhile. */
#include <string.h>

#include "arena.h"
#include "storage/sync/sync.h"
#include "storage/sync/sync_apply.h"
#include "storage/sync/sync_judge.h"

#define SERVICES 40    /* of one zone */
#define LISTED_MAX 250 /* more than there are: the same ones again */

const char *sync_zone(int i) {
	static const char *const zones[SYNC_ZONES] = {"sync", "sync-1"};
	return zones[i];
}

static struct hf_identity service_of(struct asker *a, const char *zone) {
	char service[16];
	snprintf(service, sizeof service, "s%02d", asker_draw(a, SERVICES));
	return identity(zone, "default", service);
}

static const char *config(struct asker *a) {
	static const char *const texts[] = {"one", "two"};
	return texts[asker_draw(a, 8) == 0];
}

/* One sync on its way, as a request of the server's is. */
struct job {
	struct hf_lane_job lane;
	struct asker *asker;
	struct hf_sync sync;
	enum hf_err err;
	bool submitted;
};

static void on_committed(struct hf_write *write) {
	struct job *job = write->context;
	hf_lane_ready(job->asker->arena->lane, &job->lane);
}

static enum hf_err look(struct job *job, struct hf_txn *reader, bool *ret_write) {
	enum hf_err err = hf_reader_begin(reader, NULL);
	if (err)
		return err;
	err = hf_sync_peek(reader, &job->sync, &job->sync.write.why, ret_write);
	hf_reader_end(reader);
	return err;
}

static bool run(struct hf_lane_job *lane_job, struct hf_txn *reader) {
	struct job *job = (struct job *)lane_job;
	struct hf_write *write = &job->sync.write;
	bool has_to = false;
	if (job->submitted) {
		job->err = write->err;
		return true;
	}
	job->err = look(job, reader, &has_to);
	if (job->err || !has_to)
		return true;
	hf_sync_begin(&job->sync);
	write->context = job;
	write->done = on_committed;
	job->submitted = true;
	job->err = hf_committer_submit(job->asker->arena->committer, write, &write->why);
	return job->err != HF_OK;
}

static void on_end(struct hf_lane_job *job) { sem_post(&((struct job *)job)->asker->answered); }

static enum hf_err add_service(struct job *job, uint32_t place) {
	struct asker *a = job->asker;
	struct hf_identity id = service_of(a, asker_draw(a, 20) ? job->sync.zone : "writer-0");
	struct hf_acquire like = acquire_request(id, config(a));
	struct hf_addr claim = {addr("241.0.0.0").n + (unsigned)asker_draw(a, 1000)};
	struct hf_sync_input input = {.role = HF_SYNC_SERVICE, .place = place, .id = &id, .fingerprint_version = 1};
	input.raw = like.want.raw;
	input.fingerprint = like.want.fingerprint;
	input.claims = &claim;
	input.n_claims = asker_draw(a, 4) == 0;
	if (job->sync.mode == HF_SYNC_DELTA && asker_draw(a, 4) == 0) {
		input.role = HF_SYNC_REMOVED;
		memcpy(id.zone, job->sync.zone, sizeof id.zone);
	}
	return hf_sync_add(&job->sync, &input, NULL);
}

static enum hf_err list(struct job *job) {
	struct asker *a = job->asker;
	struct hf_sync *sync = &job->sync;
	enum hf_err err = HF_OK;
	hf_sync_init(sync, &a->arena->budget);
	snprintf(sync->zone, sizeof sync->zone, "%s", sync_zone(asker_draw(a, SYNC_ZONES)));
	snprintf(sync->mesh, sizeof sync->mesh, "default");
	sync->kind = HF_MESH_SERVICE;
	sync->mode = (enum hf_sync_mode)asker_draw(a, 2);
	sync->dry_run = asker_draw(a, 8) == 0;
	sync->force = asker_draw(a, 2);
	sync->max_release_percent = asker_draw(a, 2) ? 100 : 20;
	sync->has_epoch = asker_draw(a, 8) == 0;
	sync->epoch = (uint64_t)asker_draw(a, 50);
	uint32_t n = (uint32_t)asker_draw(a, LISTED_MAX);
	for (uint32_t place = 1; !err && place <= n; place++)
		err = add_service(job, place);
	return err ? err : hf_sync_close_list(sync, NULL);
}

/* Every item has one outcome, and whoever has a lease is told its address. */
static void check_result(const struct hf_sync *sync) {
	uint64_t counted = 0, items = 0;
	for (int i = 0; i < HF_SYNC_OUTCOMES; i++)
		counted += sync->summary.of[i];
	for (const struct hf_sync_item *item = sync->released; item; item = item->next)
		items++;
	for (const struct hf_sync_item *item = sync->first; item; item = item->next, items++)
		REQUIRE(item->n_vips == 1 || item->outcome > HF_SYNC_RESTORED || item->role == HF_SYNC_REMOVED, "no address");
	REQUIRE(counted == items, "%lu of %lu items counted", (unsigned long)counted, (unsigned long)items);
}

void *syncer_run(void *context) {
	struct asker *a = context;
	static _Thread_local struct job job;
	for (; !a->arena->over; asker_pause(a)) {
		job = (struct job){.asker = a, .lane = {.run = run, .done = on_end}};
		job.err = list(&job);
		job.lane.key = job.sync.zone;
		if (!job.err) {
			REQUIRE(hf_lane_add(a->arena->lane, &job.lane), "the lane has stopped");
			while (sem_wait(&a->answered) != 0)
				continue;
		}
		if (job.err == HF_OK)
			check_result(&job.sync);
		else
			REQUIRE(job.err == HF_E_OVERLOADED || job.err == HF_E_STALE_EPOCH || job.err == HF_E_ZONE_OFFLINE ||
					job.err == HF_E_MASS_RELEASE_GUARD,
				"%s: %s", hf_err_slug(job.err), job.sync.write.why.text);
		a->arena->syncs[job.err == HF_OK]++;
		hf_sync_free(&job.sync);
	}
	return NULL;
}

/* Acquires and releases what is being synchronised. */
void *disturber_run(void *context) {
	struct asker *a = context;
	for (; !a->arena->over; asker_pause(a)) {
		const char *zone = sync_zone(asker_draw(a, SYNC_ZONES));
		struct hf_acquire get = acquire_request(service_of(a, zone), config(a));
		struct hf_release put = {
			.want.id = service_of(a, zone), .want.purge = asker_draw(a, 4) == 0, .want.force = asker_draw(a, 2)};
		hf_acquire_begin(&get);
		hf_release_begin(&put);
		REQUIRE(asker_commit(a, &get.write) == HF_OK, "%s", get.write.why.text);
		enum hf_err err = asker_commit(a, &put.write);
		REQUIRE(err == HF_OK || err == HF_E_NOT_FOUND || err == HF_E_ZONE_OFFLINE, "%s", put.write.why.text);
	}
	return NULL;
}

/* Control planes of those zones that come and go. */
void *connector_run(void *context) {
	struct asker *a = context;
	for (int term = 0; !a->arena->over; term++, asker_pause(a)) {
		const char *zone = sync_zone(asker_draw(a, SYNC_ZONES));
		struct hf_zone_connect come = {.has_epoch = false};
		struct hf_zone_disconnect go = {.has_epoch = false};
		snprintf(come.name, sizeof come.name, "%s", zone);
		snprintf(come.instance, sizeof come.instance, "term-%d", term / 8);
		snprintf(go.name, sizeof go.name, "%s", zone);
		hf_zone_connect_begin(&come);
		hf_zone_disconnect_begin(&go);
		REQUIRE(asker_commit(a, &come.write) == HF_OK, "%s", come.write.why.text);
		asker_pause(a);
		if (term % 3 == 0)
			REQUIRE(asker_commit(a, &go.write) == HF_OK, "%s", go.write.why.text);
	}
	return NULL;
}
