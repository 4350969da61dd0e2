/* kube/kind.h - kinds are data: everything that differs from one kind to the next, as rows.
 *
 * The built-in kinds are compiled from kube/schema/ (a row a field); CustomResourceDefinitions add kinds at run time to
 * the same registry. Defaulting, validation, pruning, strategic merge and printing all walk these tables. */
#pragma once

#include "base/doc.h"
#include "base/err.h"

enum field_type {
	FIELD_STR = 1, FIELD_INT32, FIELD_INT64, FIELD_NUMBER, FIELD_BOOL,
	FIELD_OBJECT,           /* .of names the fields */
	FIELD_INT_OR_STR, FIELD_QUANTITY, FIELD_TIME, FIELD_MICRO_TIME, FIELD_DURATION, FIELD_BYTES,    /* special strings */
	FIELD_RAW,              /* any JSON: unknown fields below are kept */
};

enum field_container { FIELD_ONE, FIELD_LIST, FIELD_MAP };      /* one value, an array of it, an object with free keys */

enum field_flags {
	FIELD_REQUIRED = 1,
	FIELD_IMMUTABLE = 2,
	FIELD_MERGE = 4,                /* patch strategy merge: list items are matched by .merge_key (or by value) */
	FIELD_RETAIN_KEYS = 8,          /* patch strategy retainKeys */
	FIELD_ATOMIC = 16,              /* list or map is owned as a whole in server-side apply */
	FIELD_LIST_MAP = 32,            /* list type map, keys in .list_keys */
	FIELD_LIST_SET = 64,
};

struct type;

struct field {
	const char *name;
	uint8_t type, container;        /* enum field_type, enum field_container */
	uint16_t flags;
	const struct type *of;
	const char *merge_key;          /* "name"; NULL: none */
	const char *list_keys;          /* "containerPort,protocol" */
	const char *def;                /* default as JSON text; NULL: none */
	const char *choices;            /* "Always|OnFailure|Never"; NULL: any */
	const char *help;
};

enum type_flags {
	TYPE_RULES = 1,                 /* schema/ has functions for it: defaults or checks that no row can say */
	TYPE_DEFAULTS = 2,              /* it or something below it has defaults or rules: worth a walk */
};

struct type {
	const char *name;               /* "core/v1.PodSpec" */
	const struct field *fields;     /* sorted by name */
	size_t n_fields;
	unsigned flags;                 /* enum type_flags */
};

struct column { const char *name, *type, *format, *path; int priority; const char *help; };     /* a column of `get` */

enum subresource { SUB_STATUS = 1, SUB_SCALE = 2, SUB_LOG = 4, SUB_EXEC = 8, SUB_ATTACH = 16, SUB_PORTFORWARD = 32,
		   SUB_PROXY = 64, SUB_EVICTION = 128, SUB_BINDING = 256, SUB_TOKEN = 512, SUB_APPROVAL = 1024, SUB_FINALIZE = 2048 };

struct kind {
	const char *group, *version, *kind;     /* group "" is core */
	const char *plural, *singular;
	const char *short_names;                /* "po", comma separated, or "" */
	const char *categories;                 /* "all" */
	bool namespaced;
	unsigned subresources;                  /* enum subresource */
	const struct type *type;                /* NULL: free form */
	const struct column *columns;           /* after NAME; ended by a NULL name; NULL: AGE only */
};

struct kinds;                                   /* a registry: the built-in rows and those added at run time */

struct kinds *kinds_new(void);                  /* with all built-in kinds */
void kinds_free(struct kinds **k);
void kinds_add(struct kinds *k, const struct kind *borrowed);   /* replaces one of the same group, version, kind */
void kinds_remove(struct kinds *k, const struct kind *kind);
size_t kinds_n(const struct kinds *k);
const struct kind *kinds_at(const struct kinds *k, size_t i);
const struct kind *kinds_find(const struct kinds *k, const char *api_version, const char *kind);        /* "apps/v1", "Deployment" */
const struct kind *kinds_find_plural(const struct kinds *k, const char *group, const char *version, const char *plural);
/* What a person types: "po", "pods", "deployment", "deployments.apps", "Pod"; any case. NULL: none. */
const struct kind *kinds_find_name(const struct kinds *k, const char *name);
const char *kind_api_version(const struct kind *k, char buf[static 128]);       /* "apps/v1"; "v1" */
const struct field *type_field(const struct type *t, struct sv name);           /* NULL: unknown field */

/* The error of an unknown kind, with the nearest known one. */
int kinds_unknown(const struct kinds *k, const char *api_version, const char *kind, struct err *err);
