/* operator/chart/charts-internal.h - what the files of this folder share. */
#pragma once

#include "base/httpc.h"
#include "base/map.h"
#include "operator/chart/charts.h"
#include "operator/chart/versions.h"

#define CHART_PACKAGE_MAX ((size_t)32 << 20)

struct charts {
	struct loop *loop;
	struct httpc *http;
	char *dir;
	struct map repos;               /* address -> struct chart_repo */
};

/* What is known of a repository: versions by chart, as of asked_ms. */
struct chart_repo {
	int64_t asked_ms;               /* wall clock; 0: never */
	struct str etag;                /* of index.yaml */
	struct map charts;              /* name -> struct chart_versions */
};
void chart_repo_forget(struct chart_repo *r);           /* the versions */

/* A chart by its repository and name; url: a package that has an address of its own. */
struct chart_place {
	const struct chart_protocol *protocol;
	struct str repo, chart, url, version;   /* version: of "oci://host/x:1.0"; else what was wanted */
};

/* A kind of repository. */
struct chart_protocol {
	/* The versions of the place's chart, in repo->charts when it returns. */
	int (*list)(struct charts *c, const struct chart_want *w, const struct chart_place *p, struct chart_repo *repo, struct err *err);
	/* The bytes of a package, and where they came from. */
	int (*download)(struct charts *c, const struct chart_want *w, const struct chart_place *p, const struct chart_version *v,
			struct str *bytes, struct str *from, struct err *err);
};
extern const struct chart_protocol chart_protocol_http, chart_protocol_oci;

void chart_key(struct str *out, const char *repo, const char *chart, const char *version);      /* a file name for them */
