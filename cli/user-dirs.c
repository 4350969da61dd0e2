/* cli/user-dirs.c - where files of the user who runs a command are. */
#include "cli/user-dirs.h"

#include <stdlib.h>

#include "base/fs.h"

static const char *set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value ? value : NULL;
}

void user_home_path(struct str *out, const char *name) { str_addf(out, "%s/%s", set("HOME") ? set("HOME") : "/tmp", name); }

int user_cache_dir(struct str *out, const char *name, struct err *err)
{
	if (set("XDG_CACHE_HOME"))
		str_addf(out, "%s/timonier", set("XDG_CACHE_HOME"));
	else
		user_home_path(out, ".cache/timonier");
	if (*name)
		str_addf(out, "/%s", name);
	return dir_make(str_c(out), 0700, err);
}

void user_config_path(struct str *out, const char *name)
{
	if (set("XDG_CONFIG_HOME"))
		str_addf(out, "%s/%s", set("XDG_CONFIG_HOME"), name);
	else {
		user_home_path(out, ".config/");
		str_addc(out, name);
	}
}
