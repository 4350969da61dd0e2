/* operator/app/autosync.h - does a comparison start a sync by itself? Pure: facts in, decision out. */
#pragma once

#include "base/str.h"

enum autosync { AUTO_NOTHING, AUTO_FULL, AUTO_HEAL, AUTO_WAIT, AUTO_REFUSE };

struct autosync_facts {
	bool automated, prune, self_heal, allow_empty;  /* spec.syncPolicy.automated */
	bool deleting, operation, out_of_sync;
	size_t rows, rows_to_prune, rows_not_synced;    /* counted rows; those only in the cluster; all that differ */
	bool attempted;                 /* the last operation was of these sources and revisions */
	bool succeeded;                 /* and it worked */
	const char *last_message;       /* of it */
	int64_t heals;                  /* attempts to heal since the revision was first synced */
	int64_t since_finish_ms;        /* since the last operation ended; less than 0: never */
};

struct autosync_answer { enum autosync what; int64_t wait_ms, heals; struct str why; };

/* AUTO_WAIT: ask again after wait_ms. AUTO_HEAL: after so many heals before (a long quiet forgets them). AUTO_REFUSE: why is
 * the message of a SyncError condition. */
void autosync_decide(const struct autosync_facts *f, struct autosync_answer *out);
/* Between heal n (from 0) and the next one: 2 s times 3 to the n, at most 5 minutes. */
int64_t heal_backoff_ms(int64_t n);
