#include "kube/traffic.h"

#include "base/json.h"
#include "kube/object.h"

#include <stdlib.h>

struct traffic { struct doc *doc; };

struct traffic *traffic_read(const struct node *endpoints)
{
	const char *text = meta_annotation(endpoints, TRAFFIC_WEIGHTS);
	struct doc *d = NULL;
	struct traffic *t;

	if (!text || json_read(sv_c(text), TRAFFIC_WEIGHTS, 0, &d, NULL) < 0)
		return NULL;
	if (!node_is(doc_root(d), NODE_MAP)) {
		doc_drop(&d);
		return NULL;
	}
	t = calloc(1, sizeof *t);
	if (!t)
		abort();
	t->doc = d;
	return t;
}

uint32_t traffic_weight(const struct traffic *t, const char *ip)
{
	int64_t weight;

	if (!t)
		return 1;
	if (!node_to_i64(node_get(doc_root(t->doc), ip), &weight) || weight < 0)
		return 0;
	return weight < UINT32_MAX ? (uint32_t)weight : UINT32_MAX;
}

void traffic_free(struct traffic **tp)
{
	struct traffic *t = TAKE(*tp);

	if (!t)
		return;
	doc_drop(&t->doc);
	free(t);
}
