/* tree.c — mutations of what JSON holds: loaded by jansson, changed, and dumped again in one of several ways. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutate.h"

#define ITEMS_MAX 2048
#define STEPS_MAX 3
#define TWIN "\x7f\x7f" /* ends the name of a member that becomes a second one of that name */

static const char *const NAMES[] = {"kind",
				    "type",
				    "mesh",
				    "name",
				    "labels",
				    "metadata",
				    "annotations",
				    "namespace",
				    "spec",
				    "state",
				    "identities",
				    "status",
				    "vips",
				    "ip",
				    "kuma.io/display-name",
				    "kuma.io/mesh",
				    "kuma.io/zone",
				    "kuma.io/origin",
				    "kuma.io/env",
				    "kuma.io/",
				    "kuma.io",
				    "kuma.ioo/a",
				    "Kuma.io/a",
				    "k8s.kuma.io/namespace",
				    "k8s.kuma.io/",
				    "k8s.kuma.io",
				    "k8s.kuma.ip/a",
				    "xkuma.io/a",
				    "team",
				    "app",
				    "",
				    "a",
				    "b",
				    "aa",
				    "ab",
				    "A",
				    "~",
				    "\x7f",
				    "\xc2\x80",
				    "\xc3\xa9",
				    "\xe2\x82\xac",
				    "\xef\xbf\xbf",
				    "\xf0\x9f\x98\x80",
				    "/",
				    "\"",
				    "\\",
				    "\n",
				    "\t",
				    "\x01",
				    "\x1f",
				    "a\"",
				    "a\n",
				    "a b",
				    "spec ",
				    "specs",
				    "spe",
				    "status.vips",
				    "Spec"};

static const char *const VALUES[] = {"null",
				     "\"\"",
				     "\"a\"",
				     "{}",
				     "[]",
				     "7",
				     "true",
				     "false",
				     "0.5",
				     "-0.0",
				     "\"MeshService\"",
				     "\"MeshExternalService\"",
				     "\"MeshMultiZoneService\"",
				     "\"Dataplane\"",
				     "\"meshservice\"",
				     "\"global\"",
				     "\"universal\"",
				     "\"kubernetes\"",
				     "\"zone\"",
				     "\"west\"",
				     "\"east\"",
				     "\"West\"",
				     "\"a-\"",
				     "\"-\"",
				     "\"a b\"",
				     "\"*\"",
				     "\"a.b\"",
				     "\"kuma-system\"",
				     "\"redis\"",
				     "\"Redis\"",
				     "\"\\u00e9\"",
				     "\"a\\u00e9\"",
				     "{\"a\":\"b\"}",
				     "{\"a\":1,\"b\":[1,{\"c\":null}]}",
				     "[{\"ip\":\"241.0.0.1\"}]",
				     "{\"vips\":[{\"ip\":\"241.0.0.1\"}]}",
				     "{\"labels\":{\"a\":\"b\"}}",
				     "{\"name\":\"a\",\"namespace\":\"b\"}",
				     "[{\"port\":80,\"targetPort\":8080}]",
				     "[null,[],{}]"};

static const char *const IPS[] = {"\"241.0.0.1\"",
				  "\"10.0.0.255\"",
				  "\"fd00::1\"",
				  "\"FD00:0::0001\"",
				  "\"::\"",
				  "\"::ffff:1.2.3.4\"",
				  "\"256.0.0.1\"",
				  "\"1.2.3\"",
				  "\"01.2.3.4\"",
				  "\"1.2.3.4 \"",
				  "\"\"",
				  "7",
				  "null",
				  "[\"1.2.3.4\"]",
				  "\"fe80::1%eth0\"",
				  "\"1.2.3.4/32\"",
				  "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"",
				  "\"1::2::3\"",
				  "\"nonsense\""};

/* The members that decide something. */
static const char *const PATHS[][STEPS_MAX] = {{"kind"},
					       {"type"},
					       {"mesh"},
					       {"name"},
					       {"labels"},
					       {"metadata"},
					       {"spec"},
					       {"status"},
					       {"status", "vips"},
					       {"spec", "state"},
					       {"spec", "identities"},
					       {"spec", "ports"},
					       {"metadata", "name"},
					       {"metadata", "namespace"},
					       {"metadata", "labels"},
					       {"metadata", "annotations"},
					       {"metadata", "annotations", "kuma.io/display-name"},
					       {"labels", "kuma.io/display-name"},
					       {"labels", "kuma.io/mesh"},
					       {"labels", "kuma.io/zone"},
					       {"labels", "kuma.io/origin"},
					       {"labels", "kuma.io/env"},
					       {"labels", "k8s.kuma.io/namespace"},
					       {"labels", "team"},
					       {"metadata", "labels", "kuma.io/display-name"},
					       {"metadata", "labels", "kuma.io/mesh"},
					       {"metadata", "labels", "kuma.io/zone"},
					       {"metadata", "labels", "kuma.io/origin"},
					       {"metadata", "labels", "kuma.io/env"},
					       {"metadata", "labels", "k8s.kuma.io/namespace"},
					       {"metadata", "labels", "team"}};

static json_t *load(const char *text, size_t len) { return json_loadb(text, len, JSON_DECODE_ANY, NULL); }

static json_t *long_name(struct chance *c) {
	static const size_t lengths[] = {62, 63, 64, 253, 254, 300, 317, 318, 400};
	char name[512];
	size_t len = CHANCE_ITEM(c, lengths);
	memset(name, 'a', sizeof name);
	if (chance_of(c, 50))
		name[chance_below(c, len)] = CHANCE_ITEM(c, ".-_A\x7f");
	return json_stringn_nocheck(name, len);
}

static json_t *long_string(struct chance *c) {
	char text[5000];
	size_t len = chance_below(c, sizeof text);
	memset(text, chance_of(c, 50) ? 'x' : '"', sizeof text);
	return json_stringn_nocheck(text, len);
}

static json_t *many_vips(struct chance *c) {
	json_t *vips = json_array();
	for (size_t n = chance_below(c, 13); n > 0; n--) {
		const char *ip = chance_of(c, 50) ? IPS[chance_below(c, 5)] : CHANCE_ITEM(c, IPS);
		json_t *vip = chance_of(c, 90) ? json_object() : json_array();
		json_object_set_new(vip, chance_of(c, 95) ? "ip" : "name", load(ip, strlen(ip)));
		json_array_append_new(vips, vip);
	}
	return vips;
}

/* Containers in containers, some with other values before and behind the one that goes on. */
static json_t *nest(size_t depth, struct chance *c) {
	json_t *value = chance_of(c, 50) ? json_object() : json_integer(1);
	int percent_siblings = chance_of(c, 50) ? 60 : 0;
	for (size_t i = 0; i < depth; i++) {
		json_t *outer = chance_of(c, 50) ? json_object() : json_array();
		for (size_t n = 1 + chance_below(c, 3), last = chance_below(c, n); n > 0; n--) {
			json_t *item = n - 1 == last ? value : chance_of(c, percent_siblings) ? json_string("x") : NULL;
			if (item && json_is_array(outer))
				json_array_append_new(outer, item);
			else if (item)
				json_object_set_new(outer, n - 1 == last ? "a" : n == 1 ? "" : "b", item);
		}
		value = outer;
	}
	return value;
}

static json_t *random_value(struct chance *c) {
	char number[NUMBER_MAX];
	const char *text = CHANCE_ITEM(c, VALUES);
	json_t *value = NULL;
	switch (chance_below(c, 100)) {
	case 0:
	case 1:
	case 2:
		return long_name(c);
	case 3:
		return long_string(c);
	case 4:
	case 5:
		return nest(chance_of(c, 50) ? 55 + chance_below(c, 12) : chance_below(c, 20), c);
	case 6:
	case 7:
	case 8:
		return many_vips(c);
	case 9:
	case 10:
	case 11:
	case 12:
		value = load(number, mutate_number(c, number));
	}
	return value ? value : load(text, strlen(text));
}

static const char *random_name(struct chance *c) { return CHANCE_ITEM(c, NAMES); }

/* Gathers all containers below a value; borrowed. */
static void gather(json_t *value, json_t **found, size_t *n) {
	const char *name;
	json_t *item;
	size_t i;
	if (*n == ITEMS_MAX || !(json_is_object(value) || json_is_array(value)))
		return;
	found[(*n)++] = value;
	json_object_foreach (value, name, item)
		gather(item, found, n);
	json_array_foreach (value, i, item)
		gather(item, found, n);
}

static json_t *any_container(json_t *root, struct chance *c) {
	static json_t *found[ITEMS_MAX];
	size_t n = 0;
	gather(root, found, &n);
	return n > 0 ? found[chance_below(c, n)] : root;
}

static const char *any_member(json_t *object, struct chance *c) {
	void *at = json_object_iter(object);
	for (size_t n = chance_below(c, json_object_size(object)); at && n > 0; n--)
		at = json_object_iter_next(object, at);
	return at ? json_object_iter_key(at) : NULL;
}

/* Puts a value at one of the places that decide something, and objects above it where there are none. */
static void set_path(json_t *root, struct chance *c) {
	const char *const *path = CHANCE_ITEM(c, PATHS);
	json_t *at = root;
	int i = 0;
	for (; i + 1 < STEPS_MAX && path[i + 1]; i++) {
		json_t *below = json_object_get(at, path[i]);
		if (!json_is_object(below)) {
			below = json_object();
			json_object_set_new(at, path[i], below);
		}
		at = below;
	}
	if (chance_of(c, 10))
		json_object_del(at, path[i]);
	else
		json_object_set_new(at, path[i], strcmp(path[i], "vips") == 0 && chance_of(c, 80) ? many_vips(c) : random_value(c));
}

/* Gives the members of an object another order. */
static void shuffle(json_t *object, struct chance *c) {
	json_t *old = json_copy(object);
	json_object_clear(object);
	while (json_object_size(old) > 0) {
		const char *name = any_member(old, c);
		json_object_set(object, name, json_object_get(old, name));
		json_object_del(old, name);
	}
	json_decref(old);
}

/* Many members: lists of names have sizes at which they are kept and sorted in another way. */
static void add_many(json_t *object, struct chance *c) {
	char name[32];
	for (size_t n = chance_below(c, chance_of(c, 95) ? 24 : 600); n > 0; n--) {
		snprintf(name, sizeof name, "%s%zu", chance_of(c, 80) ? "" : random_name(c), chance_below(c, 2000));
		json_object_set_new(object, chance_of(c, 70) ? name : random_name(c), json_integer((json_int_t)n));
	}
}

static void change_object(json_t *object, json_t *other, struct chance *c) {
	const char *name = any_member(object, c);
	json_t *value = name ? json_incref(json_object_get(object, name)) : json_null();
	char twin[512];
	switch (chance_below(c, 12)) {
	case 0:
	case 1:
	case 2:
		shuffle(object, c);
		break;
	case 3:
		json_object_del(object, name);
		break;
	case 4: /* another name */
		json_object_del(object, name);
		json_object_set(object, random_name(c), value);
		break;
	case 5:
		json_object_set(object, random_name(c), value);
		break;
	case 6:
		json_object_set(object, random_name(c), other);
		break;
	case 7:
		add_many(object, c);
		break;
	case 8:
		snprintf(twin, sizeof twin, "%.400s%s", name ? name : "", TWIN);
		if (name && chance_of(c, 40))
			json_object_set(object, twin, value);
		break;
	default:
		json_object_set_new(object, name && chance_of(c, 50) ? name : random_name(c), random_value(c));
	}
	json_decref(value);
}

static void change_array(json_t *array, json_t *other, struct chance *c) {
	size_t n = json_array_size(array), at = chance_below(c, n);
	switch (chance_below(c, 4)) {
	case 0:
		json_array_remove(array, at);
		break;
	case 1:
		json_array_insert(array, at, n > 0 ? json_array_get(array, at) : other);
		break;
	case 2:
		json_array_insert(array, at, other);
		break;
	default:
		json_array_insert_new(array, at, random_value(c));
	}
}

/* Makes members that are marked so second ones of their name. */
static void join_twins(struct text *t) {
	char *at;
	while ((at = memmem(t->data, t->len, TWIN, strlen(TWIN))))
		text_replace(t, (size_t)(at - t->data), strlen(TWIN), "", 0);
}

static void dump(const json_t *root, struct text *t, struct chance *c) {
	size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(chance_of(c, 80) ? 17 : 3);
	flags |= chance_of(c, 60) ? JSON_COMPACT : chance_of(c, 50) ? JSON_INDENT(1) : 0;
	flags |= chance_of(c, 20) ? JSON_ENSURE_ASCII : 0;
	flags |= chance_of(c, 10) ? JSON_ESCAPE_SLASH : 0;
	char *text = json_dumps(root, flags);
	if (!text)
		return;
	text_set(t, text, strlen(text));
	free(text);
	join_twins(t);
}

static void change(json_t *root, json_t *guest, struct chance *c) {
	if (json_is_object(root) && chance_of(c, 55)) {
		set_path(root, c);
		return;
	}
	json_t *part = json_deep_copy(any_container(guest ? guest : root, c)), *at = any_container(root, c);
	if (json_is_object(at))
		change_object(at, part, c);
	else
		change_array(at, part, c);
	json_decref(part);
}

void mutate_tree(struct text *t, const struct text *other, size_t n, struct chance *c) {
	json_t *root = load(t->data, t->len), *guest = chance_of(c, 30) ? load(other->data, other->len) : NULL;
	if (json_is_object(root) || json_is_array(root)) {
		for (; n > 0; n--)
			change(root, guest, c);
		dump(root, t, c);
	}
	json_decref(root);
	json_decref(guest);
}
