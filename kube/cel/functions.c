#include "kube/cel/cel-internal.h"

static const struct cel_library *const libraries[] = {
	&cel_operators, &cel_arithmetic, &cel_conversions, &cel_texts,	   &cel_lists,	 &cel_times,
	&cel_networks,	&cel_quantities, &cel_urls,	   &cel_optionals, &cel_formats, &cel_patterns,
};

static const struct cel_overload *find(const struct cel_library *l, struct sv name, uint32_t *n)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!sv_eq_c(name, l->rows[i].name))
			continue;
		for (*n = 1; i + *n < l->n && sv_eq_c(name, l->rows[i + *n].name); ++*n)
			;
		return &l->rows[i];
	}
	return NULL;
}

const struct cel_overload *cel_overloads(const struct cel_library *own, struct sv name, uint32_t *n)
{
	const struct cel_overload *rows = own ? find(own, name, n) : NULL;

	for (size_t i = 0; i < sizeof libraries / sizeof *libraries && !rows; i++)
		rows = find(libraries[i], name, n);
	return rows;
}

enum cel_kind cel_sig_kind(char letter)
{
	static const char letters[] = "biudsytDnTLMOQUPCFH";
	static const enum cel_kind kinds[] = {
		CEL_BOOL,     CEL_INT,	CEL_UINT, CEL_DOUBLE, CEL_STRING, CEL_BYTES,	CEL_TIMESTAMP,
		CEL_DURATION, CEL_NULL, CEL_TYPE, CEL_LIST,   CEL_MAP,	  CEL_OPTIONAL, CEL_QUANTITY,
		CEL_URL,      CEL_IP,	CEL_CIDR, CEL_FORMAT, CEL_HOST,
	};
	const char *at = letter ? strchr(letters, letter) : NULL;

	return at ? kinds[at - letters] : CEL_DYN;
}

const char *cel_sig_skip(const char *sig)
{
	char letter = *sig++;

	if (letter == 'H')
		return sig + 1;
	if (letter == 'L' || letter == 'O' || letter == 'M')
		sig = cel_sig_skip(sig);
	return letter == 'M' ? cel_sig_skip(sig) : sig;
}
