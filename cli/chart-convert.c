/* cli/chart-convert.c - `cd chart convert`: a Helm chart as a Lua chart. */
#include "cli/chart.h"

#include "base/fs.h"
#include "render/chart/gotmpl/convert.h"
#include "render/chart/gotmpl/luatext.h"

#define FILE_MAX ((size_t)5 << 20)

static const struct usage usage = {
	"chart convert", "[OPTIONS] CHART",
	"Writes a first Lua version of a Helm chart: the same files, with the actions of its templates as Lua. What it renders to stays\n"
	"the same; making the templates simpler is what remains. Charts below it (charts/) stay as they are.",
	"  cd chart convert ./web\n  cd chart convert -d lua/redis oci://registry.example.com/charts/redis",
};

struct convert { const char *to, *name; struct vfs *view; size_t converted, copied; struct err *err; };

static bool is_template(const char *path)
{
	return !strncmp(path, "templates/", 10) && !sv_ends(sv_c(path), SV(".lua"));
}

static int write_file(struct convert *c, const char *rel, struct sv text)
{
	AUTO(str) to = { 0 };
	AUTO(str) changed = { 0 };
	AUTO(str) name = { 0 };

	str_addf(&to, "%s/%s", c->to, rel);
	str_addf(&name, "%s/%s", c->name, rel);
	if (is_template(rel) && text.n && !lua_text_is(text)) {
		TRY(gotmpl_convert(str_c(&name), text, &changed, c->err));
		if (lua_text_is(str_sv(&changed))) {
			c->converted++;
			return file_write(str_c(&to), str_sv(&changed), 0644, c->err);
		}
	}
	c->copied++;
	return file_write(str_c(&to), text, 0644, c->err);
}

static int convert_dir(struct convert *c, const char *dir, const char *rel)
{
	struct vfs_entries entries = { 0 };
	AUTO(str) to = { 0 };
	int r;

	str_addf(&to, "%s%s%s", c->to, *rel ? "/" : "", rel);
	TRY(dir_make(str_c(&to), 0755, c->err));
	r = vfs_list(c->view, dir, &entries, c->err);
	for (size_t i = 0; r >= 0 && i < entries.n; i++) {
		AUTO(str) from = { 0 };
		AUTO(str) below = { 0 };
		AUTO(str) text = { 0 };

		str_addf(&from, "%s%s%s", dir, *dir ? "/" : "", entries.v[i].name);
		str_addf(&below, "%s%s%s", rel, *rel ? "/" : "", entries.v[i].name);
		if (entries.v[i].type == VFS_DIR)
			r = convert_dir(c, str_c(&from), str_c(&below));
		else if ((r = vfs_read(c->view, str_c(&from), FILE_MAX, &text, c->err)) >= 0)
			r = write_file(c, str_c(&below), str_sv(&text));
	}
	vfs_entries_free(&entries);
	return r;
}

static int convert(const char *name, const char *to, const struct chart_flags *f, struct err *err)
{
	struct convert c = { .err = err };
	AUTO(chart_opened) o = { 0 };
	AUTO(str) made = { 0 };

	TRY(chart_open(name, f, &o, err));
	c.name = o.chart->name;
	c.view = o.chart->view;
	str_addf(&made, "%s-lua", o.chart->name);
	c.to = to ? to : str_c(&made);
	if (path_exists(c.to))
		return err_set(err, ERR_ALREADY_EXISTS, "'%s' is there already", c.to);
	TRY(convert_dir(&c, o.chart->dir, ""));
	printf("Converted %s to %s: %zu templates, %zu other files\n", name, c.to, c.converted, c.copied);
	return 0;
}

int chart_convert(int argc, char **argv)
{
	struct chart_flags f = { 0 };
	struct opt_list args = { 0 };
	const char *to = NULL;
	const struct opt opts[] = {
		{ "destination", 'd', OPT_STR, &to, "DIR", "what to write; NAME-lua by default" }, CHART_REMOTE_OPTS(&f), { 0 }
	};
	AUTO(err) err = { 0 };
	int code = cli_options(&usage, opts, argc, argv, &args);

	if (code < 0 && args.n != 1)
		code = cli_usage_error(&usage, "wants one chart");
	if (code < 0)
		code = convert(args.v[0], to, &f, &err) < 0 ? cli_fail("chart convert", &err) : EXIT_OK;
	vec_free(&args);
	return code;
}
