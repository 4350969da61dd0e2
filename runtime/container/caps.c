#include "runtime/container/caps.h"

#include <linux/capability.h>
#include <stdio.h>
#include <strings.h>
#include <sys/capability.h>

#define BIT(c) (UINT64_C(1) << (c))

/* What the well-known runtimes give to a container that asks for nothing. */
static const uint64_t defaults = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
				 BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
				 BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) |
				 BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);

static uint64_t bounding(void)
{
	uint64_t mask = 0;

	for (cap_value_t c = 0; c < cap_max_bits(); c++)
		if (cap_get_bound(c) == 1)
			mask |= BIT(c);
	return mask;
}

static int mask_of(const char *const *names, bool *all, uint64_t *mask, struct err *err)
{
	*mask = 0;
	*all = false;
	for (; names && *names; names++) {
		char name[64];
		cap_value_t value;

		if (!strcasecmp(*names, "ALL")) {
			*all = true;
			continue;
		}
		snprintf(name, sizeof name, "%s%s", strncasecmp(*names, "cap_", 4) ? "cap_" : "", *names);
		if (cap_from_name(name, &value) < 0)
			return err_set(err, ERR_INVALID, "unknown capability \"%s\"", *names);
		*mask |= BIT(value);
	}
	return 0;
}

int caps_for(const struct container_spec *s, uint64_t *mask, struct err *err)
{
	uint64_t add, drop, base;
	bool add_all, drop_all;

	TRY(mask_of(s->cap_add, &add_all, &add, err));
	TRY(mask_of(s->cap_drop, &drop_all, &drop, err));
	base = drop_all ? 0 : add_all ? ~UINT64_C(0) : defaults;
	*mask = (s->privileged ? ~UINT64_C(0) : (base | add) & ~drop) & bounding();
	return 0;
}
