/* ImageTagTransformer. */
#include "base/map.h"
#include "base/regex.h"
#include "render/kustomize/transform.h"

struct images { const struct node *at; struct image_spec *image; MANY(struct fieldspec) fields; };

static const struct shape_field images_fields[] = {
	FIELD_IN(images, image, "imageTag", ONE, image_shape),
	FIELD_IN(images, fields, "fieldSpecs", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape images_shape = { sizeof(struct images), images_fields };

struct reference { struct sv name, tag, digest; };

/* [[HOST[:PORT]/]PART/]PART[:TAG][@DIGEST]; a host's port is no tag. */
static struct reference split(struct sv image)
{
	const char *slash = memchr(image.p, '/', image.n);
	size_t from = slash && slash > image.p ? (size_t)(slash - image.p) : 0;
	struct sv rest = sv_drop(image, from);
	const char *at = rest.n ? memchr(rest.p, '@', rest.n) : NULL, *colon = rest.n ? memchr(rest.p, ':', rest.n) : NULL;
	const char *end = image.p + image.n;
	struct reference r = { image, { "", 0 }, { "", 0 } };

	if (at && (!colon || at < colon))
		colon = NULL;
	if (at)
		r.digest = (struct sv){ at + 1, (size_t)(end - at - 1) };
	if (colon)
		r.tag = (struct sv){ colon + 1, (size_t)((at ? at : end) - colon - 1) };
	if (at || colon)
		r.name.n = (size_t)((colon ? colon : at) - image.p);
	return r;
}

static struct sv given(const char *s) { return sv_c(s); }

static void change(struct reference *r, const struct image_spec *i, struct str *suffixed)
{
	if (i->new_name && *i->new_name)
		r->name = given(i->new_name);
	if ((i->new_tag && *i->new_tag) || (i->digest && *i->digest)) {
		r->tag = given(i->new_tag);
		r->digest = given(i->digest);
	} else if (i->tag_suffix && *i->tag_suffix) {
		str_addf(suffixed, "%.*s%s", SV_ARG(r->tag), i->tag_suffix);
		r->tag = str_sv(suffixed);
		r->digest = (struct sv){ "", 0 };
	}
}

struct setter {
	const struct image_spec *image;
	const struct regex *name;
	struct map suffixed;            /* nodes that have got a suffix: a second one would be wrong */
};

static bool is_suffixed(struct setter *s, const struct node *n)
{
	struct sv key = { (const char *)&n, sizeof(n) };

	return s->image->tag_suffix && *s->image->tag_suffix && map_put(&s->suffixed, key, s);
}

static int set_image(struct resource *r, struct node *n, void *arg, struct err *err)
{
	struct setter *s = arg;
	struct reference ref = split(node_sv(n));
	AUTO(str) suffixed = { 0 };
	AUTO(str) text = { 0 };
	int hit;

	TRY(scalar_check(n, err));
	hit = regex_matches(s->name, node_sv(n), err);
	if (hit <= 0 || is_suffixed(s, n))
		return hit < 0 ? hit : 0;
	change(&ref, s->image, &suffixed);
	str_add(&text, ref.name);
	if (ref.tag.n)
		str_addf(&text, ":%.*s", SV_ARG(ref.tag));
	if (ref.digest.n)
		str_addf(&text, "@%.*s", SV_ARG(ref.digest));
	scalar_set(r, n, str_sv(&text));
	return 0;
}

/* Lists named containers and initContainers count wherever they are. */
static int set_containers(struct resource *r, struct node *list, struct setter *s, struct err *err)
{
	struct node *item, *image;

	node_each(item, list) {
		if (!node_is(item, NODE_MAP))
			return err_set(err, ERR_INVALID, "wrong node kind: a container is a mapping, not %s", node_type_name(item));
		image = node_get(item, "image");
		if (image)
			TRY(set_image(r, image, s, err));
	}
	return 0;
}

static int set_everywhere(struct resource *r, struct node *n, struct setter *s, struct err *err)
{
	struct member *m;
	struct node *item;

	node_members(m, n) {
		TRY(set_everywhere(r, m->value, s, err));
		if (!strcmp(m->key, "containers") || !strcmp(m->key, "initContainers"))
			TRY(set_containers(r, m->value, s, err));
	}
	node_each(item, n)
		TRY(set_everywhere(r, item, s, err));
	return 0;
}

static int set_all(const struct transformation *x, const struct images *c, struct setter *s, struct err *err)
{
	struct fieldspecs fields = { c->fields.v, c->fields.n };

	TRY(build_work(x->t->b, x->set->n * 8, err));
	for (size_t i = 0; i < x->set->n; i++) {
		struct resource *r = x->set->v[i];

		if (!strcmp(resource_id(r)->kind, "CustomResourceDefinition"))
			continue;
		TRY(set_everywhere(r, r->root, s, err));
		TRY(fieldspecs_walk(r, fields, MAKE_NOTHING, set_image, s, err));
	}
	return 0;
}

static int run(const struct transformation *x, const void *config, struct err *err)
{
	const struct images *c = config;
	AUTO(regex) name = { 0 };
	AUTO(str) pattern = { 0 };
	struct setter s = { c->image, &name, { 0 } };
	int r;

	if (!c->image)
		return 0;
	str_addf(&pattern, "^%s(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?$",
		 c->image->name ? c->image->name : "");
	if (regex_init(&name, str_c(&pattern), false, NULL) < 0)
		return 0;                       /* a name that is no pattern matches nothing */
	r = set_all(x, c, &s, err);
	map_free(&s.suffixed);
	return r;
}

static size_t count(const struct target *t) { return t->k.images.n; }

static int configure(struct target *t, size_t i, void *config, struct err *err)
{
	struct images *c = config;

	(void)err;
	c->at = t->k.images.v[i].at;
	c->image = &t->k.images.v[i];
	c->fields.v = (struct fieldspec *)t->acc->config.lists[CONFIG_IMAGES].v;
	c->fields.n = t->acc->config.lists[CONFIG_IMAGES].n;
	return 0;
}

const struct transformer transform_images = { "ImageTagTransformer", &images_shape, count, configure, run };
