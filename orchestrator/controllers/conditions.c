#include "orchestrator/controllers/conditions.h"

#include "base/loop.h"

bool conditions_remove(struct node *status, const char *type)
{
	struct node *all = node_get(status, "conditions");

	for (size_t i = 0; i < node_n(all); i++)
		if (str_eq(node_str_at(node_item(all, i), "type"), type)) {
			node_remove(all, i);
			if (!node_n(all))
				(void)node_del(status, "conditions");
			return true;
		}
	return false;
}

void conditions_put(struct doc *d, struct node *status, const char *type, const char *value, const char *reason,
		    const char *message, bool touch)
{
	const struct node *now = condition_get(status, type);
	struct node *row, *all;
	char at[32];

	if (!touch && str_eq(node_str_at(now, "status"), value) && str_eq(node_str_at(now, "reason"), reason))
		return;
	(void)condition_set(d, status, type, value, reason, message, clock_ms());
	time_format(clock_ms(), at);
	all = node_get(status, "conditions");
	node_each(row, all)
		if (str_eq(node_str_at(row, "type"), type))
			node_set(d, row, "lastUpdateTime", node_str(d, at));
}
