/* operator/appset/generator.h - where the parameters of an ApplicationSet's applications come from (operator semantics 25). */
#pragma once

#include "kube/client.h"
#include "operator/appset/fill.h"
#include "operator/git/repo.h"

struct generating {
	struct repos *repos;
	struct client *client;
	const char *ns;                 /* of the set, where the repositories' Secrets are looked for too */
	bool go_template;
	struct filler *filler;
	struct doc *d;                  /* where parameters live */
	bool asks_git;                  /* out: some generator depends on a repository */
	int64_t requeue_s;              /* out: the soonest requeueAfterSeconds; 0: none is set */
};

#define GENERATOR_TEMPLATE "\1template"       /* key of a parameter map: the template of its generator; no parameter has such a name */

/* Parameters, one map each, of one entry of spec.generators are added to out (a sequence in g->d). Parks. An error means that
 * nothing is known: nothing may be deleted because of it. */
MUST_CHECK int generate(struct generating *g, const struct node *generator, struct node *out, struct err *err);
/* The repositories that the generators ask, by their nodes; for refreshing at a push. fn returns false to stop. */
void generator_repositories(const struct node *generators, bool (*fn)(void *arg, const char *url), void *arg);
