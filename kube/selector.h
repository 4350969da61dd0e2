/* kube/selector.h - label and field selectors: as query text, and as they stand in objects. */
#pragma once

#include "base/doc.h"
#include "base/err.h"

struct selector;                /* NULL matches everything */

MUST_CHECK int selector_parse(const char *text, struct selector **out, struct err *err);        /* "app=web,tier in (a,b),!x" */
MUST_CHECK int selector_of(const struct node *label_selector, struct selector **out, struct err *err);  /* matchLabels, matchExpressions; an absent one matches nothing, {} everything */
struct selector *selector_of_map(const struct node *labels);    /* every pair must match; an empty map matches nothing (a Service without selector) */
bool selector_matches(const struct selector *s, const struct node *labels);
bool selector_nothing(const struct selector *s);
void selector_write(const struct selector *s, struct str *out); /* query text */
void selector_free(struct selector **s);

struct field_selector;          /* "metadata.name=web,spec.nodeName!=n1" */
MUST_CHECK int field_selector_parse(const char *text, struct field_selector **out, struct err *err);
bool field_selector_matches(const struct field_selector *s, const struct node *object);
void field_selector_free(struct field_selector **s);
