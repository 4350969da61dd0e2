/* kube/rollout.h - what a Rollout's own fields say about where its update is, for people. Pure. */
#pragma once

#include "base/doc.h"
#include "base/str.h"

/* Its current step (the number of those that are done), and how many there are. */
int64_t rollout_step_done(const struct node *root);
int64_t rollout_steps_total(const struct node *root);
/* Appends "step 2/5 setWeight 50, background analysis running, more replicas need to be updated"; in a pause that a person has
 * to end, the command that does. Nothing while the controller has not seen the spec as it is. */
void rollout_progress_write(const struct node *root, struct str *out);
/* It is paused, and does not go on by itself. */
bool rollout_waits_for_person(const struct node *root);
