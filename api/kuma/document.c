/* document.c — reads documents of a list. */
#include "document.h"

#include <string.h>

#include "api/text/members.h"
#include "labels.h"

/* The texts that identify a document. */
enum field {
	KIND,
	TYPE,
	MESH,
	NAME,
	METADATA_NAME,
	METADATA_NAMESPACE,
	DISPLAY_NAME,
	DISPLAY_NAME_ANNOTATION,
	MESH_LABEL,
	ZONE_LABEL,
	NAMESPACE_LABEL,
	ORIGIN,
	ENV,
	FIELDS
};

static const struct {
	enum hf_document_part part;
	const char *name;
} PLACES[FIELDS] = {
	[KIND] = {HF_PART_DOCUMENT, "kind"},
	[TYPE] = {HF_PART_DOCUMENT, "type"},
	[MESH] = {HF_PART_DOCUMENT, "mesh"},
	[NAME] = {HF_PART_DOCUMENT, "name"},
	[METADATA_NAME] = {HF_PART_METADATA, "name"},
	[METADATA_NAMESPACE] = {HF_PART_METADATA, "namespace"},
	[DISPLAY_NAME] = {HF_PART_LABELS, "kuma.io/display-name"},
	[DISPLAY_NAME_ANNOTATION] = {HF_PART_ANNOTATIONS, "kuma.io/display-name"},
	[MESH_LABEL] = {HF_PART_LABELS, "kuma.io/mesh"},
	[ZONE_LABEL] = {HF_PART_LABELS, "kuma.io/zone"},
	[NAMESPACE_LABEL] = {HF_PART_LABELS, "k8s.kuma.io/namespace"},
	[ORIGIN] = {HF_PART_LABELS, "kuma.io/origin"},
	[ENV] = {HF_PART_LABELS, "kuma.io/env"},
};

static bool is_name(const char *name, size_t len, const char *word) { return len == strlen(word) && memcmp(name, word, len) == 0; }

enum hf_document_part hf_document_member(enum hf_document_part of, const char *name, size_t len) {
	bool outer = of == HF_PART_DOCUMENT || of == HF_PART_METADATA;
	if (of == HF_PART_DOCUMENT && is_name(name, len, "metadata"))
		return HF_PART_METADATA;
	if (outer && is_name(name, len, "labels"))
		return HF_PART_LABELS;
	if (of == HF_PART_METADATA && is_name(name, len, "annotations"))
		return HF_PART_ANNOTATIONS;
	for (int i = 0; i < FIELDS; i++)
		if (PLACES[i].part == of && is_name(name, len, PLACES[i].name))
			return HF_PART_TEXT;
	return HF_PART_OTHER;
}

/* Finds the texts; sets NULL for a text that is missing, null or "". */
static enum hf_err find_texts(const struct hf_value *document, struct hf_why *why, const char *ret[FIELDS]) {
	static const char *const names[HF_PARTS] = {"the document", "metadata", "labels", "metadata.annotations"};
	const struct hf_value *metadata = hf_value_member(document, "metadata");
	const struct hf_value *parts[HF_PARTS] = {document, metadata, hf_labels_of(document),
						  hf_value_member(metadata, "annotations")};
	for (int i = 0; i < HF_PARTS; i++)
		if (parts[i] && !hf_value_is(parts[i], HF_OBJECT) && !hf_value_is(parts[i], HF_NULL))
			return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" is not an object", names[i]);
	for (int i = 0; i < FIELDS; i++) {
		const struct hf_value *value = hf_value_member(parts[PLACES[i].part], PLACES[i].name);
		if (value && !hf_value_is(value, HF_STRING) && !hf_value_is(value, HF_NULL))
			return hf_fail(why, HF_E_INVALID_PARAMETER, "\"%s\" in %s is not a string", PLACES[i].name,
				       names[PLACES[i].part]);
		ret[i] = hf_value_text(value);
		if (ret[i] && !ret[i][0])
			ret[i] = NULL;
	}
	return HF_OK;
}

static bool is(const char *text, const char *word) { return text && strcmp(text, word) == 0; }

static const char *first_of(const char *a, const char *b) { return a ? a : b; }

static enum hf_err read_kind(const char *text, struct hf_why *why, enum hf_kind *ret) {
	if (!text)
		*ret = HF_MESH_SERVICE;
	else if (!hf_kind_parse(text, ret))
		return hf_fail(why, HF_E_INVALID_PARAMETER, "kind \"%.40s\" is unknown", text);
	return HF_OK;
}

static enum hf_err read_service(const char *const texts[FIELDS], struct hf_why *why, char *ret) {
	const char *name = first_of(first_of(texts[DISPLAY_NAME], texts[DISPLAY_NAME_ANNOTATION]),
				    first_of(texts[NAME], texts[METADATA_NAME]));
	const char *space = texts[NAMESPACE_LABEL];
	/* A copy of a resource of global, or of a universal zone, lies in the namespace of the control plane that received it. */
	if (!space && !is(texts[ORIGIN], "global") && !is(texts[ENV], "universal"))
		space = texts[METADATA_NAMESPACE];
	if (!name)
		return hf_fail(why, HF_E_INVALID_PARAMETER, "the document has no name");
	struct hf_buf service = {0};
	hf_buf_text(&service, name);
	hf_buf_text(&service, space ? "." : "");
	hf_buf_add(&service, space ? space : "", space ? strlen(space) + 1 : 1);
	if (service.failed)
		return hf_no_memory(why);
	enum hf_err err = hf_name_set("service", service.data, HF_SERVICE_MAX, why, ret);
	hf_buf_free(&service);
	return err;
}

/* Reads the identity. Sets *ret_nobodys if it fails because no lease can have that identity. */
static enum hf_err read_identity(const struct hf_value *document, const char *zone, struct hf_why *why, struct hf_identity *ret,
				 bool *ret_nobodys) {
	const char *texts[FIELDS];
	enum hf_err err = find_texts(document, why, texts);
	if (err)
		return err;
	err = read_kind(first_of(texts[KIND], texts[TYPE]), why, &ret->kind);
	*ret_nobodys = err != HF_OK;
	if (!err)
		err = read_service(texts, why, ret->service);
	if (!err)
		err = hf_name_set("mesh", first_of(first_of(texts[MESH], texts[MESH_LABEL]), "default"), HF_NAME_MAX, why,
				  ret->mesh);
	const char *home = is(texts[ORIGIN], "global") ? "global" : zone; /* for a document that does not state its zone */
	return err ? err : hf_name_set("zone", first_of(texts[ZONE_LABEL], home), HF_NAME_MAX, why, ret->zone);
}

enum hf_err hf_document_read(const char *text, size_t len, const char *zone, struct hf_why *why, struct hf_document *ret) {
	struct hf_tape tape;
	struct hf_identity id = {0};
	*ret = (struct hf_document){0};
	enum hf_err err = hf_tape_open(text, len, "the document", why, &tape);
	if (err)
		return err;
	err = read_identity(tape.values, zone, why, &id, &ret->nobodys);
	ret->nobodys = ret->nobodys || err == HF_E_INVALID_NAME;
	if (!err) {
		ret->has_identity = true;
		ret->id = id;
		err = hf_config_of(tape.values, why, &ret->config);
	}
	hf_tape_close(&tape);
	return err;
}

enum hf_err hf_document_reference(const json_t *object, const char *zone, struct hf_why *why, struct hf_identity *ret) {
	static const char *const with_zone[] = {"kind", "mesh", "zone", "service", NULL};
	static const char *const without_zone[] = {"kind", "mesh", "service", NULL};
	struct hf_identity id = {.kind = HF_MESH_SERVICE};
	struct hf_members m = hf_members_begin(object, NULL, why);
	hf_members_allow(&m, zone ? without_zone : with_zone, NULL);
	if (hf_members_has(&m, "kind"))
		id.kind = hf_members_kind(&m, "kind");
	hf_members_name(&m, "mesh", HF_NAME_MAX, id.mesh);
	if (!zone)
		hf_members_name(&m, "zone", HF_NAME_MAX, id.zone);
	else if (!m.err)
		m.err = hf_name_set("zone", zone, HF_NAME_MAX, why, id.zone);
	hf_members_name(&m, "service", HF_SERVICE_MAX, id.service);
	enum hf_err err = hf_members_end(&m);
	if (!err)
		*ret = id;
	return err;
}
