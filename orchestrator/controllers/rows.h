/* orchestrator/controllers/rows.h - the row of every built-in controller, each defined in the file of its name. */
#pragma once

#include "kube/controller.h"

extern const struct controller_spec replicaset_controller, deployment_controller;
