/* orchestrator/api/exchange-internal.h - one request of an object path, on its way from HTTP to a verb and back. */
#pragma once

#include "orchestrator/api/http-internal.h"

struct exchange {
	struct http_request *http;
	struct route route;
	struct request request;
	struct wanted wanted;
	struct str manager, warnings;
	struct str created;             /* the name in the body of a creation that failed */
	const char *query;
};

void exchange_free(struct exchange *x);
/* Answers a request of somebody who is known. parsed: what route_parse() gave, with its *err (http.c). */
void exchange_serve(struct exchange *x, struct api *a, int parsed, struct login *who, struct err *err);

/* ---- bodies and answers (answer.c) ---- */
bool body_type_is(struct http_request *rq, const char *want);
MUST_CHECK int read_body(struct api *a, struct http_request *rq, struct doc **out,
			 struct err *err);      /* JSON, YAML, protobuf */
void reply_item(struct exchange *x, int status, struct item *i);
void reply_list(struct exchange *x, const struct list_result *found);   /* a long one in pieces: parks */

/* ---- methods: 0 when the answer is given, or the error to answer with (methods.c, delete-http.c) ---- */
MUST_CHECK int do_get(struct exchange *x, struct err *err);
MUST_CHECK int do_post(struct exchange *x, struct err *err);
MUST_CHECK int do_put(struct exchange *x, struct err *err);
MUST_CHECK int do_patch(struct exchange *x, struct err *err);
MUST_CHECK int do_delete(struct exchange *x, struct err *err);
int no_method(struct err *err);

/* The query of a list; its strings are in v. */
struct list_text { struct str labels, fields, token; };
void list_text_free(struct list_text *t);
MUST_CHECK int read_list_query(struct exchange *x, struct list_text *t, struct list_query *q, struct err *err);
