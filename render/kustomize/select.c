/* Selectors: regular expressions over identities, label selectors over labels and annotations. */
#include <stdlib.h>

#include "kube/selector.h"
#include "base/regex.h"
#include "render/kustomize/transform.h"

enum part { GROUP, VERSION, KIND, NAME, NAMESPACE, PARTS };

struct selection {
	struct regex part[PARTS];
	bool has[PARTS];
	struct selector *labels, *annotations;
};

static int parse_marks(const char *text, struct selector **out, struct err *err)
{
	return text && *text ? selector_parse(text, out, err) : 0;
}

int selection_new(const struct selector_spec *s, struct selection **out, struct err *err)
{
	const char *patterns[PARTS] = { s->group, s->version, s->kind, s->name, s->ns };
	struct selection *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	*out = n;
	for (int i = 0; i < PARTS; i++) {
		n->has[i] = patterns[i] && *patterns[i];
		if (n->has[i])
			TRY(regex_init(&n->part[i], patterns[i], true, err));
	}
	TRY(parse_marks(s->labels, &n->labels, err));
	return parse_marks(s->annotations, &n->annotations, err);
}

void selection_free(struct selection **sp)
{
	struct selection *s = TAKE(*sp);

	if (!s)
		return;
	for (int i = 0; i < PARTS; i++)
		regex_free(&s->part[i]);
	selector_free(&s->labels);
	selector_free(&s->annotations);
	free(s);
}

static int part_has(const struct selection *s, enum part p, const char *text, struct err *err)
{
	return s->has[p] ? regex_matches(&s->part[p], sv_c(text), err) : 1;
}

static int kind_has(const struct selection *s, const struct id *id, struct err *err)
{
	const char *texts[] = { id->group, id->version, id->kind };

	for (int i = GROUP; i <= KIND; i++) {
		int hit = part_has(s, (enum part)i, texts[i], err);

		if (hit <= 0)
			return hit;
	}
	return 1;
}

int selection_has_id(const struct selection *s, const struct id *id, struct err *err)
{
	int hit = kind_has(s, id, err);

	if (hit > 0)
		hit = part_has(s, NAME, id->name, err);
	return hit > 0 ? part_has(s, NAMESPACE, id->ns, err) : hit;
}

/* Selectors compare texts: values that were written as numbers or booleans count as what was written. */
static const struct node *as_texts(struct resource *r, const struct node *marks)
{
	const struct member *m;
	struct node *texts = NULL;

	node_members(m, marks)
		if (m->value->type != NODE_STR && !texts)
			texts = node_map(r->doc);
	if (!texts)
		return marks;
	node_members(m, marks)
		node_setn(r->doc, texts, (struct sv){ m->key, m->key_n }, node_strn(r->doc, node_sv(m->value)));
	return texts;
}

int selection_has_marks(const struct selection *s, struct resource *r, struct err *err)
{
	(void)err;
	return (!s->labels || selector_matches(s->labels, as_texts(r, resource_labels(r)))) &&
	       (!s->annotations || selector_matches(s->annotations, as_texts(r, resource_annotations(r))));
}

/* Either the oldest or the present value may match. */
static int either_has(const struct selection *s, enum part p, const char *oldest, const char *present, struct err *err)
{
	int hit = part_has(s, p, oldest, err);

	return hit ? hit : part_has(s, p, present, err);
}

int selection_has(const struct selection *s, struct resource *r, struct err *err)
{
	const struct id *id = resource_id(r);
	struct id oldest = resource_original(r);
	int hit = kind_has(s, id, err);

	if (hit > 0)
		hit = either_has(s, NAME, oldest.name, id->name, err);
	if (hit > 0)
		hit = either_has(s, NAMESPACE, r->formers.n ? oldest.ns : id_ns(&oldest), id_ns(id), err);
	return hit > 0 ? selection_has_marks(s, r, err) : hit;
}

const struct found *selection_candidates(const struct selection *s, struct set *set, bool *all)
{
	*all = !s->has[NAME] || !s->part[NAME].literal;
	return *all ? NULL : set_find_named(set, s->part[NAME].literal);
}

bool selection_names_ids(const struct selection *s)
{
	for (int i = 0; i < PARTS; i++)
		if (s->has[i])
			return true;
	return false;
}

bool selection_names_marks(const struct selection *s) { return s->labels || s->annotations; }
