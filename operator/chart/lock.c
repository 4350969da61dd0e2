#include "operator/chart/lock.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/yaml.h"

/* The fields of Helm's struct Dependency in its order; those that are empty are left out, but for name and repository. */
static const char *const fields[] = { "name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias" };

static bool is_left_out(const char *field, const struct node *value)
{
	if (str_eq(field, "name") || str_eq(field, "repository"))
		return false;
	return node_is_empty(value) || (node_is(value, NODE_BOOL) && !value->b);
}

static struct node *in_order(struct doc *d, const struct node *dependencies)
{
	struct node *list = node_seq(d), *it;

	node_each(it, dependencies) {
		struct node *n = node_map(d);

		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
			const struct node *value = node_get(it, fields[i]);

			if (!is_left_out(fields[i], value))
				node_set(d, n, fields[i], value ? node_copy(d, value) : node_str(d, ""));
		}
		node_sort_keys(node_get(n, "import-values"));
		node_add(d, list, n);
	}
	return list;
}

void lock_digest(const struct node *asked, const struct node *found, struct str *out)
{
	AUTO_DOC d = doc_new();
	AUTO(str) json = { 0 };
	struct node *both = node_seq(d);

	node_add(d, both, in_order(d, asked));
	node_add(d, both, in_order(d, found));
	json_write(&json, both, JSON_ESCAPE_HTML);
	str_addc(out, "sha256:");
	sha256_hex(out, str_sv(&json));
}

void lock_write(const struct node *asked, const struct node *found, const char *now, struct str *out)
{
	AUTO_DOC d = doc_new();
	AUTO(str) digest = { 0 };
	struct node *root = node_map(d);

	lock_digest(asked, found, &digest);
	node_set(d, root, "dependencies", node_copy(d, found));
	node_set(d, root, "digest", node_strn(d, str_sv(&digest)));
	node_set(d, root, "generated", node_str(d, now));
	yaml_write(out, root, YAML_SORTED);
}

bool lock_is_current(const struct node *lock, const struct node *asked)
{
	AUTO(str) digest = { 0 };

	lock_digest(asked, node_get(lock, "dependencies"), &digest);
	return str_eq(node_str_at(lock, "digest"), str_c(&digest));
}
