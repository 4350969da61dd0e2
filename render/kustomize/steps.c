#include "render/kustomize/steps.h"

#include "render/trail.h"

static void note(struct resource *r, const char *what, const char *where)
{
	if (!r->trail)
		r->trail = trail_new();
	trail_note(r->trail, r->doc, r->root, what, where);
}

void steps_start(struct build *b, struct resource *r)
{
	if (b->explain)
		note(r, NULL, NULL);
}

void steps_note(struct build *b, struct set *s, const char *what, const char *where)
{
	for (size_t i = 0; b->explain && i < s->n; i++)
		if (s->v[i]->root)
			note(s->v[i], what, where);
}
