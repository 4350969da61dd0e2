/* format.dns1123Label().validate("x"): named forms of strings. */
#include "kube/cel/cel-internal.h"

#include "base/encode.h"
#include "kube/schema/names.h"

#include <ctype.h>

#define FN(name) static struct cel_value name(struct cel_eval *e, const struct cel_value *a, size_t n)

/* Names to which something is to be added may end in a dash. */
static const char *prefix_of(struct sv s, const char *(*check)(struct sv))
{
	AUTO(str) masked = { 0 };

	str_add(&masked, s);
	if (masked.n > 1 && masked.p[masked.n - 1] == '-')
		masked.p[masked.n - 1] = 'a';
	return check(str_sv(&masked));
}

static const char *label_prefix(struct sv s) { return prefix_of(s, name_dns_label); }
static const char *subdomain_prefix(struct sv s) { return prefix_of(s, name_dns_subdomain); }
static const char *label_1035_prefix(struct sv s) { return prefix_of(s, name_dns_1035); }
static const char *uri(struct sv s) { return cel_is_url(s) ? NULL : "invalid URI for request"; }

static const char *uuid(struct sv s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (isxdigit((unsigned char)s.p[i]))
			digits++;
		else if (s.p[i] != '-' || (digits != 8 && digits != 12 && digits != 16 && digits != 20) ||
			 s.p[i - 1] == '-')
			return "does not match the UUID format";
	}
	return digits == 32 ? NULL : "does not match the UUID format";
}

static const char *byte(struct sv s)
{
	AUTO(str) out = { 0 };

	return base64_decode(&out, s, NULL) < 0 ? "invalid base64" : NULL;
}

static const char *datetime(struct sv s)
{
	int64_t seconds;
	int32_t nanos;

	return cel_parse_time(s, &seconds, &nanos) ? NULL : "invalid datetime";
}

static const char *date(struct sv s)
{
	AUTO(str) whole = { 0 };

	str_add(&whole, s);
	str_addc(&whole, "T00:00:00Z");
	return s.n == 10 && !datetime(str_sv(&whole)) ? NULL : "invalid date";
}

/* check: NULL, or what is wrong */
static const struct {
	const char *name;
	const char *(*check)(struct sv);
} formats[] = {
	{ "dns1123Label", name_dns_label },
	{ "dns1123Subdomain", name_dns_subdomain },
	{ "dns1035Label", name_dns_1035 },
	{ "qualifiedName", name_qualified },
	{ "dns1123LabelPrefix", label_prefix },
	{ "dns1123SubdomainPrefix", subdomain_prefix },
	{ "dns1035LabelPrefix", label_1035_prefix },
	{ "labelValue", name_label_value },
	{ "uri", uri },
	{ "uuid", uuid },
	{ "byte", byte },
	{ "date", date },
	{ "datetime", datetime },
};

enum { FORMATS = sizeof formats / sizeof *formats };

FN(validate)
{
	(void)n;
	(void)cel_spend_text(e, a[1].s.n * 4);
	for (size_t i = 0; i < FORMATS; i++) {
		const char *wrong = sv_eq_c(a[0].s, formats[i].name) ? formats[i].check(a[1].s) : NULL;

		if (wrong) {
			struct cel_value messages = cel_make_list(e->d, 1);

			messages.list->items[0] = cel_string((struct sv){ doc_text(e->d, sv_c(wrong)), strlen(wrong) });
			return cel_some(e->d, messages);
		}
	}
	return cel_none();
}

static struct cel_value make(size_t i) { return (struct cel_value){ .kind = CEL_FORMAT, .s = sv_c(formats[i].name) }; }

FN(named)
{
	(void)n;
	for (size_t i = 0; i < FORMATS; i++)
		if (sv_eq_c(a->s, formats[i].name))
			return cel_some(e->d, make(i));
	return cel_none();
}

#define FORMAT(name, i)                                                                                                \
	FN(name)                                                                                                       \
	{                                                                                                              \
		(void)e;                                                                                               \
		(void)a;                                                                                               \
		(void)n;                                                                                               \
		return make(i);                                                                                        \
	}

FORMAT(make_dns1123label, 0)
FORMAT(make_dns1123subdomain, 1)
FORMAT(make_dns1035label, 2)
FORMAT(make_qualifiedname, 3)
FORMAT(make_dns1123labelprefix, 4)
FORMAT(make_dns1123subdomainprefix, 5)
FORMAT(make_dns1035labelprefix, 6)
FORMAT(make_labelvalue, 7)
FORMAT(make_uri, 8)
FORMAT(make_uuid, 9)
FORMAT(make_byte, 10)
FORMAT(make_date, 11)
FORMAT(make_datetime, 12)

static const struct cel_overload rows[] = {
	{ "validate", "F.s>OLs", validate },
	{ "format.named", "s>OF", named },
	{ "format.dns1123Label", ">F", make_dns1123label },
	{ "format.dns1123Subdomain", ">F", make_dns1123subdomain },
	{ "format.dns1035Label", ">F", make_dns1035label },
	{ "format.qualifiedName", ">F", make_qualifiedname },
	{ "format.dns1123LabelPrefix", ">F", make_dns1123labelprefix },
	{ "format.dns1123SubdomainPrefix", ">F", make_dns1123subdomainprefix },
	{ "format.dns1035LabelPrefix", ">F", make_dns1035labelprefix },
	{ "format.labelValue", ">F", make_labelvalue },
	{ "format.uri", ">F", make_uri },
	{ "format.uuid", ">F", make_uuid },
	{ "format.byte", ">F", make_byte },
	{ "format.date", ">F", make_date },
	{ "format.datetime", ">F", make_datetime },
};

const struct cel_library cel_formats = { rows, sizeof rows / sizeof *rows, NULL };
