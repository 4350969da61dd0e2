/* runtime/agent/env.h - a container's environment and command line, as Kubernetes composes them. Pure. */
#pragma once

#include "runtime/image/image.h"
#include "runtime/volume/volume.h"

struct env_var { char *name, *value; };
struct env { struct env_var *v; size_t n, cap; };       /* each name once, in order of first appearance */

void env_free(struct env *e);
const char *env_get(const struct env *e, struct sv name);       /* NULL: not set */
void env_put(struct env *e, struct sv name, struct sv value);

/* envFrom, then env: values may name earlier ones as $(NAME). ERR_NOT_FOUND: refers to what is not there: the container
 * cannot be made yet (CreateContainerConfigError). */
MUST_CHECK int env_of_container(const struct pod_facts *f, const struct volume_lookup *l, const struct node *container,
				struct env *out, struct err *err);
/* NAME_SERVICE_HOST, NAME_SERVICE_PORT and those that go with them; nothing for a Service without an address. */
void env_add_service(struct env *e, const struct node *service);
/* "$(NAME)" by its value, "$$" by "$"; what is not set stays as it is written. Appends. */
void env_expand(const struct env *e, const char *text, struct str *out);

/* The words to execute: command replaces the image's entrypoint (and its cmd, unless args are given), args its cmd.
 * ERR_INVALID: nothing to execute. */
MUST_CHECK int env_command(const struct env *e, const struct node *container, const struct image *image,
	struct strings *argv,
			   struct err *err);
/* "NAME=value": the image's, overridden and followed by e's; PATH and HOSTNAME where neither sets them. */
void env_words(const struct env *e, const struct image *image, const char *hostname, struct strings *out);
