/* cli/user-dirs.h - where files of the user who runs a command are: caches and settings, by the XDG rules. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* $XDG_CACHE_HOME/timonier/NAME, made when absent; name may be "". */
MUST_CHECK int user_cache_dir(struct str *out, const char *name, struct err *err);
/* $XDG_CONFIG_HOME/NAME or ~/.config/NAME; not made. */
void user_config_path(struct str *out, const char *name);
/* ~/NAME */
void user_home_path(struct str *out, const char *name);
