/* kube/health.h - the answer every kind gives to "is it well?", with Argo CD's rules and messages. Pure. */
#pragma once

#include "base/doc.h"

enum health_status { HEALTHY, SUSPENDED, PROGRESSING, MISSING, DEGRADED, UNKNOWN };     /* best to worst */

struct health { enum health_status status; bool known; struct str why; };       /* known false: the kind has no rule */

const char *health_name(enum health_status s);          /* "Healthy" */
int health_parse(const char *name);                     /* enum health_status, or -1 */
int health_set(struct health *h, enum health_status status, const char *why, ...) PRINTF(3, 4);        /* returns 0 */
void health_free(struct health *h);

/* The built-in rules (operator semantics 9 and 10). object is the whole live object. */
MUST_CHECK int health_of(const struct node *object, struct health *h, struct err *err);
