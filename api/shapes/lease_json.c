/* lease_json.c — writes a lease. It is part of almost every answer, so it is assembled without the writer of json.h. */
#include "lease_json.h"

#include <stdlib.h>
#include <string.h>

#include "api/text/timetext.h"

/* Upper bounds for a lease, up to its version and after it. */
#define HEAD_MAX (256 + 3 * HF_NAME_MAX + HF_SERVICE_MAX + HF_FAMILIES * (HF_ADDR_TEXT + 10) + HF_COUNT_TEXT + HF_DIGEST_TEXT)
#define PREVIOUS_MAX (32 + HF_PREVIOUS_MAX * (HF_ADDR_TEXT + HF_TIME_TEXT + 32))
#define TAIL_MAX (128 + HF_COUNT_TEXT + 3 * HF_TIME_TEXT)

/* Copies a literal, without its NUL. */
#define PUT(to, literal) mempcpy(to, literal, sizeof(literal) - 1)

static char *put_vips(char *to, const struct hf_lease *lease) {
	char text[HF_ADDR_TEXT];
	for (int i = 0; i < lease->n_vips; i++) {
		hf_addr_format(lease->vips[i], text);
		to = i > 0 ? PUT(to, ",{\"ip\":\"") : PUT(to, "{\"ip\":\"");
		to = stpcpy(to, text);
		to = PUT(to, "\"}");
	}
	return to;
}

static char *put_count(char *to, uint64_t n) {
	char text[HF_COUNT_TEXT];
	return stpcpy(to, hf_count_format(n, text));
}

/* Names were checked before they were stored and need no escapes; any other byte comes from a damaged record. */
static char *put_name(char *to, const char *name) {
	size_t len = strlen(name);
	memcpy(to, name, len);
	for (size_t at = hf_json_plain_length(to, len); at < len; at += 1 + hf_json_plain_length(to + at + 1, len - at - 1))
		to[at] = '?';
	return to + len;
}

static char *put_head(char *to, const struct hf_lease *lease) {
	to = stpcpy(PUT(to, "{\"kind\":\""), hf_kind_name(lease->id.kind));
	to = put_name(PUT(to, "\",\"mesh\":\""), lease->id.mesh);
	to = put_name(PUT(to, "\",\"zone\":\""), lease->id.zone);
	to = put_name(PUT(to, "\",\"service\":\""), lease->id.service);
	to = put_name(PUT(to, "\",\"pool\":\""), lease->pool);
	to = put_vips(PUT(to, "\",\"vips\":["), lease);
	to = stpcpy(PUT(to, "],\"state\":\""), lease->state == HF_ACTIVE ? "active" : "quarantined");
	to = put_count(PUT(to, "\",\"generation\":"), lease->generation);
	to = PUT(to, ",\"fingerprint\":");
	if (!lease->fingerprint_version)
		return PUT(to, "null");
	*to++ = '"';
	hf_digest_format(&lease->fingerprint, to);
	return PUT(to + HF_DIGEST_TEXT - 1, "\"");
}

static char *put_time(char *to, int64_t ms) {
	hf_time_format(ms, to);
	return to + strlen(to);
}

static char *put_previous(char *to, const struct hf_lease *lease) {
	char text[HF_ADDR_TEXT];
	to = PUT(to, ",\"previousVips\":[");
	for (int i = 0; i < lease->n_previous; i++) {
		hf_addr_format(lease->previous[i].address, text);
		to = i > 0 ? PUT(to, ",{\"ip\":\"") : PUT(to, "{\"ip\":\"");
		to = put_time(PUT(stpcpy(to, text), "\",\"until\":\""), lease->previous[i].until_ms);
		to = PUT(to, "\"}");
	}
	return PUT(to, "]");
}

static char *put_tail(char *to, const struct hf_lease *lease) {
	to = put_count(PUT(to, ",\"revision\":"), lease->revision);
	to = put_time(PUT(to, ",\"createdAt\":\""), lease->created_ms);
	to = put_time(PUT(to, "\",\"modifiedAt\":\""), lease->modified_ms);
	if (lease->state == HF_QUARANTINED)
		to = put_time(PUT(to, "\",\"quarantinedUntil\":\""), lease->quarantined_until_ms);
	return PUT(to, "\"}");
}

static void add(struct hf_buf *out, char *put(char *to, const struct hf_lease *lease), const struct hf_lease *lease, size_t max) {
	char *to = hf_buf_reserve(out, max);
	size_t len = to ? (size_t)(put(to, lease) - to) : 0;
	if (len > max)
		abort(); /* the sums above are wrong */
	out->len += len;
}

void hf_json_lease(struct hf_json *json, const struct hf_lease *lease) {
	if (json->comma)
		hf_buf_add(json->out, ",", 1);
	add(json->out, put_head, lease, HEAD_MAX);
	json->comma = true;
	if (lease->version[0])
		hf_json_member(json, "version", lease->version);
	if (lease->n_previous)
		add(json->out, put_previous, lease, PREVIOUS_MAX);
	add(json->out, put_tail, lease, TAIL_MAX);
}

void hf_json_previous(struct hf_json *json, const struct hf_previous *previous, int n) {
	char text[HF_ADDR_TEXT];
	hf_json_key(json, "previousVips");
	hf_json_open(json, '[');
	for (int i = 0; i < n; i++) {
		hf_addr_format(previous[i].address, text);
		hf_json_open(json, '{');
		hf_json_member(json, "ip", text);
		hf_json_member_time(json, "until", previous[i].until_ms);
		hf_json_close(json, '}');
	}
	hf_json_close(json, ']');
}
