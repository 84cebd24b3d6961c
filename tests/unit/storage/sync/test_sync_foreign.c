/* Other zones' services in a sync: looked up, as they are at the revision that the answer names. */
#include <criterion/criterion.h>
#include <string.h>

#include "storage/store/upkeep.h"
#include "storage/sync/sync.h"
#include "storage/sync/sync_apply.h"
#include "storage/sync/sync_judge.h"
#include "tests/unit/support.h"

static struct hf_budget budget = {.max_bytes = 1 << 20};

static void open_fixture(struct fixture *f) {
	fixture_dir(f);
	fixture_open(f);
}

/* A full sync of all meshes of zone west. */
static void begin_sync(struct hf_sync *sync) {
	hf_sync_init(sync, &budget);
	strcpy(sync->zone, "west");
	sync->kind = HF_MESH_SERVICE;
}

static void add(struct hf_sync *sync, struct hf_identity id) {
	struct hf_sync_input input = {.role = HF_SYNC_SERVICE, .place = sync->n_items + 1, .id = &id, .fingerprint_version = 1};
	input.fingerprint = input.raw = hf_digest_of("{}", 2);
	cr_assert_eq(hf_sync_add(sync, &input, NULL), HF_OK);
}

static bool peek(struct fixture *f, struct hf_sync *sync) {
	bool write;
	cr_assert_eq(hf_sync_close_list(sync, NULL), HF_OK);
	cr_assert_eq(hf_reader_begin(f->reader, NULL), HF_OK);
	cr_assert_eq(hf_sync_peek(f->reader, sync, NULL, &write), HF_OK);
	hf_reader_end(f->reader);
	return write;
}

Test(sync_foreign, looks_a_foreign_service_up_again_if_it_changed_since_the_snapshot) {
	struct fixture f;
	struct hf_sync sync;
	open_fixture(&f);
	struct hf_acquire gone = acquire_request(identity("east", "default", "gone"), "1");
	struct hf_acquire later = acquire_request(identity("east", "default", "later"), "1");
	cr_assert_eq(acquire(&f, &gone), HF_OK);
	begin_sync(&sync);
	add(&sync, gone.want.id);
	add(&sync, later.want.id);
	add(&sync, identity("west", "default", "own"));
	cr_assert(peek(&f, &sync));
	cr_assert_eq(sync.first->n_vips, 1);
	cr_assert_eq(sync.first->next->n_vips, 0);
	cr_assert_eq(release(&f, gone.want.id, true, NULL), HF_OK);
	cr_assert_eq(acquire(&f, &later), HF_OK);
	hf_sync_begin(&sync);
	cr_assert_eq(commit(&f, &sync.write), HF_OK);
	cr_assert_eq(sync.first->outcome, HF_SYNC_FOREIGN);
	cr_assert_eq(sync.first->n_vips, 0, "the answer is of its revision");
	cr_assert_eq(sync.first->next->n_vips, 1);
	cr_assert_eq(sync.first->next->vips[0].n, later.lease.vips[0].n);
	hf_sync_free(&sync);
	fixture_remove(&f);
}
