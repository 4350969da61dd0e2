/* operator/app/autosync.c - does a comparison start a sync by itself? */
#include "operator/app/autosync.h"

#define HEAL_FIRST_MS 2000
#define HEAL_FACTOR 3
#define HEAL_MAX_MS 300000
#define HEAL_COOLDOWN_MS 330000         /* quiet for so long: whatever changes things now is something new */

int64_t heal_backoff_ms(int64_t n)
{
	int64_t ms = HEAL_FIRST_MS;

	while (n-- > 0 && ms < HEAL_MAX_MS)
		ms *= HEAL_FACTOR;
	return ms < HEAL_MAX_MS ? ms : HEAL_MAX_MS;
}

static void set(struct autosync_answer *a, enum autosync what, int64_t wait_ms)
{
	a->what = what;
	a->wait_ms = wait_ms;
}

/* The back-off is against fights with somebody who changes things back: the first heal need not wait it out. */
static void heal(const struct autosync_facts *f, struct autosync_answer *out)
{
	bool quiet = f->since_finish_ms < 0 || f->since_finish_ms >= HEAL_COOLDOWN_MS;
	int64_t wait = f->heals && !quiet ? heal_backoff_ms(f->heals - 1) - f->since_finish_ms : 0;

	set(out, wait > 0 ? AUTO_WAIT : AUTO_HEAL, wait > 0 ? wait : 0);
	out->heals = quiet ? 0 : f->heals;
}

void autosync_decide(const struct autosync_facts *f, struct autosync_answer *out)
{
	set(out, AUTO_NOTHING, 0);
	if (!f->automated || f->deleting || f->operation || !f->out_of_sync)
		return;
	if (!f->prune && f->rows_not_synced == f->rows_to_prune)
		return;
	if (f->attempted && !f->succeeded) {
		set(out, AUTO_REFUSE, 0);
		str_addf(&out->why, "Failed last sync attempt: %s", f->last_message ? f->last_message : "");
		return;
	}
	if (f->attempted && !f->self_heal)
		return;
	if (f->prune && !f->allow_empty && f->rows && f->rows_to_prune == f->rows) {
		set(out, AUTO_REFUSE, 0);
		str_addc(&out->why, "Skipping sync attempt: auto-sync will wipe out all resources; "
				    "set syncPolicy.automated.allowEmpty if this is meant");
		return;
	}
	if (f->attempted)
		heal(f, out);
	else
		set(out, AUTO_FULL, 0);
}
