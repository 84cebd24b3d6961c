/* document.h — what a document of a list says of itself: whose configuration it is, and which.
 *
 * Identity: the kind is `kind`, else `type`, else MeshService. The service is the `kuma.io/display-name` label, else the annotation
 * of that name, else `name`, else `metadata.name`; plus "." and the namespace where there is one: the `k8s.kuma.io/namespace`
 * label, else `metadata.namespace` unless the labels say `kuma.io/origin: global` or `kuma.io/env: universal`. The mesh is `mesh`,
 * else the `kuma.io/mesh` label, else `default`. The zone is the `kuma.io/zone` label, else `global` if the labels say
 * `kuma.io/origin: global`, else that of the list. Labels are `labels`, else `metadata.labels`. What is null or "" counts as
 * missing everywhere. Thread-safe.
 */
#ifndef HF_API_KUMA_DOCUMENT_H
#define HF_API_KUMA_DOCUMENT_H

#include <jansson.h>

#include "canonical.h"
#include "storage/base/identity.h"

/* The objects of a document that its identity is read from; and what a member of one is. */
enum hf_document_part {
	HF_PART_DOCUMENT,
	HF_PART_METADATA,
	HF_PART_LABELS,
	HF_PART_ANNOTATIONS,
	HF_PARTS,
	HF_PART_TEXT = HF_PARTS, /* a text of the identity */
	HF_PART_OTHER		 /* says nothing of it */
};

/* What the member of that name is in an object. */
enum hf_document_part hf_document_member(enum hf_document_part of, const char *name, size_t len);

struct hf_document {
	struct hf_config config; /* fingerprint and claims, as hf_config_read() */
	struct hf_identity id;
	bool has_identity; /* false: `id` could not be read */
	bool nobodys;	   /* … as it is one that no lease can have: a name out of form, another kind */
};

/* Reads a document. `zone`: in whose list it stands, a checked name. *ret is written on failure too: an error that left the
 * identity readable sets has_identity and id. HF_E_INVALID_JSON: as hf_config_read(). HF_E_INVALID_NAME: a name out of
 * form. HF_E_INVALID_PARAMETER: no name; a kind that is none of the three; one of the members, labels and annotations above that
 * is no string. HF_E_OVERLOADED: out of memory. */
enum hf_err hf_document_read(const char *text, size_t len, const char *zone, struct hf_why *why,
			     struct hf_document *ret) HF_CHECKED;

/* Reads a reference to a service, {"kind"?,"mesh","service"}, strictly: other members are HF_E_INVALID_PARAMETER, as is a missing
 * one. The zone is the argument; if that is NULL, the reference has a member "zone" too. HF_E_INVALID_NAME: a name out of form. */
enum hf_err hf_document_reference(const json_t *object, const char *zone, struct hf_why *why, struct hf_identity *ret) HF_CHECKED;

#endif
