/* orchestrator/controllers/rollout/names.h - labels and annotations of Rollouts, as Argo Rollouts has them. */
#pragma once

#define ROLLOUT_HASH "rollouts-pod-template-hash"       /* label: of sets, pods, and selectors of Services */
#define ROLLOUT_REVISION "rollout.argoproj.io/revision"
#define ROLLOUT_DEADLINE "scale-down-deadline"          /* of a set that serves no more: when it ends */
#define ROLLOUT_EPHEMERAL "rollout.argoproj.io/ephemeral-metadata"      /* of pods: see family_strip() */
#define ROLLOUT_MANAGED "argo-rollouts.argoproj.io/managed-by-rollouts" /* of Services: by which one */
