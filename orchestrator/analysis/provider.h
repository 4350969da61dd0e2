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
	/* Parks. Begins a measurement, or (resume) looks after one that went on; less than 0: the measurement is an error. */
	int (*measure)(struct measuring *m, bool resume, enum measured *out, struct err *err);
	/* Ends what goes on; NULL: nothing ever does. */
	int (*stop)(struct measuring *m, struct err *err);
};

extern const struct provider web_provider, prometheus_provider, job_provider;
/* The first member of metric.provider that has a row; NULL: err says which there are. */
const struct provider *provider_of(const struct node *metric, struct err *err);

/* A GET or POST with what the providers have in common: headers, timeout, insecure; the answer must be 2xx. */
MUST_CHECK int provider_fetch(struct measuring *m, const char *method, const char *url, struct sv body, const char *content_type,
			      struct httpc_response *out, struct err *err);
/* "{$.data.items[0].name}", "$['a'][*]": the nodes that a path leads to, added to out. ERR_BAD_REQUEST: not a path. */
MUST_CHECK int jsonpath_find(const char *path, const struct node *root, struct doc *d, struct node *out, struct err *err);
