/* kube/schema/walk.h - paths into objects, as Kubernetes writes them: spec.containers[0].env, metadata.labels[app].
 *
 * Every value that is checked has its path written first, wrong or not: these do not go through printf. */
#pragma once

#include "base/str.h"

static inline void path_field(struct str *path, const char *name)
{
	if (path->n)
		str_add1(path, '.');
	str_addc(path, name);
}

static inline void path_key(struct str *path, const char *key)
{
	str_add1(path, '[');
	str_addc(path, key);
	str_add1(path, ']');
}

static inline void path_index(struct str *path, size_t i)
{
	char digits[24], *p = digits + sizeof digits;

	*--p = '\0';
	do
		*--p = (char)('0' + i % 10);
	while (i /= 10);
	path_key(path, p);
}
