/* cli/explain.c - `cd explain`: the fields of a kind, from the tables that also validate and default them. No server is asked. */
#include "cli/print.h"
#include "cli/verbs.h"

#define DEPTH_MAX 12

static const char *const type_names[] = {
	[FIELD_STR] = "string", [FIELD_INT32] = "integer", [FIELD_INT64] = "integer", [FIELD_NUMBER] = "number",
	[FIELD_BOOL] = "boolean", [FIELD_OBJECT] = "Object", [FIELD_INT_OR_STR] = "integer or string", [FIELD_QUANTITY] = "quantity",
	[FIELD_TIME] = "time", [FIELD_MICRO_TIME] = "time", [FIELD_DURATION] = "duration", [FIELD_BYTES] = "base64 bytes",
	[FIELD_RAW] = "anything",
};

static void add_type(struct str *out, const struct field *f)
{
	const char *name = type_names[f->type];
	struct sv group, short_name = SV("");

	if (f->type == FIELD_OBJECT && f->of && f->of->name && sv_cut_last(sv_c(f->of->name), '.', &group, &short_name))
		name = short_name.p;
	str_addf(out, f->container == FIELD_LIST ? "<[]%s>" : f->container == FIELD_MAP ? "<map[string]%s>" : "<%s>", name);
}

static void add_notes(struct str *out, const struct field *f)
{
	if (f->flags & FIELD_REQUIRED)
		str_addc(out, " required");
	if (f->flags & FIELD_IMMUTABLE)
		str_addc(out, " immutable");
	if (f->def)
		str_addf(out, " default %s", f->def);
	if (f->choices)
		str_addf(out, " one of %s", f->choices);
}

static void print_fields(const struct type *t, int depth, bool recursive)
{
	for (size_t i = 0; t && i < t->n_fields; i++) {
		const struct field *f = &t->fields[i];
		AUTO(str) line = { 0 };

		str_addf(&line, "%*s%s ", 2 * depth, "", f->name);
		add_type(&line, f);
		add_notes(&line, f);
		puts(str_c(&line));
		if (!recursive && f->help && *f->help)
			printf("%*s%s\n", 2 * depth + 4, "", f->help);
		if (recursive && f->of && depth < DEPTH_MAX)
			print_fields(f->of, depth + 1, true);
	}
}

/* Walks "spec.template.spec" from the kind's own type. */
static int walk(const struct kind *k, struct sv path, const struct type **t, const struct field **f, struct err *err)
{
	struct sv one;

	*t = k->type;
	*f = NULL;
	for (bool more = path.n > 0; more;) {
		more = sv_cut(path, '.', &one, &path);
		*f = *t ? type_field(*t, one) : NULL;
		if (!*f)
			return err_set(err, ERR_NOT_FOUND, "%s has no field '" SV_FMT "'%s%s", k->kind, SV_ARG(one), *t ? " in " : "",
				       *t ? (*t)->name : "");
		*t = (*f)->of;
	}
	return 0;
}

static int explain(const struct kinds *kinds, const char *text, bool recursive, struct err *err)
{
	struct sv name, path;
	const struct type *t;
	const struct field *f;
	char version[128];

	(void)sv_cut(sv_c(text), '.', &name, &path);
	char *copy = sv_dup(name);
	const struct kind *k = kinds_find_name(kinds, copy);
	int r = k ? 0 : kinds_unknown(kinds, NULL, copy, err);
	free(copy);
	TRY(r);
	TRY(walk(k, path, &t, &f, err));
	printf("KIND:     %s\nVERSION:  %s\n", k->kind, kind_api_version(k, version));
	if (f) {
		AUTO(str) line = { 0 };

		str_addf(&line, "FIELD:    " SV_FMT " ", SV_ARG(path));
		add_type(&line, f);
		add_notes(&line, f);
		printf("%s\n%s%s%s", str_c(&line), f->help ? "\n    " : "", f->help ? f->help : "", f->help ? "\n" : "");
	}
	if (t)
		puts("\nFIELDS:");
	print_fields(t, 1, recursive);
	return EXIT_OK;
}

static const struct usage usage = {
	"explain", "TYPE[.FIELD...] [OPTIONS]",
	"Tells which fields a resource has, of which type, which are required, and what they are for.",
	"  cd explain deployment.spec.strategy\n"
	"  cd explain application.spec --recursive",
};

int cmd_explain(int argc, char **argv)
{
	bool recursive = false;
	struct opt_list args = { 0 };
	struct err err = { 0 };
	const struct opt opts[] = { { "recursive", 0, OPT_FLAG, &recursive, NULL, "the fields below, too, without their help" }, { 0 } };
	int r = cli_options(&usage, opts, argc, argv, &args);

	if (r < 0 && args.n != 1)
		r = cli_usage_error(&usage, "name one type, or a field of it: pod, pod.spec.containers");
	if (r < 0) {
		struct kinds *kinds = kinds_new();

		r = explain(kinds, args.v[0], recursive, &err);
		kinds_free(&kinds);
		if (r < 0)
			r = cli_fail("explain", &err);
	}
	vec_free(&args);
	return r;
}
