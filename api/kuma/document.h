/* document.h — reading a document of a list: its identity and its configuration.
 *
 * Identity: the kind is `kind`, else `type`, else MeshService. The service is the `kuma.io/display-name` label, else the annotation
 * of that name, else `name`, else `metadata.name`; plus "." and the namespace if it has one: the `k8s.kuma.io/namespace`
 * label, else `metadata.namespace` unless the labels say `kuma.io/origin: global` or `kuma.io/env: universal`. The mesh is `mesh`,
 * else the `kuma.io/mesh` label, else `default`. The zone is the `kuma.io/zone` label, else `global` if the labels say
 * `kuma.io/origin: global`, else the list's. Labels are `labels`, else `metadata.labels`. A value that is null or "" counts
 * as missing everywhere. Thread-safe.
 */
#ifndef HF_API_KUMA_DOCUMENT_H
#define HF_API_KUMA_DOCUMENT_H

#include <jansson.h>

#include "canonical.h"
#include "storage/base/identity.h"

/* The objects of a document that contain its identity, and the kinds of their members. */
enum hf_document_part {
	HF_PART_DOCUMENT,
	HF_PART_METADATA,
	HF_PART_LABELS,
	HF_PART_ANNOTATIONS,
	HF_PARTS,
	HF_PART_TEXT = HF_PARTS, /* a text of the identity */
	HF_PART_OTHER		 /* not part of it */
};

/* Returns what the member of that name is in an object. */
enum hf_document_part hf_document_member(enum hf_document_part of, const char *name, size_t len);

struct hf_document {
	struct hf_config config; /* fingerprint and claims, as hf_config_read() */
	struct hf_identity id;
	bool has_identity; /* false: `id` could not be read */
	bool nobodys;	   /* … because no lease can have it: an invalid name, or another kind */
};

/* Reads a document from the list of `zone`, a checked name. Writes *ret on failure too: after an error that left the identity
 * readable, has_identity and id are set.
 * Fails with HF_E_INVALID_JSON as hf_config_read() does.
 * Fails with HF_E_INVALID_NAME if a text is not a name.
 * Fails with HF_E_INVALID_PARAMETER if the name is missing, the kind is unknown, or a member, label or annotation above is not a
 * string. Fails with HF_E_OVERLOADED if memory runs out. */
enum hf_err hf_document_read(const char *text, size_t len, const char *zone, struct hf_why *why,
			     struct hf_document *ret) HF_CHECKED;

/* Reads a reference to a service strictly: {"kind"?,"mesh","service"}, and "zone" too if the argument is NULL.
 * Fails with HF_E_INVALID_PARAMETER if a member is missing, unknown or not a string.
 * Fails with HF_E_INVALID_NAME if a text is not a name. */
enum hf_err hf_document_reference(const json_t *object, const char *zone, struct hf_why *why, struct hf_identity *ret) HF_CHECKED;

#endif
