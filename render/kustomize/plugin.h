/* render/kustomize/plugin.h - built-in plugins that are configured by files: transformers, generators, validators. */
#pragma once

#include "render/kustomize/transform.h"

struct generator;

struct plugin {
	const char *kind;
	const struct transformer *transformer;          /* one of these two */
	const struct generator *generator;
	void *config;
	const struct doc *doc;
	const char *where;
	const struct origin *origin;                    /* NULL: not asked for */
};

/* The configurations that a field names: files, directories, or texts that stand in the list itself. */
MUST_CHECK int plugins_load(struct target *t, const struct strs *names, const char *field, struct accumulated *out, struct err *err);
/* What one of them configures; the resource must outlive the plugin. */
MUST_CHECK int plugin_read(struct target *t, struct resource *config, struct plugin *out, struct err *err);
