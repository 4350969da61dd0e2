/* kube/schema/columns-pod.h - the columns of pods, which take more thought than all others. */
#pragma once

#include "base/doc.h"

void column_pod_ready(const struct node *pod, struct str *out);         /* "1/2" */
void column_pod_status(const struct node *pod, struct str *out);        /* "Running", "CrashLoopBackOff", "Init:0/1" ... */
void column_pod_restarts(const struct node *pod, int64_t now_ms, struct str *out);      /* "3", "3 (5m ago)" */
void column_pod_gates(const struct node *pod, struct str *out);         /* "1/2", or "<none>" */
