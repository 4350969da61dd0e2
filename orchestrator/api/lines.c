#include "orchestrator/api/lines-internal.h"
#include "orchestrator/api/http-internal.h"

static const char *const names[] = {
	[EVENT_ADDED] = "ADDED",
	[EVENT_MODIFIED] = "MODIFIED",
	[EVENT_DELETED] = "DELETED",
	[EVENT_BOOKMARK] = "BOOKMARK",
};

static void drop(struct line *line)
{
	item_drop(&line->item);
	http_buf_drop(&line->buf);
}

static struct http_buf *encode(enum event_type type, struct item *i, const struct wanted *w)
{
	AUTO(str) text = { 0 };

	(void)str_room(&text, i->n + 64);
	str_addf(&text, "{\"type\":\"%s\",\"object\":", names[type]);
	form_item(&text, i, w);
	str_addc(&text, "}\n");
	return http_buf_new(str_sv(&text));
}

/* Forms that differ in more than their kind are rare, and not shared. */
static int form_key(const struct item *i, const struct wanted *w)
{
	bool plain = w->kind == i->resource->kind && !w->whole_object && !w->no_object &&
		     (w->form == FORM_OBJECT || !strcmp(w->version, "v1"));

	return plain ? (int)w->form : -1;
}

struct http_buf *lines_event(struct lines *l, enum event_type type, struct item *i, const struct wanted *w)
{
	int form = form_key(i, w);

	for (unsigned n = 0; form >= 0 && n < LINES_KEPT; n++) {
		struct line *line = &l->kept[n];

		if (line->item == i && line->type == type && line->form == form)
			return http_buf_ref(line->buf);
	}
	struct http_buf *buf = encode(type, i, w);
	if (form >= 0) {
		struct line *line = &l->kept[l->next++ % LINES_KEPT];

		drop(line);
		*line = (struct line){ item_ref(i), type, form, http_buf_ref(buf) };
	}
	return buf;
}

void lines_free(struct lines *l)
{
	for (unsigned n = 0; n < LINES_KEPT; n++)
		drop(&l->kept[n]);
}
