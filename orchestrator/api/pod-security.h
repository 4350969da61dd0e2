/* orchestrator/api/pod-security.h - the Pod Security Standards: what a pod does that a level does not allow. Pure.
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
#pragma once

#include "base/doc.h"

enum security_level { SECURITY_PRIVILEGED, SECURITY_BASELINE, SECURITY_RESTRICTED };

bool security_level_parse(const char *text, enum security_level *out);
/* Appends `privileged (container "a" must not set ...), ...`; nothing when the pod is fine. pod: with metadata and
 * spec. */
void pod_security_check(const struct node *pod, enum security_level level, struct str *out);
