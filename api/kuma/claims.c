/* claims.c — reading claims, with and without a parser, and reporting those that are refused. */
#include "claims.h"

#include <string.h>

#include "api/text/json.h"
#include "labels.h"

/* --- reading --- */

static bool is(const struct hf_value *value, const char *word) {
	const char *text = hf_value_text(value);
	return text && strcmp(text, word) == 0;
}

static bool is_in_cluster(const struct hf_value *document) {
	const struct hf_value *labels = hf_labels_of(document);
	const char *kind = hf_value_text(hf_value_member(document, "kind"));
	if (!kind || !*kind)
		kind = hf_value_text(hf_value_member(document, "type"));
	if ((kind && *kind && strcmp(kind, "MeshService") != 0) || is(hf_value_member(labels, "kuma.io/origin"), "global"))
		return false;
	return is(hf_value_member(labels, "kuma.io/managed-by"), "k8s-controller") ||
	       is(hf_value_member(labels, "k8s.kuma.io/is-headless-service"), "true");
}

/* Notes a claim that is not an address, or one too many; its text is cut between characters. */
static void add_wrong(struct hf_claims *claims, enum hf_refusal reason, const char *text, size_t len) {
	struct hf_wrong_claims *wrong = &claims->wrong;
	size_t kept = 0;
	if (wrong->n == HF_WRONG_CLAIMS_MAX) {
		wrong->more++;
		return;
	}
	struct hf_wrong_claim *one = &wrong->of[wrong->n++];
	for (size_t n; kept < len && (n = hf_utf8_length(text + kept, len - kept)) > 0 && kept + n < HF_CLAIM_TEXT;)
		kept += n;
	memcpy(one->text, text, kept);
	one->text[kept] = '\0';
	one->reason = reason;
}

static void add_text(struct hf_claims *claims, const char *text, size_t len) {
	struct hf_addr a;
	if (text[strspn(text, HF_ADDR_BLANKS)] == '\0')
		return;
	if (hf_addr_parse_loosely(text, &a)) {
		add_wrong(claims, HF_CLAIM_NO_ADDRESS, text, len);
		return;
	}
	for (int i = 0; i < claims->n; i++)
		if (claims->of[i].n == a.n)
			return;
	if (claims->n == HF_CLAIMS_MAX)
		add_wrong(claims, HF_CLAIM_TOO_MANY, text, len);
	else
		claims->of[claims->n++] = a;
}

/* Adds a claim, or a list of claims. */
static void add_value(struct hf_claims *claims, const struct hf_value *value) {
	static const char *const names[] = {[HF_FALSE] = "false", [HF_TRUE] = "true"};
	const struct hf_value *item = value ? value + 1 : NULL;
	if (!value)
		return;
	switch ((enum hf_value_type)value->type) {
	case HF_NULL:
		break;
	case HF_STRING:
		add_text(claims, value->text, value->len);
		break;
	case HF_OBJECT:
		add_value(claims, hf_value_member(value, "ip"));
		break;
	case HF_ARRAY:
		for (uint32_t i = 0; i < value->len; i++, item = hf_value_after(item))
			add_value(claims, item);
		break;
	case HF_INTEGER:
	case HF_REAL:
		add_wrong(claims, HF_CLAIM_NO_ADDRESS, value->text, value->len);
		break;
	case HF_FALSE:
	case HF_TRUE:
		add_wrong(claims, HF_CLAIM_NO_ADDRESS, names[value->type], strlen(names[value->type]));
	}
}

void hf_claims_read(const struct hf_value *document, struct hf_claims *ret) {
	const struct hf_value *status = hf_value_member(document, "status");
	*ret = (struct hf_claims){.n = 0};
	add_value(ret, hf_value_member(status, "vips"));
	add_value(ret, hf_value_member(status, "vip"));
	if ((ret->n || ret->wrong.n) && is_in_cluster(document))
		*ret = (struct hf_claims){.in_cluster = true};
}

/* --- reading without a parser: only what control planes write --- */

/* Moves after the next `"vip`; returns false if none follows. Searching for a letter is faster than for a word. */
static bool find_vip(const char **at, const char *end) {
	const char *found = *at;
	while ((found = memchr(found, 'v', (size_t)(end - found)))) {
		bool opened = found[-1] == '"'; /* a document's first byte is a bracket */
		found++;
		if (opened && end - found >= 2 && memcmp(found, "ip", 2) == 0) {
			*at = found + 2;
			return true;
		}
	}
	return false;
}

static const char *word(const char *at, const char *end, const char *text) {
	size_t len = strlen(text);
	return at && (size_t)(end - at) >= len && memcmp(at, text, len) == 0 ? at + len : NULL;
}

/* Reads the rest of {} or {"ip":"…"} after its bracket; returns NULL if it is neither, or the address is not one of the lease's. */
static const char *read_object(const char *at, const char *end, const struct hf_addr *vips, int n_vips, int *mask) {
	char quoted[HF_ADDR_TEXT + 1];
	const char *value = hf_text_next(at, end, '}');
	if (value)
		return value;
	value = hf_text_next(at, end, '"');
	value = word(value, end, "ip\"");
	value = value ? hf_text_next(value, end, ':') : NULL;
	value = value ? hf_text_next(value, end, '"') : NULL;
	for (int i = 0; value && i < n_vips; i++) {
		hf_addr_format(vips[i], quoted);
		strcat(quoted, "\"");
		const char *behind = word(value, end, quoted);
		if (behind) {
			*mask |= 1 << i;
			return hf_text_next(behind, end, '}');
		}
	}
	return NULL;
}

/* Reads the value of "vips" or "vip"; returns NULL if it has any other form. */
static const char *read_vips(const char *at, const char *end, bool many, const struct hf_addr *vips, int n_vips, int *mask) {
	const char *next = hf_text_next(at, end, many ? '[' : '{');
	if (!many)
		return next ? read_object(next, end, vips, n_vips, mask) : NULL;
	const char *closed = next ? hf_text_next(next, end, ']') : NULL;
	if (closed)
		return closed;
	for (at = next; at; at = hf_text_next(at, end, ',')) {
		at = hf_text_next(at, end, '{');
		at = at ? read_object(at, end, vips, n_vips, mask) : NULL;
		closed = at ? hf_text_next(at, end, ']') : NULL;
		if (closed || !at)
			return closed;
	}
	return NULL;
}

int hf_claims_peek(const char *text, size_t len, const struct hf_addr *vips, int n_vips) {
	const char *end = text + len, *at = text;
	int mask = 0;
	if (len == 0)
		return 0;
	if (text[0] == 'v' || memchr(text, '\\', len)) /* an escape may hide a name */
		return -1;
	while (find_vip(&at, end)) {
		bool many = at < end && *at == 's';
		const char *value = word(at, end, many ? "s\"" : "\"");
		value = value ? hf_text_next(value, end, ':') : NULL;
		if (!value)
			continue; /* another name, or not a name */
		at = read_vips(value, end, many, vips, n_vips, &mask);
		if (!at)
			return -1;
	}
	return mask;
}

/* --- reporting --- */

bool hf_claims_next_refused(const struct hf_claims_result *result, int *at, struct hf_refused_claim *ret) {
	*ret = (struct hf_refused_claim){.reason = HF_CLAIM_HAD};
	for (; *at < result->n; (*at)++)
		if (result->refused[*at] != HF_CLAIM_HAD) {
			hf_addr_format(result->claims[*at], ret->text);
			ret->reason = (enum hf_refusal)result->refused[(*at)++];
			return true;
		}
	int i = (*at)++ - result->n;
	if (!result->wrong || i >= result->wrong->n)
		return false;
	memcpy(ret->text, result->wrong->of[i].text, sizeof ret->text);
	ret->reason = result->wrong->of[i].reason;
	ret->more = i + 1 == result->wrong->n ? result->wrong->more : 0;
	return true;
}

void hf_claims_write_json(struct hf_json *json, const struct hf_claims_result *result) {
	struct hf_refused_claim claim;
	hf_json_open(json, '[');
	for (int at = 0; hf_claims_next_refused(result, &at, &claim);) {
		hf_json_open(json, '{');
		hf_json_member(json, "address", claim.text);
		hf_json_member(json, "reason", hf_refusal_name(claim.reason));
		if (claim.more)
			hf_json_member_uint(json, "more", claim.more);
		hf_json_close(json, '}');
	}
	hf_json_close(json, ']');
}

void hf_claims_write_header(struct hf_buf *out, const struct hf_claims_result *result) {
	struct hf_refused_claim claim;
	for (int at = 0; hf_claims_next_refused(result, &at, &claim);) {
		hf_buf_text(out, out->len ? ", \"" : "\"");
		for (const char *c = claim.text; *c; c++) {
			char plain = *c >= 0x20 && *c < 0x7f ? *c : '?';
			hf_buf_text(out, plain == '"' || plain == '\\' ? "\\" : "");
			hf_buf_add(out, &plain, 1);
		}
		hf_buf_printf(out, "\";reason=%s", hf_refusal_name(claim.reason));
		if (claim.more)
			hf_buf_printf(out, ";more=%u", claim.more);
	}
	if (out->len > 0)
		hf_buf_add(out, "", 1);
}
