/* cli/app.h - what the commands of `cd app` share. */
#pragma once

#include "cli/cluster.h"

/* Where Applications live: -n, else the control plane's namespace ("argocd" when the cluster has it, else "cd"). */
struct app_opts { struct cluster_opts where; struct opt_list args; const char *output; };

MUST_CHECK int app_kind(struct client *c, const struct kind **out, struct err *err);
/* Heap: the namespace; NULL with -A. */
char *app_namespace(struct cluster *c, const struct app_opts *o);
MUST_CHECK int app_fetch(struct cluster *c, const struct app_opts *o, const char *name, struct object **out, struct err *err);
/* The table of resources, conditions and the last operation. */
void app_print(const struct node *root);
void app_print_result(const struct node *operation_state);
/* Waits until no operation runs (and, as asked, Synced and Healthy). An exit code, or less than 0. */
struct app_wish { bool synced, healthy; int64_t timeout_ms; };
MUST_CHECK int app_await(struct cluster *c, const char *ns, const char *name, const struct app_wish *w, struct err *err);

int app_create(int argc, char **argv);
int app_delete_command(int argc, char **argv);
int app_diff(int argc, char **argv);
int app_get(int argc, char **argv);
int app_history(int argc, char **argv);
int app_list(int argc, char **argv);
int app_rollback(int argc, char **argv);
int app_sync(int argc, char **argv);
int app_wait(int argc, char **argv);
