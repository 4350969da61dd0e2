/* kube/schema/types.h - is each value of the type that its row says? Inside schema/ only. */
#pragma once

#include "kube/kind.h"

struct mismatch {               /* the first value that is not */
	const struct node *at;
	const struct type *in;  /* the type whose field it is */
	struct str path;        /* "spec.containers.ports": as Go's decoder says it, without indexes */
	struct str want;        /* Go's name of the type */
	const char *quantity;   /* set: the type is right, and the text is not a quantity, or not a time */
};

bool types_match(const struct node *root, const struct type *t, struct mismatch *m);   /* false: *m is filled */
void mismatch_free(struct mismatch *m);
/* "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32" */
void mismatch_text(const struct mismatch *m, struct str *out);
