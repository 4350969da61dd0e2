/* cli/print.h - what commands print: tables for people, documents for programs. */
#pragma once

#include <stdio.h>
#include "base/str.h"
#include "base/vec.h"
#include "kube/object.h"

/* Colours: only on a terminal, and never with NO_COLOR. */
bool print_is_colored(void);

/* ---- tables: rows of cells, aligned; known words of state are coloured ---- */
struct table { char **v; size_t n, cap, columns; };             /* cells, row after row */
void table_add(struct table *t, const char *cell);              /* a copy */
void table_addf(struct table *t, const char *fmt, ...) PRINTF(2, 3);
/* widths: kept from one print to the next, so that rows that come later line up; NULL: none. */
struct widths { size_t *v; size_t n, cap; };
void table_print(const struct table *t, struct widths *widths, FILE *to);
void table_clear(struct table *t);
void table_free(struct table *t);

/* ---- objects ---- */
enum output { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME, OUTPUT_TEMPLATE, OUTPUT_COLUMNS };
#define OUTPUT_CHOICES "json|yaml|name|wide|jsonpath=|custom-columns="
enum output output_parse(const char *name);                     /* NULL or "" : a table */

struct columns { bool ns, title, no_headers, labels; enum output output; };     /* title: "pod/web" instead of "web" */
void print_header(struct table *t, const struct kind *k, const struct columns *c);
void print_row(struct table *t, const struct object *o, const struct columns *c);
void print_document(const struct node *root, enum output as, FILE *to);         /* JSON or YAML */
void print_name(const struct object *o, FILE *to);              /* "deployment.apps/web" */
void resource_title(const struct kind *k, struct str *out);     /* "deployment.apps", "pod" */

/* ---- templates: "jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}", "custom-columns=NAME:.metadata.name,..." ---- */
MUST_CHECK int template_write(const char *output, const struct node *root, struct str *out, struct err *err);
/* Adds the row of an object, or the header when root is NULL. */
MUST_CHECK int template_columns(const char *output, const struct node *root, struct table *t, struct err *err);

/* ---- any node, for reading: fields by titles, flat lists as tables ---- */
void tree_title(struct str *out, const char *key);              /* "containerStatuses": "Container Statuses" */
/* What stands behind "Title:", with its line ends; t: of a mapping, or of a list's items, NULL when unknown; free_keys: the
 * mapping's keys are not field names. */
void tree_value(struct str *out, const struct node *n, const struct type *t, bool free_keys, int depth);
