/* orchestrator/api/http-internal.h - the HTTP side: from a path and headers to a verb, and from a result to bytes. */
#pragma once

#include "orchestrator/api/auth-internal.h"

/* ---- routes (route.c) ---- */
struct route {                          /* of an object path; strings are owned */
	const struct kind *kind;
	char *group, *version, *plural, *ns, *name, *subresource;      /* "" : none */
	bool watch;                     /* the old /watch/ prefix */
};
struct sub_row {                        /* a subresource: what discovery says of it, and what may be done with it */
	unsigned bit;                   /* enum subresource */
	const char *name, *group, *version, *kind;      /* kind NULL: the object's own */
	const char *verbs;              /* "get,patch" */
};
extern const struct sub_row sub_rows[];
extern const size_t sub_rows_n;
bool route_allows(const struct route *r, const char *verb);     /* false: its subresource knows no such verb */
void route_free(struct route *r);
/* 1: an object path; 0: something else. ERR_NOT_FOUND: a resource that does not exist. */
MUST_CHECK int route_parse(const struct kinds *kinds, const char *path, struct route *out, struct err *err);

/* ---- what a client wants back (form.c) ---- */
enum form { FORM_OBJECT, FORM_TABLE, FORM_PARTIAL };
struct wanted {
	enum form form;
	char version[16];               /* of meta.k8s.io */
	bool whole_object, no_object;   /* a Table's includeObject */
	const struct kind *kind;        /* the version of objects that was asked for */
};
MUST_CHECK int wanted_parse(struct sv accept, const char *query, struct wanted *out, struct err *err);
/* One object, a list, and one watched object, in that form; appended. */
bool form_is_stored(const struct item *i, const struct wanted *w);      /* its bytes can be sent as they are */
void form_item(struct str *out, struct item *i, const struct wanted *w);
void form_list_head(struct str *out, const struct kind *k, const struct list_result *r, const struct wanted *w);
void form_list_item(struct str *out, struct item *i, size_t n, const struct wanted *w); /* n: how many came before */
void form_list_tail(struct str *out, const struct wanted *w);
void form_bookmark(struct str *out, const struct kind *k, int64_t revision, bool initial_end, const struct wanted *w);

/* ---- tables (table.c) ---- */
void table_columns(struct str *out, const struct kind *k);              /* "columnDefinitions":[...] */
void table_row(struct str *out, struct item *i, const struct wanted *w);
void partial_metadata(struct str *out, struct item *i, const struct wanted *w);

/* ---- answers (status.c) ---- */
/* A Status of a failure: rt may be NULL. code is the HTTP status. */
void status_write(struct str *out, const struct err *e, const struct route *rt);
void reply_error(struct http_request *rq, const struct err *e, const struct route *rt);
void reply_json(struct http_request *rq, int status, const struct str *json);
/* Compressed when it is long and the client can read it. */
void reply_bytes(struct http_request *rq, int status, const char *type, struct sv body);
bool accepts_gzip(struct http_request *rq);

/* ---- questions that are posted and not stored (review.c) ---- */
size_t reviews_n(void);
const struct kind *reviews_at(size_t i);
const struct kind *review_find(const char *group, const char *version, const char *plural);
/* *out: the question with its status, in d. */
MUST_CHECK int review_answer(const struct request *rq, struct doc *d, struct node *root, struct node **out,
			     struct err *err);

/* ---- other handlers ---- */
void serve_metrics(struct api *a, struct http_request *rq);     /* metrics.c */
void serve_watch(struct http_request *rq, const struct request *r, const struct wanted *w);      /* watch.c */
/* discovery.c: true when the path was one of discovery's. */
bool serve_discovery(struct api *a, struct http_request *rq, const char *path);
bool serve_openapi(struct api *a, struct http_request *rq, const char *path);   /* openapi.c */
/* Subresources that answer by themselves: 0, or the error to answer with. */
MUST_CHECK int serve_log(struct http_request *rq, const struct request *r, struct err *err);    /* log-http.c */
MUST_CHECK int serve_exec(struct http_request *rq, const struct request *r, struct err *err);   /* exec-http.c; attach too */
MUST_CHECK int serve_forward(struct http_request *rq, const struct request *r, struct err *err);        /* forward-http.c */

bool query_flag(const char *query, const char *name);                   /* "true", "1", and a bare name */
bool query_int(const char *query, const char *name, int64_t *out);      /* false: absent or not a number */
/* resourceVersion and what goes with it, of a list or a watch; *revision 0: any (list-options.c). */
MUST_CHECK int check_list_options(const char *query, bool watch, int64_t *revision, struct err *err);
