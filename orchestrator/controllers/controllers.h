/* orchestrator/controllers/controllers.h - the table of built-in controllers. To add one: a file with its row, a line in the table. */
#pragma once

#include "kube/controller.h"

extern const struct controller_spec *const controllers[];       /* NULL-terminated: deployment, replicaset, endpoints, namespace, garbage... */

struct controllers;
struct controllers *controllers_start(struct loop *l, struct client *c, struct informers *i);   /* all of the table */
void controllers_stop(struct controllers **c);
