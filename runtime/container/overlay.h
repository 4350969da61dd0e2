/* runtime/container/overlay.h - what this kernel's overlayfs understands. */
#pragma once

#include <stdbool.h>

/* lowerdir+: one option a layer (Linux 6.8), without a limit on their number or on characters in their paths. Asked of
 * the version: older kernels write a line into their log for every attempt. */
bool overlay_takes_single_layers(void);
