#include "orchestrator/api/api-internal.h"

#include <string.h>

bool change_view(const struct filter *f, const char *ns, const struct change *c, enum event_type *type,
		 struct item **out)
{
	if (ns && *ns && strcmp(ns, c->after->ns))
		return false;
	if (f->name && strcmp(f->name, c->after->name))
		return false;
	bool was = c->before && filter_matches(f, c->before), is = !c->gone && filter_matches(f, c->after);

	if (!was && !is)
		return false;
	*type = !is ? EVENT_DELETED : was ? EVENT_MODIFIED : EVENT_ADDED;
	/* Out of sight, though not gone: what was seen last, as of now. */
	*out = !is && !c->gone ? item_at_revision(c->before, c->revision) : item_ref(c->after);
	return true;
}
