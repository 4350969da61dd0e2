/* render/kustomize/origin.h - where objects come from and what changed them, as annotations say it. */
#pragma once

#include "render/kustomize/set.h"

const struct origin *origin_below(struct doc *arena, const struct origin *o, const char *path);
const struct origin *origin_remote(struct doc *arena, const char *repo, const char *ref, const char *path);
const struct origin *origin_configured(struct doc *arena, const struct origin *dir, const char *file, const char *api,
				       const char *kind, const char *name, const char *ns);
/* The origin of what a plugin's configuration, read from `file`, makes or changes. */
const struct origin *origin_of_plugin(struct doc *arena, const struct origin *file, const char *api, const struct id *id);
/* Writes the annotations into the objects: each only when asked for. */
void origins_annotate(struct set *s, bool origin, bool transformations);
