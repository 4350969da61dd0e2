/* kube/status.h - errors as the API's Status objects, and back. */
#pragma once

#include "kube/kind.h"

/* A Status with reason, code, and details: kind (plural) and name of what was asked for (NULL: unknown), and the causes. */
struct node *status_of_err(struct doc *d, const struct err *e, const struct kind *k, const char *name);
/* The Status of a successful delete. */
struct node *status_success(struct doc *d, const struct kind *k, const char *name, const char *uid);
/* Reads a Status, or whatever else an answer with that HTTP code held (NULL too); returns -code. */
int status_to_err(const struct node *status, int http, struct err *err);
