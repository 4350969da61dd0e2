/* orchestrator/analysis/provider.h - where measurements come from: a row a provider. */
#pragma once

#include "base/httpc.h"
#include "kube/controller.h"
#include "orchestrator/analysis/metric.h"

struct measuring {
	struct controller *c;
	struct httpc *http;
	struct object *run;
	const struct node *metric;      /* with its arguments filled in */
	const struct node *provider;    /* metric.provider.<name> */
	struct doc *d;                  /* of the answer below, and of the row */
	struct node *row;               /* the open measurement: a provider may note in it what it must find again */
	struct value value;             /* of a measurement that has ended and is to be judged */
};

enum measured { MEASURED_VALUE, MEASURED_GOOD, MEASURED_BAD, MEASURED_UNCLEAR, MEASURED_LATER };

struct provider {
	const char *name;
	const char *const *fields;      /* of its own that it knows, NULL-terminated; any other is refused */
	/* What the names of fields cannot say; NULL: nothing more to check. Arguments are filled in. */
	int (*check)(const struct node *provider, struct err *err);
	/* Parks. Begins a measurement, or (resume) looks after one that went on; less than 0: the measurement is an error. */
	int (*measure)(struct measuring *m, bool resume, enum measured *out, struct err *err);
	/* Ends what goes on; NULL: nothing ever does. */
	int (*stop)(struct measuring *m, struct err *err);
};

extern const struct provider web_provider, prometheus_provider, job_provider;
/* The one member of metric.provider; NULL: err says which there are. */
const struct provider *provider_of(const struct node *metric, struct err *err);
/* ERR_INVALID: the metric has no provider, or two, or one with a field that is wrong or not known. */
MUST_CHECK int provider_check(const struct node *metric, struct err *err);

/* One exchange with what the providers have in common: headers, timeout, insecure, hosts that are Services of the cluster. The
 * answer must be 2xx. */
struct fetch { const char *method, *url, *content_type; struct sv body; int64_t timeout_ms; };   /* timeout_ms: unless the metric has one */
MUST_CHECK int provider_fetch(struct measuring *m, const struct fetch *f, struct httpc_response *out, struct err *err);
/* "timeoutSeconds" or "timeout" of a provider: 5, "5", "5s". *ms stays as it is without them. */
MUST_CHECK int provider_timeout(const struct node *provider, int64_t *ms, struct err *err);
/* The Service that a URL's host names as pods know it: NAME.NAMESPACE, and with .svc and .svc.cluster.local after it.
 * *out: what curl is to connect to instead, "HOST:PORT:ADDRESS:"; empty when the host is no Service. */
MUST_CHECK int service_address(struct client *c, const char *url, struct str *out, struct err *err);
/* "{$.data.items[0].name}", "$['a'][*]": the nodes that a path leads to, added to out. ERR_BAD_REQUEST: not a path. */
MUST_CHECK int jsonpath_find(const char *path, const struct node *root, struct doc *d, struct node *out, struct err *err);
