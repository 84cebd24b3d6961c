/* Resources of the zone global in another zone's list, which an earlier rule took for that zone's own and stored so. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/kuma/canonical.h"
#include "storage/sync/known.h"
#include "tests/unit/call_support.h"

#define GLOBAL "{\"name\":\"shared\",\"labels\":{\"kuma.io/origin\":\"global\"},\"spec\":{}}"

static struct world w;

static void setup(void) { world_open(&w); }
static void teardown(void) { world_close(&w); }

TestSuite(sync_global, .init = setup, .fini = teardown);

/* A lease of zone east, as a sync of this document once made it. */
static void store_as_east(void) {
	struct hf_config config;
	struct hf_acquire a = acquire_request(identity("east", "default", "shared"), "{}");
	cr_assert_eq(hf_config_read(GLOBAL, strlen(GLOBAL), NULL, &config), HF_OK);
	a.want.fingerprint = config.fingerprint;
	a.want.fingerprint_version = HF_FINGERPRINT_VERSION;
	a.want.raw = hf_known_digest("east", GLOBAL, strlen(GLOBAL));
	hf_acquire_begin(&a);
	cr_assert_eq(commit(&w.f, &a.write), HF_OK);
}

Test(sync_global, the_same_bytes_are_read_again) {
	char body[4096] = "";
	store_as_east();
	for (int i = 0; i < 20; i++)
		snprintf(body + strlen(body), sizeof body - strlen(body), "{\"name\":\"s%d\",\"spec\":{}}\n", i);
	strcat(body, GLOBAL);
	w.content_type = "application/x-ndjson";
	struct answer first = request(&w, HF_POST, "/v1/zones/east/sync?mode=delta&return=changed", body);
	cr_expect(strstr(first.body, "\"zone\":\"global\",\"service\":\"shared\",\"outcome\":\"foreign\",\"vips\":null"), "%s",
		  first.body);
	struct answer again = request(&w, HF_POST, "/v1/zones/east/sync?mode=full&mesh=*&return=changed", body);
	cr_expect(strstr(again.body, "\"service\":\"shared\",\"outcome\":\"released\""), "%s", again.body);
}
