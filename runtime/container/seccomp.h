/* runtime/container/seccomp.h - the default system call filter, as BPF. Pure: builds a program, loads nothing. */
#pragma once

#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

/* An allow-list; all else fails with EPERM. clone3 (libraries then use clone) and calls that are newer than the list
 * fail with ENOSYS. Calls that a capability of the container guards are allowed with that capability. Appends struct
 * sock_filter[] to *bpf. Takes some ms: cache it by seccomp_key(caps). */
MUST_CHECK int seccomp_build(uint64_t caps, struct str *bpf, struct err *err);
uint64_t seccomp_key(uint64_t caps);    /* equal keys: equal filters */
