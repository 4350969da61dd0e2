/* operator/chart/charts.h - charts from elsewhere: Helm's chart repositories (index.yaml over HTTP) and OCI registries,
 * with a cache of packages by content.
 *
 * Functions that ask or fetch park the fiber. What is kept below DIR: packages/SHA256.tgz, names/KEY (which package a
 * chart and version of a repository is), indexes/KEY.yaml. */
#pragma once

#include "base/loop.h"
#include "base/str.h"
#include "base/vec.h"

struct charts;
struct charts *charts_new(struct loop *l, const char *dir);
void charts_free(struct charts **c);

/* Who to be. Texts may be NULL or empty; all is borrowed for the time of a call. */
struct chart_access {
	const char *username, *password;
	struct sv ca_pem, cert_pem, key_pem;
	bool insecure;                          /* certificates are not checked */
	bool plain_http;                        /* of a registry; on loopback it is found out */
	bool pass_credentials;                  /* also to other hosts that an index names */
};

#define CHARTS_CACHED (-1)                      /* max_age_ms: an exact version that was fetched once is not asked for again */

struct chart_want {
	const char *repo;                       /* "https://host/charts", "oci://host/team", "host/team"; NULL: chart says it all */
	const char *chart;                      /* "redis"; without repo "oci://host/team/redis" or "https://host/redis-1.0.0.tgz" */
	const char *version;                    /* a version or a range; NULL or "": the newest */
	bool devel;                             /* pre-releases count as newest, too */
	int64_t max_age_ms;                     /* how old may be what is known of the repository; 0: ask it now */
	const struct chart_access *access;      /* NULL: none */
};

struct chart_package { struct str version, digest, path, from; };     /* digest: "sha256:..." of the package; from: its address */
void chart_package_free(struct chart_package *p);

/* The version that a range means now; an exact one is itself. ERR_NOT_FOUND says which there are. */
MUST_CHECK int charts_resolve(struct charts *c, const struct chart_want *w, struct str *version, struct err *err);
/* The package, fetched when it is not here; checked against the digest that the repository gives. */
MUST_CHECK int charts_fetch(struct charts *c, const struct chart_want *w, struct chart_package *out, struct err *err);
/* An exact version that was fetched once into the cache at dir; asks nobody, from any thread. false: it is not here. */
bool charts_find(const char *dir, const struct chart_want *w, struct chart_package *out);
const char *charts_dir(const struct charts *c);

/* Pushes a package to "oci://host/team": as host/team/NAME:VERSION. digest: of the manifest; name: what it is called there. */
struct chart_push { const char *to; struct sv package, meta_json; const char *name, *version; const struct chart_access *access; };
MUST_CHECK int charts_push(struct charts *c, const struct chart_push *p, struct str *name, struct str *digest, struct err *err);

bool chart_is_oci(const char *repo);            /* "oci://..." */
bool chart_version_is_exact(const char *version);       /* "1.2.3-rc.1", and no range */
