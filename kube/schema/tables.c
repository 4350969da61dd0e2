#include "kube/schema/tables.h"

const struct type *builtin_type(const char *name)
{
	for (size_t i = 0; i < builtin_types_n; i++)
		if (str_eq(builtin_types[i].name, name))
			return &builtin_types[i];
	return NULL;
}
