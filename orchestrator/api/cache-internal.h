/* orchestrator/api/cache-internal.h - the watch cache: every object's encoded bytes, and the last changes of each
 * resource.
 *
 * An item is one version of one object, immutable and counted; it is encoded once, and parsed when somebody asks. Lists
 * and watches are served from here; the store is read at the start only. A resource is a group and a plural. */
#pragma once

#include "base/fiber.h"
#include "base/map.h"
#include "base/vec.h"
#include "kube/object.h"
#include "orchestrator/store/store.h"

struct resource;

struct item {
	unsigned refs;
	int64_t revision;
	int64_t written_ms;             /* wall clock of the write; 0: before this start */
	struct resource *resource;
	struct object *object;          /* parsed; NULL until asked for */
	const char *ns, *name;          /* after json, in the same allocation */
	size_t n;
	char json[]; /* {"kind":K,"apiVersion":V,"metadata":{"resourceVersion":"N",... ; NUL-terminated */
};

/* One write. before NULL: created. gone: deleted, and after is what was there last with the deletion's revision. */
struct change { int64_t revision; struct item *before, *after; bool gone; };

struct ring {                           /* the last changes, oldest first; numbered from the start of the program */
	struct change *v;
	size_t cap, first, n;
	uint64_t first_number;
	size_t bytes;                   /* of items that are kept for this ring alone */
	int64_t since;                  /* it holds every change after this revision */
};

struct cache_listener {                 /* called on the loop for every change of a resource */
	void (*fn)(struct cache_listener *l, const struct change *c);
	struct cache_listener *next;
};

struct resource {
	struct cache *cache;
	char *prefix;                   /* "/registry/apps/deployments/" */
	const struct kind *kind;        /* of stored objects; NULL: not known (yet) */
	VEC(struct item *) items;       /* by namespace, then name */
	struct ring ring;
	struct fiber_cond changed;
	struct cache_listener *listeners;
	size_t bytes;                   /* of live items */
};

struct cache {
	struct store *store;
	struct kinds *kinds;
	struct map resources;           /* prefix -> struct resource * */
	struct map by_kind;             /* the pointer's bytes -> struct resource * */
	int64_t start, revision;        /* history begins after start */
};

/* Reads the store, and goes on with its events. In a fiber. */
MUST_CHECK int cache_open(struct cache *c, struct store *st, struct kinds *kinds, struct err *err);
void cache_close(struct cache *c);

struct resource *cache_resource(struct cache *c, const struct kind *k);        /* made when absent */
char *resource_key(const struct resource *r, const char *ns, const char *name);       /* of the store; heap */
struct item *resource_find(const struct resource *r, const char *ns, const char *name); /* borrowed; NULL: none */
/* Index of the first item at or after (ns, name): a list of a namespace starts at (ns, ""). */
size_t resource_seek(const struct resource *r, const char *ns, const char *name);
/* The items of a past revision (0: now) in order, each a reference. ERR_EXPIRED. */
struct items { struct item **v; size_t n, cap; };
MUST_CHECK int resource_at(struct resource *r, int64_t revision, const char *ns, struct items *out, struct err *err);
void items_free(struct items *v);
/* Place in the ring of the first change after a revision. ERR_EXPIRED. */
MUST_CHECK int ring_seek(const struct ring *r, int64_t revision, uint64_t *number, struct err *err);
const struct change *ring_at(const struct ring *r, uint64_t number); /* NULL: not there yet; check ring_lost() first */
static inline bool ring_lost(const struct ring *r, uint64_t number) { return number < r->first_number; }
void resource_listen(struct resource *r, struct cache_listener *l);
void resource_unlisten(struct resource *r, struct cache_listener *l);   /* from within a call: its own only */

/* json has no resourceVersion: it is put in. */
struct item *item_new(struct resource *r, const char *ns, const char *name, int64_t revision, struct sv json);
struct item *item_ref(struct item *i);
void item_drop(struct item **i);
#define AUTO_ITEM __attribute__((cleanup(item_drop))) struct item *
struct item *item_at_revision(const struct item *i, int64_t revision);  /* the same content: a new reference */
struct object *
item_object(struct item *i); /* borrowed, lives as long as the item; NULL: the stored bytes do not parse */
static inline struct sv item_sv(const struct item *i) { return (struct sv){ i->json, i->n }; }
void cache_trim(struct cache *c);               /* forgets parsed forms that nobody else holds */
