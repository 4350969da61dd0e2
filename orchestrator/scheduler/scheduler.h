/* orchestrator/scheduler/scheduler.h - chooses a node for every pod that has none: a row like any other controller. */
#pragma once

#include "kube/controller.h"

extern const struct controller_spec scheduler;
