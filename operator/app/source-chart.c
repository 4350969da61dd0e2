/* operator/app/source-chart.c - charts of other repositories. */
#include "operator/app/source-chart.h"

#include "base/fiber.h"
#include "base/fs.h"

#define PACKAGE_MAX ((size_t)32 << 20)

bool source_is_chart(const struct app_source *s) { return *s->chart != 0; }

struct chart_want source_chart_want(const struct app_source *s, const struct chart_access *access)
{
	bool whole = s->chart == s->repo_url;   /* "oci://host/team/redis" */

	return (struct chart_want){ .repo = whole ? NULL : s->repo_url, .chart = s->chart, .version = s->revision, .access = access };
}

struct chart_access source_chart_access(const struct repo_access *a)
{
	if (!a)
		return (struct chart_access){ 0 };
	return (struct chart_access){
		.username = a->username, .password = a->password, .cert_pem = a->tls_cert, .key_pem = a->tls_key,
		.insecure = a->insecure, .plain_http = a->plain_http,
	};
}

/* ---- for renders ---- */

struct fetch { const char *dir; const struct chart_want *want; struct chart_package *package; struct err *err; };

/* On a loop of its own: the thread is the job's. */
static int fetch(void *arg)
{
	struct fetch *f = arg;
	struct charts *c = charts_new(fiber_loop(), f->dir);
	int r = charts_fetch(c, f->want, f->package, f->err);

	charts_free(&c);
	return r;
}

int chart_giver_give(void *arg, const struct render_chart *want, struct str *package, struct err *err)
{
	struct chart_giver *g = arg;
	const struct chart_access access = source_chart_access(credentials_pick(g->credentials, want->repo));
	const struct chart_want w = { .repo = want->repo, .chart = want->name, .version = want->version, .max_age_ms = CHARTS_CACHED,
				      .access = &access };
	AUTO(chart_package) found = { 0 };

	if (!charts_find(g->dir, &w, &found)) {
		g->missed = true;
		if (!g->online)
			return err_set(err, ERR_UNAVAILABLE, "%s is not fetched yet", want->name);
		int r = fiber_main(fetch, &(struct fetch){ g->dir, &w, &found, err });
		g->failed |= r < 0;
		TRY(r);
	}
	return file_read(str_c(&found.path), PACKAGE_MAX, package, err);
}
