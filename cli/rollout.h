/* cli/rollout.h - what the commands of `cd rollout` share. */
#pragma once

#include "cli/cluster.h"
#include "orchestrator/controllers/rollout/names.h"

MUST_CHECK int rollout_kind(struct client *c, const struct kind **out, struct err *err);
/* Its ReplicaSets, the newest revision first. */
MUST_CHECK int rollout_sets(struct client *c, const struct object *rollout, struct object_list *out, struct err *err);
int64_t rollout_revision(const struct object *set);     /* 0: it has none */

int rollout_get(int argc, char **argv);
int rollout_list(int argc, char **argv);

/* rollout-change.c: promote, abort, retry, pause, restart, undo, set-image */
int rollout_promote_command(int argc, char **argv);
int rollout_abort_command(int argc, char **argv);
int rollout_retry_command(int argc, char **argv);
int rollout_pause_command(int argc, char **argv);
int rollout_restart_command(int argc, char **argv);
int rollout_undo_command(int argc, char **argv);
int rollout_set_image_command(int argc, char **argv);
