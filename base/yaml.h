/* base/yaml.h - YAML to and from documents, reading scalars as Kubernetes' tools do (sigs.k8s.io/yaml, go-yaml v2:
 * YAML 1.1 booleans and integers, floats normalised, dates and sexagesimals strings) and writing as they write. */
#pragma once

#include "base/doc.h"
#include "base/vec.h"

enum yaml_flags {
	YAML_UNIQUE_KEYS = 1,   /* reading: a duplicate key is an error */
	YAML_1_2 = 2,           /* reading: as go-yaml v3 (kustomize): only true and false are booleans, times become RFC 3339 */
	YAML_AS_WRITTEN = 8,    /* reading: numbers and times keep the text that they were written with, to be copied; see yaml_settle() */
	YAML_STYLES = 16,       /* quotes, blocks, flow and the text of numbers: kept when reading, and used again when writing */
	YAML_FIRST = 32,        /* reading: what follows the first document is not looked at */
	YAML_SORTED = 4,        /* writing: members in go-yaml's order of keys: A_B before AB, a2 before a10 */
};

struct docs { struct doc **v; size_t n, cap; };         /* VEC(struct doc *) */

/* Every document of a stream in order; empty ones are left out. Aliases and merge keys are expanded, with a bound on
 * how much they may grow. Errors are ERR_BAD_REQUEST "FILE:LINE:COLUMN: what". */
MUST_CHECK int yaml_read_all(struct sv text, const char *file, unsigned flags, struct docs *out, struct err *err);
/* The one document of a text; none gives a document whose root is null, a second one is an error. */
MUST_CHECK int yaml_read(struct sv text, const char *file, unsigned flags, struct doc **out, struct err *err);
void docs_free(struct docs *d);
/* What a plain scalar means, read as YAML_1_2 | YAML_AS_WRITTEN. */
struct node *yaml_plain(struct doc *d, struct sv text);
/* Makes JSON of what was read as it was written: 0x1F becomes 31, 1.0 becomes 1, a date RFC 3339. In place. */
void yaml_settle(struct doc *d, struct node *n);

void yaml_write(struct str *out, const struct node *n, unsigned flags);         /* one document, no `---`, ends in a newline */
/* The same as go-yaml v3 with an indentation of 2 (Helm's toYamlPretty): lists are indented below their key, lines are not
 * folded, keys are sorted. */
void yaml_write_pretty(struct str *out, const struct node *n);
