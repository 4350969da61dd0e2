/* operator/app/hooks.c - hooks, waves and options from annotations. */
#include "operator/app/hooks.h"

#include "kube/object.h"

#define HOOK "argocd.argoproj.io/hook"
#define HELM_HOOK "helm.sh/hook"
#define POLICY "argocd.argoproj.io/hook-delete-policy"
#define HELM_POLICY "helm.sh/hook-delete-policy"

struct word { const char *text; unsigned bits; };

static const char *const phases[PHASES] = {
	[PRE_SYNC] = "PreSync", [SYNC] = "Sync", [POST_SYNC] = "PostSync", [SYNC_FAIL] = "SyncFail",
	[PRE_DELETE] = "PreDelete", [POST_DELETE] = "PostDelete",
};

static const struct word argo_hooks[] = {
	{ "PreSync", 1 << PRE_SYNC }, { "Sync", 1 << SYNC }, { "PostSync", 1 << POST_SYNC }, { "SyncFail", 1 << SYNC_FAIL },
	{ "PreDelete", 1 << PRE_DELETE }, { "PostDelete", 1 << POST_DELETE }, { 0 },
};

static const struct word helm_hooks[] = {
	{ "pre-install", 1 << PRE_SYNC }, { "pre-upgrade", 1 << PRE_SYNC }, { "post-install", 1 << POST_SYNC },
	{ "post-upgrade", 1 << POST_SYNC }, { "pre-delete", 1 << PRE_DELETE }, { "post-delete", 1 << POST_DELETE }, { 0 },
};

static const struct word policies[] = {
	{ "HookSucceeded", DELETE_ON_SUCCESS }, { "HookFailed", DELETE_ON_FAILURE }, { "BeforeHookCreation", DELETE_BEFORE_CREATION },
	{ "hook-succeeded", DELETE_ON_SUCCESS }, { "hook-failed", DELETE_ON_FAILURE },
	{ "before-hook-creation", DELETE_BEFORE_CREATION }, { 0 },
};

/* The bits of the words of a comma list that the table has. */
static unsigned words(const char *list, const struct word *table)
{
	struct sv word, rest = sv_c(list);
	unsigned bits = 0;

	while (rest.n) {
		struct sv tail = { "", 0 };
		(void)sv_cut(rest, ',', &word, &tail);
		for (const struct word *w = table; w->text; w++)
			if (sv_eq_c(sv_trim(word), w->text))
				bits |= w->bits;
		rest = tail;
	}
	return bits;
}

void hooks_read(const struct node *root, struct hooks *out)
{
	const char *argo = meta_annotation(root, HOOK), *helm = meta_annotation(root, HELM_HOOK);
	const char *policy = meta_annotation(root, POLICY), *helm_policy = meta_annotation(root, HELM_POLICY);

	*out = (struct hooks){ 0 };
	if (!argo && (!helm || str_eq(helm, "crd-install")))
		return;
	out->is_hook = true;
	out->phases = argo ? words(argo, argo_hooks) : words(helm, helm_hooks);
	out->skipped = !out->phases;
	out->policies = words(policy ? policy : helm_policy, policies);
	if (!out->policies)
		out->policies = DELETE_BEFORE_CREATION;
}

int64_t wave_of(const struct node *root)
{
	const char *wave = meta_annotation(root, "argocd.argoproj.io/sync-wave");
	int64_t n;

	if (!wave)
		wave = meta_annotation(root, "helm.sh/hook-weight");
	return wave && sv_to_i64(sv_trim(sv_c(wave)), &n) ? n : 0;
}

const char *phase_name(enum phase p)
{
	return phases[p];
}

int phase_parse(const char *name)
{
	for (int i = 0; i < PHASES; i++)
		if (str_eq(name, phases[i]))
			return i;
	return -1;
}

bool sync_option(const struct node *root, const char *option)
{
	const struct word wanted[] = { { option, 1 }, { 0 } };

	return words(meta_annotation(root, "argocd.argoproj.io/sync-options"), wanted) != 0;
}
