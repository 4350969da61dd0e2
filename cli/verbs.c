#include "cli/verbs.h"
#include "base/str.h"

const struct verb verbs[] = {
	{ "image",   "node",   "build, import, pull, list and remove images", cmd_image },
	{ "version", "other",  "show the version", cmd_version },
	{ 0 }
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (str_eq(v->name, name))
			return v;
	return NULL;
}
