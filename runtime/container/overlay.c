#include "runtime/container/overlay.h"

#include <stdio.h>
#include <sys/utsname.h>

bool overlay_takes_single_layers(void)
{
	struct utsname name;
	unsigned major, minor;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 8);
}
