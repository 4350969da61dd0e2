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
/* The same as an error, in the words of Go's decoder: `Deployment in version "v1" cannot be handled as a Deployment: json:
 * cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`. ERR_BAD_REQUEST. */
MUST_CHECK int types_check(const struct node *root, const struct kind *k, struct err *err);
