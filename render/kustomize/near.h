/* render/kustomize/near.h - "did you mean": the name that comes nearest to one that was not found. */
#pragma once

#include "base/str.h"

struct near { struct sv wanted; const char *best; size_t distance; };

static inline struct near near_to(struct sv wanted)
{
	size_t most = wanted.n / 3 + 1;

	return (struct near){ wanted, NULL, (most < 2 ? 2 : most) + 1 };
}

static inline void near_try(struct near *n, const char *name)
{
	size_t d = sv_distance(n->wanted, sv_c(name));

	if (d >= n->distance || d >= n->wanted.n)
		return;
	n->distance = d;
	n->best = name;
}

/* For the end of a message: NEAR_FMT with NEAR_ARG(n). */
#define NEAR_FMT "%s%s%s"
#define NEAR_ARG(n) (n).best ? " (did you mean \"" : "", (n).best ? (n).best : "", (n).best ? "\"?)" : ""
