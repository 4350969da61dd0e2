#include "kube/schema/names.h"

static bool lower(char c) { return c >= 'a' && c <= 'z'; }
static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool alpha(char c) { return lower(c) || (c >= 'A' && c <= 'Z'); }
static bool lower_alnum(char c) { return lower(c) || digit(c); }
static bool alnum(char c) { return alpha(c) || digit(c); }
static bool among(char c, const char *set) { return c && strchr(set, c); }

/* Ends are as `edge` says, and all others too or one of `inner`. */
static bool made_of(struct sv s, bool (*edge)(char), const char *inner)
{
	for (size_t i = 0; i < s.n; i++)
		if (!edge(s.p[i]) && (i == 0 || i == s.n - 1 || !among(s.p[i], inner)))
			return false;
	return s.n > 0;
}

#define LABEL_REGEX "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

const char *name_dns_label(struct sv s)
{
	if (s.n > 63)
		return "must be no more than 63 characters";
	if (made_of(s, lower_alnum, "-"))
		return NULL;
	return "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
	       "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '" LABEL_REGEX "')";
}

const char *name_dns_1035(struct sv s)
{
	if (s.n > 63)
		return "must be no more than 63 characters";
	if (made_of(s, lower_alnum, "-") && lower(*s.p))
		return NULL;
	return "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
	       "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
}

static bool is_subdomain(struct sv s)
{
	struct sv part;
	bool more;

	do {
		more = sv_cut(s, '.', &part, &s);
		if (!made_of(part, lower_alnum, "-"))
			return false;
	} while (more);
	return true;
}

const char *name_dns_subdomain(struct sv s)
{
	if (s.n > 253)
		return "must be no more than 253 characters";
	if (is_subdomain(s))
		return NULL;
	return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
	       "with an alphanumeric character (e.g. 'example.com', regex used for validation is '" LABEL_REGEX "(\\." LABEL_REGEX ")*')";
}

const char *name_path_segment(struct sv s)
{
	if (sv_eq_c(s, ".") || sv_eq_c(s, ".."))
		return s.n == 1 ? "may not be '.'" : "may not be '..'";
	if (s.n && memchr(s.p, '/', s.n))
		return "may not contain '/'";
	return s.n && memchr(s.p, '%', s.n) ? "may not contain '%'" : NULL;
}

const char *name_qualified(struct sv s)
{
	struct sv prefix, name;

	if (!sv_cut(s, '/', &prefix, &name))
		name = s;
	else if (!prefix.n)
		return "prefix part must be non-empty";
	else if (name_dns_subdomain(prefix))
		return "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
		       "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '" LABEL_REGEX
		       "(\\." LABEL_REGEX ")*')";
	if (!name.n)
		return "name part must be non-empty";
	if (name.n > 63)
		return "name part must be no more than 63 characters";
	if (made_of(name, alnum, "-_."))
		return NULL;
	return "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
	       "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
}

const char *name_label_value(struct sv s)
{
	if (s.n > 63)
		return "must be no more than 63 characters";
	if (!s.n || made_of(s, alnum, "-_."))
		return NULL;
	return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
	       "an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
	       "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
}

const char *name_env_var(struct sv s)
{
	bool good = s.n && !digit(*s.p);

	for (size_t i = 0; i < s.n; i++)
		good &= alnum(s.p[i]) || among(s.p[i], "-._");
	if (good)
		return NULL;
	return "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start "
	       "with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is "
	       "'[-._a-zA-Z][-._a-zA-Z0-9]*')";
}

const char *name_config_key(struct sv s)
{
	bool good = s.n > 0;

	if (s.n > 253)
		return "must be no more than 253 characters";
	if (sv_eq_c(s, ".") || sv_eq_c(s, ".."))
		return s.n == 1 ? "must not be '.'" : "must not be '..'";
	for (size_t i = 0; i < s.n; i++)
		good &= alnum(s.p[i]) || among(s.p[i], "-._");
	if (good)
		return NULL;
	return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
	       "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
}

const char *name_port(struct sv s)
{
	bool letter = false;

	if (s.n > 15)
		return "must be no more than 15 characters";
	for (size_t i = 0; i < s.n; i++) {
		letter |= lower(s.p[i]);
		if (!lower_alnum(s.p[i]) && s.p[i] != '-')
			return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
		if (s.p[i] == '-' && i + 1 < s.n && s.p[i + 1] == '-')
			return "must not contain consecutive hyphens";
	}
	if (!letter)
		return "must contain at least one letter (a-z)";
	return *s.p == '-' || s.p[s.n - 1] == '-' ? "must not begin or end with a hyphen" : NULL;
}
