/* kube/health-rules.h - the built-in rules, for the table in health.c. Each reads the live object and fills h. */
#pragma once

#include "kube/health.h"

typedef int health_rule(const struct node *object, struct health *h, struct err *err);

health_rule health_deployment, health_replicaset, health_statefulset, health_daemonset, health_pod, health_job;
health_rule health_pvc, health_service, health_ingress, health_hpa, health_hpa_v1, health_apiservice, health_workflow,
	health_rollout;

const struct node *health_condition(const struct node *object, const char *type);       /* of status.conditions; NULL: none */
