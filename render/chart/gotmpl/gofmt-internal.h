/* render/chart/gotmpl/gofmt-internal.h - one value by one verb, for what reads formats. */
#pragma once

#include "render/chart/gotmpl/gofmt.h"

struct spec {                           /* %[flags][width][.precision]verb */
	bool plus, minus, sharp, space, zero, has_width, has_precision;
	int width, precision;
	uint32_t verb;
	bool plus_v, sharp_v;           /* %+v and %#v */
};

struct printer { lua_State *lua; struct str *out; int depth; };

void gofmt_value(struct printer *p, int index, const struct spec *s);
