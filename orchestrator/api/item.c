#include "orchestrator/api/cache-internal.h"

#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char meta_start[] = "\"metadata\":{";
static const char version_start[] = "\"resourceVersion\":\"";

/* Where the first member of metadata stands; kind and apiVersion are written before it, so the first match is it. */
static size_t metadata_at(struct sv json)
{
	const char *at = memmem(json.p, json.n, meta_start, sizeof meta_start - 1);

	return at ? (size_t)(at - json.p) + sizeof meta_start - 1 : 0;
}

/* head + resourceVersion + tail */
static struct item *make(struct resource *r, const char *ns, const char *name, int64_t revision, struct sv head,
			 struct sv tail)
{
	char version[64];
	int n = head.n ? snprintf(version, sizeof version, "%s%" PRId64 "\"%s", version_start, revision,
				  tail.n && *tail.p == '}' ? "" : ",") : 0;
	size_t json_n = head.n + (size_t)n + tail.n, ns_n = strlen(ns) + 1, name_n = strlen(name) + 1;
	struct item *i = malloc(sizeof *i + json_n + 1 + ns_n + name_n);

	if (!i)
		abort();
	*i = (struct item){ .refs = 1, .revision = revision, .resource = r, .n = json_n };
	char *p = mempcpy(i->json, head.p, head.n);
	p = mempcpy(p, version, (size_t)n);
	p = mempcpy(p, tail.p, tail.n);
	*p++ = '\0';
	i->ns = p;
	i->name = memcpy(mempcpy(p, ns, ns_n), name, name_n);
	return i;
}

struct item *item_new(struct resource *r, const char *ns, const char *name, int64_t revision, struct sv json)
{
	size_t at = metadata_at(json);

	return make(r, ns, name, revision, (struct sv){ json.p, at }, sv_drop(json, at));
}

struct item *item_at_revision(const struct item *i, int64_t revision)
{
	struct sv json = item_sv(i);
	size_t at = metadata_at(json);
	struct sv tail =
		sv_drop(json, at + sizeof version_start - 1); /* digits of the old one, a quote, perhaps a comma */
	const char *quote = memchr(tail.p, '"', tail.n);

	tail = sv_drop(tail, quote ? (size_t)(quote - tail.p) + 1 : 0);
	if (tail.n && *tail.p == ',')
		tail = sv_drop(tail, 1);
	struct item *copy = make(i->resource, i->ns, i->name, revision, (struct sv){ json.p, at }, tail);
	copy->written_ms = i->written_ms;
	return copy;
}

struct item *item_ref(struct item *i)
{
	i->refs++;
	return i;
}

void item_drop(struct item **i)
{
	struct item *gone = TAKE(*i);

	if (!gone || --gone->refs)
		return;
	object_drop(&gone->object);
	free(gone);
}

struct object *item_object(struct item *i)
{
	struct doc *d = NULL;

	if (!i->object && !json_read(item_sv(i), NULL, 0, &d, NULL))
		i->object = object_new(i->resource->kind, d);
	return i->object;
}

void items_free(struct items *v)
{
	for (size_t i = 0; i < v->n; i++)
		item_drop(&v->v[i]);
	vec_free(v);
}
