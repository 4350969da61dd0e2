/* render/chart/gotmpl/usage.h - what a part of a template uses of what is around it. */
#pragma once

#include "render/chart/gotmpl/parse.h"

struct tmpl_usage {
	struct { struct sv *v; size_t n, cap; } reads;          /* variables from outside, each once; not `$` */
	bool writes;                    /* one of them is assigned */
	bool leaves;                    /* a break or continue is of a range around it */
	size_t size;                    /* nodes */
};

void tmpl_usage_of(const struct tmpl *list, struct tmpl_usage *out);
void tmpl_usage_free(struct tmpl_usage *u);
