/* render/kustomize/set.h - the objects of one kustomization, in order, found by any identity in constant time. */
#pragma once

#include "base/map.h"
#include "render/kustomize/resource.h"

struct set {
	struct resource **v;            /* owned */
	size_t n, cap;
	struct map present;             /* key of the present identity -> struct found * */
	struct map any;                 /* key of every identity, former ones too -> struct found * */
	struct map names;               /* every name that an object has or had -> struct found * */
	size_t indexed;                 /* how many of v are in the indexes; see set_changed() */
	bool deletions;                 /* some roots are NULL or empty: see set_drop_deleted() */
};

struct found { size_t *v; size_t n, cap; };     /* positions in the set, ascending */

void set_free(struct set *s);
/* Tells the set that identities may have changed. */
void set_changed(struct set *s);
/* ERR_ALREADY_EXISTS when an object of the same identity is there; the set owns take in any case. */
MUST_CHECK int set_add(struct set *s, struct resource *take, struct err *err);
void set_push(struct set *s, struct resource *take);    /* without looking */
/* Takes every object of another set, which is empty afterwards. */
MUST_CHECK int set_add_all(struct set *s, struct set *from, struct err *err);
/* A generated object: added, or merged into the one that it names, as its behavior says. */
MUST_CHECK int set_absorb(struct set *s, struct resource *take, struct err *err);
void set_drop_deleted(struct set *s);                   /* nothing to do unless s->deletions says so */
/* Objects that have or had an identity; NULL: none. Valid until the set changes. */
const struct found *set_find_any(struct set *s, const struct id *id);
const struct found *set_find_present(struct set *s, const struct id *id);
const struct found *set_find_named(struct set *s, const char *name);
/* ERR_ALREADY_EXISTS when two objects have one identity. */
MUST_CHECK int set_check_unique(struct set *s, struct err *err);
