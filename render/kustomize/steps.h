/* render/kustomize/steps.h - who changed what, for `--explain`: does nothing unless it was asked for. */
#pragma once

#include "render/kustomize/build.h"

void steps_start(struct build *b, struct resource *r);          /* an object as it was read */
/* After a transformer or a generator: notes every difference. */
void steps_note(struct build *b, struct set *s, const char *what, const char *where);
