/* orchestrator/api/lines-internal.h - events as lines of text, encoded once for all watchers that want the same one. */
#pragma once

#include "base/http.h"
#include "kube/client.h"
#include "orchestrator/api/cache-internal.h"

struct wanted;

enum { LINES_KEPT = 4 };        /* one change has at most three types in each of the forms that are asked for */

struct line { struct item *item; enum event_type type; int form; struct http_buf *buf; };
struct lines { struct line kept[LINES_KEPT]; unsigned next; };

struct http_buf *lines_event(struct lines *l, enum event_type type, struct item *i,
			     const struct wanted *w); /* a reference */
void lines_free(struct lines *l);
