#include "runtime/agent/signal-name.h"

#include <signal.h>
#include <string.h>
#include "base/str.h"

int signal_number(const char *name)
{
	int64_t n;

	if (sv_to_i64(sv_c(name), &n))
		return n > 0 && n <= SIGRTMAX ? (int)n : 0;
	if (sv_starts(sv_c(name), SV("SIG")))
		name += 3;
	for (int i = 1; i < NSIG && *name; i++) {
		const char *known = sigabbrev_np(i);

		if (known && str_eq(known, name))
			return i;
	}
	return 0;
}
