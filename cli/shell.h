/* cli/shell.h - for the scripts that shells are given. */
#pragma once

#include "base/str.h"
#include "cli/verbs.h"

void shell_program(struct str *out);                    /* this program's path, quoted for a shell */
/* A copy of the script with @PROGRAM@ and @VERBS@ (separated by sep) filled in. */
void shell_fill(const char *script, const char *sep, struct str *out);
