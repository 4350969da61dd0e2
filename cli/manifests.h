/* cli/manifests.h - what -f names: files, directories, `-` for stdin, read, checked, in order. */
#pragma once

#include "base/opt.h"
#include "base/yaml.h"
#include "kube/client.h"

/* Every object of every file; `kind: List` is taken apart. All files are read and checked against the known kinds before
 * anything is returned, so that an error means that nothing was done. Errors say FILE:LINE. */
MUST_CHECK int manifests_read(struct client *c, const struct opt_list *files, bool recursive, struct docs *out, struct err *err);
