/* tests/unit/kube/fake-client.h - a cluster in memory behind kube/client.h, with an API server's rules about versions,
 * conflicts, status, finalizers, graceful deletion and watches, and with faults on demand. No validation, no defaults. */
#pragma once

#include "kube/client.h"

struct client *fake_client(struct loop *l, const struct kinds *kinds);

/* Every call and every event of a watch takes 0 to most turns of the loop, by chance: copies are stale for a while. */
void fake_delay(struct client *c, unsigned seed, unsigned most);
void fake_drop_watches(struct client *c);               /* open watches break off */
void fake_compact(struct client *c);                    /* a watch from before now is ERR_EXPIRED */
/* The next `times` calls of the verb ("create", "delete", ...) fail with the code; kind NULL: of any kind. */
void fake_fail(struct client *c, const char *verb, const char *kind, enum err_code code, int times);

int64_t fake_revision(const struct client *c);
size_t fake_n(const struct client *c, const char *kind);                /* live objects of a kind */
/* Borrowed until the next write. */
const struct object *fake_get(const struct client *c, const char *kind, const char *ns, const char *name);
void fake_each(const struct client *c, const char *kind, void (*fn)(const struct object *o, void *arg), void *arg);
/* Everything that happened, in order. */
void fake_replay(const struct client *c, void (*fn)(enum event_type type, const struct object *o, void *arg), void *arg);
size_t fake_events(const struct client *c, const char *kind, enum event_type type);    /* how many of this kind and type */
/* Creates from JSON text; returns the object, borrowed. Aborts when that fails: fixtures are right. */
const struct object *fake_add(struct client *c, const char *json);
/* Sets the value at a path of the live object to JSON text, status included. */
void fake_set(struct client *c, const char *kind, const char *ns, const char *name, const char *path, const char *json);
