/* Scalars that are made or looked at outside of a reader, with the text that they were written with. */
#include "base/yaml-internal.h"

#include <math.h>
#include <stdio.h>

static struct node *typed(struct doc *d, struct sv text, enum node_type type)
{
	struct node *n = node_strn(d, text);

	n->type = (uint8_t)type;
	return n;
}

struct node *yaml_plain(struct doc *d, struct sv text)
{
	struct scalar v = scalar_resolve(text, true);
	struct node *n;

	switch (v.tag) {
	case TAG_NULL:
		return node_null(d);
	case TAG_BOOL:
		return node_bool(d, v.b);
	case TAG_INT:
		return typed(d, text, NODE_INT);
	case TAG_FLOAT:
		return typed(d, text, isfinite(v.f) ? NODE_FLOAT : NODE_STR);
	case TAG_TIMESTAMP:
		n = node_strn(d, text);
		n->flags = NODE_TIME;
		return n;
	default:
		return node_strn(d, text);
	}
}

static void settle_number(struct doc *d, struct node *n)
{
	struct scalar v = scalar_resolve((struct sv){ n->text, n->n }, true);
	struct node *to;
	char digits[32];

	if (v.tag == TAG_INT) {
		int len = snprintf(digits, sizeof digits, "%s%llu", v.negative && v.magnitude ? "-" : "",
				   (unsigned long long)v.magnitude);

		to = node_number(d, (struct sv){ digits, (size_t)len });
	} else if (v.tag == TAG_FLOAT) {
		to = node_float(d, v.f);
	} else {
		return;
	}
	n->type = to->type;
	n->text = to->text;
	n->n = to->n;
}

static void settle_time(struct doc *d, struct node *n)
{
	AUTO(str) when = { 0 };

	if (!scalar_timestamp((struct sv){ n->text, n->n }, &when))
		return;
	n->text = doc_text(d, str_sv(&when));
	n->n = (uint32_t)when.n;
	n->flags &= (uint8_t)~NODE_TIME;
}

void yaml_settle(struct doc *d, struct node *n)
{
	if (n->type == NODE_STR && (n->flags & NODE_TIME))
		settle_time(d, n);
	if (n->type == NODE_NULL) {
		n->n = sizeof "null" - 1;
		n->flags &= (uint8_t)~NODE_BLANK;
	}
	if (n->type == NODE_INT || n->type == NODE_FLOAT)
		settle_number(d, n);
	for (uint32_t i = 0; n->type == NODE_SEQ && i < n->n; i++)
		yaml_settle(d, n->items[i]);
	for (uint32_t i = 0; n->type == NODE_MAP && i < n->n; i++)
		yaml_settle(d, n->members[i].value);
}
