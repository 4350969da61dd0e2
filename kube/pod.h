/* kube/pod.h - the questions about pods that controllers, node agents and endpoints share. Pure readers of a pod's root. */
#pragma once

#include "base/doc.h"

bool pod_ready(const struct node *pod);                 /* condition Ready is True */
bool pod_finished(const struct node *pod);              /* phase Succeeded or Failed */
bool pod_active(const struct node *pod);                /* neither finished nor being deleted */
/* Ready for at least min_ready_s. *wait_ms (may be NULL): how long until it will be, when it stays ready; 0: it is, or it
 * is not even ready. now_ms is wall clock. */
bool pod_available(const struct node *pod, int64_t min_ready_s, int64_t now_ms, int64_t *wait_ms);
int64_t pod_restarts(const struct node *pod);           /* the most of any container */
