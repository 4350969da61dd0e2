#include "orchestrator/analysis/expr.h"

#include "base/json.h"

#include <math.h>

struct value value_number(double number) { return (struct value){ .type = VALUE_NUMBER, .number = number }; }
struct value value_text(struct sv text) { return (struct value){ .type = VALUE_TEXT, .text = text }; }

struct value value_list(const struct value *items, size_t n)
{
	return (struct value){ .type = VALUE_LIST, .items = items, .n = n };
}

struct value value_of_node(struct doc *d, const struct node *n)
{
	struct value v = { 0 };
	struct value *items;

	if (!n)
		return v;
	switch ((enum node_type)n->type) {
	case NODE_NULL:
		return v;
	case NODE_BOOL:
		return (struct value){ .type = VALUE_BOOL, .b = n->b };
	case NODE_INT:
	case NODE_FLOAT:
		return node_to_double(n, &v.number) ? value_number(v.number) : v;
	case NODE_STR:
		return value_text(node_sv(n));
	case NODE_SEQ:
		items = doc_alloc(d, (n->n + 1) * sizeof *items);
		for (size_t i = 0; i < n->n; i++)
			items[i] = value_of_node(d, n->items[i]);
		return value_list(items, n->n);
	case NODE_MAP:
		return (struct value){ .type = VALUE_MAP, .map = n };
	}
	return v;
}

static void write_number(double n, struct str *out)
{
	AUTO_DOC d = NULL;

	if (isnan(n)) {
		str_addc(out, "NaN");
	} else if (isinf(n)) {
		str_addc(out, n > 0 ? "+Inf" : "-Inf");
	} else {
		d = doc_new();
		json_write(out, node_float(d, n), 0);
	}
}

void value_write(const struct value *v, struct str *out)
{
	switch (v->type) {
	case VALUE_NIL:
		str_addc(out, "null");
		break;
	case VALUE_BOOL:
		str_addc(out, v->b ? "true" : "false");
		break;
	case VALUE_NUMBER:
		write_number(v->number, out);
		break;
	case VALUE_TEXT:
		json_write_string(out, v->text, 0);
		break;
	case VALUE_MAP:
		json_write(out, v->map, 0);
		break;
	case VALUE_LIST:
		str_add1(out, '[');
		for (size_t i = 0; i < v->n; i++) {
			str_addc(out, i ? "," : "");
			value_write(&v->items[i], out);
		}
		str_add1(out, ']');
	}
}
