/* operator/app/overlay.h - a file view with the content of one file replaced. */
#pragma once

#include "base/vfs.h"

/* path must exist in the borrowed view. */
struct vfs *vfs_overlay(struct vfs *borrowed, const char *path, struct sv content);
