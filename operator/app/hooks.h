/* operator/app/hooks.h - what the annotations of a target say about when it is applied and removed. Pure. */
#pragma once

#include "base/doc.h"

enum phase { PRE_SYNC, SYNC, POST_SYNC, SYNC_FAIL, PRE_DELETE, POST_DELETE, PHASES };

enum delete_policy { DELETE_ON_SUCCESS = 1, DELETE_ON_FAILURE = 2, DELETE_BEFORE_CREATION = 4 };

struct hooks {
	unsigned phases;                /* a bit (1 << phase) each; 0: not a hook, or an ignored one */
	unsigned policies;              /* enum delete_policy */
	bool is_hook;
	bool skipped;                   /* never applied: Skip, or a hook of kinds that are not known */
};

void hooks_read(const struct node *root, struct hooks *out);
int64_t wave_of(const struct node *root);               /* argocd.argoproj.io/sync-wave, else helm.sh/hook-weight, else 0 */
const char *phase_name(enum phase p);                   /* "PreSync" */
int phase_parse(const char *name);                      /* enum phase, or -1 */

/* Is "Prune=false" among the annotation argocd.argoproj.io/sync-options of the object? */
bool sync_option(const struct node *root, const char *option);
