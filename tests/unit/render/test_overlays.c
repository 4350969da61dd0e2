/* The example overlays, as they are printed; what explain and diff say about them; the documented errors. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "render/diff.h"
#include "render/render.h"
#include "render/trail.h"
#include "tree.h"

#define SOURCE TESTDATA "/../.."

static void render_overlay(const char *name, bool explain, struct rendered *r)
{
	struct render_opts o = { .explain = explain };
	AUTO(err) err = { 0 };
	struct vfs *v = vfs_dir(SOURCE "/examples/overlays", &err);

	assert_non_null(v);
	assert_ok(render(v, name, &o, r, &err), &err);
	vfs_free(v);
}

static void expect_golden(const char *file, const struct str *got)
{
	AUTO(str) want = { 0 };
	AUTO(err) err = { 0 };
	char path[512];

	snprintf(path, sizeof(path), TESTDATA "/overlays/%s", file);
	assert_ok(file_read(path, 1u << 20, &want, &err), &err);
	assert_string_equal(str_c(got), str_c(&want));
}

static void overlays_print_what_is_recorded(void **state)
{
	static const char *const rows[][2] = {
		{ "shop/dev", "shop-dev.yaml" }, { "shop/prod", "shop-prod.yaml" },
		{ "board/staging", "board-staging.yaml" }, { "board/prod", "board-prod.yaml" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		AUTO(rendered) r = { 0 };
		AUTO(str) out = { 0 };

		render_overlay(rows[i][0], false, &r);
		rendered_write(&r, &out);
		expect_golden(rows[i][1], &out);
	}
}

static void explain_prints_what_is_recorded(void **state)
{
	AUTO(rendered) r = { 0 };
	AUTO(str) out = { 0 };

	(void)state;
	render_overlay("shop/prod", true, &r);
	for (size_t i = 0; i < r.objects.n; i++) {
		str_addf(&out, "# %s\n", node_str_or(doc_root(r.objects.v[i]), "kind", ""));
		trail_explain(r.trails.v[i], r.objects.v[i], doc_root(r.objects.v[i]), NULL, &out);
	}
	expect_golden("shop-prod.explain", &out);
}

static void diff_prints_what_is_recorded(void **state)
{
	AUTO(rendered) dev = { 0 };
	AUTO(rendered) prod = { 0 };
	AUTO(str) out = { 0 };

	(void)state;
	render_overlay("shop/dev", false, &dev);
	render_overlay("shop/prod", false, &prod);
	objects_diff(&dev.objects, &prod.objects, &out);
	expect_golden("shop-dev-prod.diff", &out);
}

/* ---- docs/reference/render-errors.md: each example is a tree, and the message that it gives ---- */

struct example { struct str tree, message; unsigned line; bool helm; };        /* helm: its command says --enable-helm */

static void check_example(const struct example *e)
{
	struct vfs *v = tree_of(str_sv(&e->tree));
	struct render_opts o = { .type = RENDER_KUSTOMIZE, .enable_helm = e->helm };
	AUTO(rendered) r = { 0 };
	AUTO(err) err = { 0 };
	AUTO(str) got = { 0 };

	if (render(v, "", &o, &r, &err) >= 0)
		fail_msg("render-errors.md:%u: the example renders without an error", e->line);
	str_addf(&got, "%s\n", err_msg(&err));
	if (strcmp(str_c(&got), str_c(&e->message)) != 0)
		fail_msg("render-errors.md:%u: it says\n%sand the page says\n%s", e->line, str_c(&got), str_c(&e->message));
	vfs_free(v);
}

static void documented_errors_are_the_real_ones(void **state)
{
	struct example e = { 0 };
	AUTO(str) page = { 0 };
	AUTO(err) err = { 0 };
	struct sv rest, line, block = { "", 0 };
	unsigned n = 0, checked = 0;

	(void)state;
	assert_ok(file_read(SOURCE "/docs/reference/render-errors.md", 1u << 20, &page, &err), &err);
	for (rest = str_sv(&page); rest.n;) {
		sv_cut(rest, '\n', &line, &rest);
		n++;
		if (sv_starts(line, SV("```")) && block.n) {
			if (sv_eq_c(block, "```text")) {
				check_example(&e);
				checked++;
				str_cut(&e.tree, 0);
				str_cut(&e.message, 0);
				e.helm = false;
			}
			block.n = 0;
		} else if (sv_starts(line, SV("```"))) {
			block = line;
			e.line = n;
		} else if (sv_eq_c(block, "```yaml")) {
			bool name = sv_starts(line, SV("# ")) && (sv_ends(line, SV(".yaml")) || sv_ends(line, SV(".yml")));

			str_addf(&e.tree, "%s%.*s\n", name ? "--" : "", SV_ARG(name ? sv_drop(line, 1) : line));
		} else if (sv_eq_c(block, "```sh")) {
			e.helm = sv_ends(line, SV("--enable-helm ."));
		} else if (sv_eq_c(block, "```text")) {
			str_addf(&e.message, "%.*s\n", SV_ARG(line));
		}
	}
	assert_true(checked >= 151);
	str_free(&e.tree);
	str_free(&e.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(overlays_print_what_is_recorded),
		TEST(explain_prints_what_is_recorded),
		TEST(diff_prints_what_is_recorded),
		TEST(documented_errors_are_the_real_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
