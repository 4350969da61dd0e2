/* orchestrator/controllers/rows.h - the row of every built-in controller, each defined in the file of its name. */
#pragma once

#include "kube/controller.h"

extern const struct controller_spec deployment_controller, replicaset_controller, endpoints_controller, namespace_controller,
	serviceaccount_controller, rootca_controller, token_controller, garbage_controller, podgc_controller, rollout_controller, job_controller,
	daemonset_controller, statefulset_controller, cronjob_controller;
