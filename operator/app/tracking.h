/* operator/app/tracking.h - which application an object belongs to, by the annotation argocd.argoproj.io/tracking-id. Pure. */
#pragma once

#include "kube/object.h"

#define TRACKING_ID "argocd.argoproj.io/tracking-id"

/* "<instance>:<group>/<Kind>:<namespace>/<name>"; all parts borrow from the text. */
struct tracking { struct sv instance, group, kind, ns, name; };

bool tracking_parse(const char *text, struct tracking *t);      /* strict: three parts, a `/` in the second and the third */
/* The annotation's text for an object; ns: its own, or the application's destination for a cluster-scoped kind. */
void tracking_write(struct str *out, const char *instance, const char *group, const char *kind, const char *ns, const char *name);

/* The instance that the live object belongs to; false: to none. An object whose annotation names another object is a
 * copy that somebody made of one: it belongs to nobody. */
bool tracking_of(const struct object *o, struct sv *instance);

/* The instance name of an application: its name in the control plane's namespace, else NAMESPACE_NAME. Appends. */
void instance_name(struct str *out, const char *control_ns, const char *ns, const char *name);
