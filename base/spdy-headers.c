/* The header blocks of SPDY: zlib with the protocol's dictionary, one stream for all blocks of a direction. */
#include "base/spdy-frame.h"

#include <ctype.h>
#include <stdlib.h>
#include <zlib.h>

#define PAIRS_MAX 256                   /* of one block */

/* Section 2.6.10.1: names and values that are frequent, each behind its length, and then texts. */
#define W(n, text) "\0\0\0" n text
static const char dictionary[] =
	W("\7", "options") W("\4", "head") W("\4", "post") W("\3", "put") W("\6", "delete") W("\5", "trace") W("\6", "accept")
	W("\16", "accept-charset") W("\17", "accept-encoding") W("\17", "accept-language") W("\15", "accept-ranges") W("\3", "age")
	W("\5", "allow") W("\15", "authorization") W("\15", "cache-control") W("\12", "connection") W("\14", "content-base")
	W("\20", "content-encoding") W("\20", "content-language") W("\16", "content-length") W("\20", "content-location")
	W("\13", "content-md5") W("\15", "content-range") W("\14", "content-type") W("\4", "date") W("\4", "etag") W("\6", "expect")
	W("\7", "expires") W("\4", "from") W("\4", "host") W("\10", "if-match") W("\21", "if-modified-since") W("\15", "if-none-match")
	W("\10", "if-range") W("\23", "if-unmodified-since") W("\15", "last-modified") W("\10", "location") W("\14", "max-forwards")
	W("\6", "pragma") W("\22", "proxy-authenticate") W("\23", "proxy-authorization") W("\5", "range") W("\7", "referer")
	W("\13", "retry-after") W("\6", "server") W("\2", "te") W("\7", "trailer") W("\21", "transfer-encoding") W("\7", "upgrade")
	W("\12", "user-agent") W("\4", "vary") W("\3", "via") W("\7", "warning") W("\20", "www-authenticate") W("\6", "method")
	W("\3", "get") W("\6", "status") W("\6", "200 OK") W("\7", "version") W("\10", "HTTP/1.1") W("\3", "url") W("\6", "public")
	W("\12", "set-cookie") W("\12", "keep-alive") W("\6", "origin")
	"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
	"203 Non-Authoritative Information" "204 No Content" "301 Moved Permanently" "400 Bad Request" "401 Unauthorized"
	"403 Forbidden" "404 Not Found" "500 Internal Server Error" "501 Not Implemented" "503 Service Unavailable"
	"Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
	"chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
	"public" "private" "max-age=gzip,deflate,sdch" "charset=utf-8" "charset=iso-8859-1,utf-,*,enq=0.";
#define DICTIONARY_N (sizeof dictionary - 1)

void spdy_headers_add(struct spdy_headers *h, struct sv name, struct sv value)
{
	struct spdy_header one = { sv_dup(name), sv_dup(value) };

	for (char *c = one.name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	vec_push(h, one);
}

const char *spdy_headers_get(const struct spdy_headers *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (str_eq(h->v[i].name, name))
			return h->v[i].value;
	return NULL;
}

void spdy_headers_free(struct spdy_headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].name);
		free(h->v[i].value);
	}
	vec_free(h);
}

struct spdy_zip { z_stream z; bool inflates; };

struct spdy_zip *spdy_zip_new(bool inflates)
{
	struct spdy_zip *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->inflates = inflates;
	if (inflates ? inflateInit(&s->z) : deflateInit2(&s->z, Z_BEST_SPEED, Z_DEFLATED, 11, 1, Z_DEFAULT_STRATEGY))
		abort();        /* out of memory */
	if (!inflates)
		(void)deflateSetDictionary(&s->z, (const Bytef *)dictionary, DICTIONARY_N);
	return s;
}

void spdy_zip_free(struct spdy_zip **zp)
{
	struct spdy_zip *s = TAKE(*zp);

	if (!s)
		return;
	if (s->inflates)
		(void)inflateEnd(&s->z);
	else
		(void)deflateEnd(&s->z);
	free(s);
}

/* ---- inflating ---- */

static int inflate_more(struct spdy_zip *s)
{
	int r = inflate(&s->z, Z_SYNC_FLUSH);

	if (r == Z_NEED_DICT && inflateSetDictionary(&s->z, (const Bytef *)dictionary, DICTIONARY_N) == Z_OK)
		r = inflate(&s->z, Z_SYNC_FLUSH);
	return r;
}

static int inflate_block(struct spdy_zip *s, struct sv block, struct str *out, struct err *err)
{
	s->z.next_in = (Bytef *)block.p;
	s->z.avail_in = (uInt)block.n;
	do {
		size_t room = 4096;

		s->z.next_out = (Bytef *)str_room(out, room);
		s->z.avail_out = (uInt)room;
		int r = inflate_more(s);
		out->n += room - s->z.avail_out;
		if (r != Z_OK && r != Z_BUF_ERROR)
			return err_set(err, ERR_BAD_REQUEST, "SPDY: a header block that is no zlib stream");
		if (out->n > SPDY_CONTROL_MAX)
			return err_set(err, ERR_TOO_LARGE, "SPDY: a header block of more than %zu bytes", SPDY_CONTROL_MAX);
	} while (s->z.avail_in || !s->z.avail_out);
	return 0;
}

static bool take_text(struct sv *in, struct sv *out)
{
	uint32_t n = spdy_u32(*in, 0);

	if (in->n < 4 || in->n - 4 < n)
		return false;
	*out = (struct sv){ in->p + 4, n };
	*in = sv_drop(*in, 4 + (size_t)n);
	return true;
}

int spdy_unpack(struct spdy_zip *z, struct sv block, struct spdy_headers *out, struct err *err)
{
	AUTO(str) plain = { 0 };

	TRY(inflate_block(z, block, &plain, err));
	struct sv in = str_sv(&plain), name, value;
	uint32_t n = spdy_u32(in, 0);
	if (in.n < 4 || n > PAIRS_MAX)
		return err_set(err, ERR_BAD_REQUEST, "SPDY: a header block of %u pairs", n);
	for (in = sv_drop(in, 4); n; n--) {
		if (!take_text(&in, &name) || !take_text(&in, &value) || !name.n)
			return err_set(err, ERR_BAD_REQUEST, "SPDY: a header block that ends in the middle");
		spdy_headers_add(out, name, value);
	}
	return 0;
}

/* ---- deflating ---- */

static void add_text(struct str *out, const char *text)
{
	spdy_add_u32(out, (uint32_t)strlen(text));
	str_addc(out, text);
}

void spdy_pack(struct spdy_zip *z, const struct spdy_headers *h, struct str *out)
{
	AUTO(str) plain = { 0 };

	spdy_add_u32(&plain, (uint32_t)h->n);
	for (size_t i = 0; i < h->n; i++) {
		add_text(&plain, h->v[i].name);
		add_text(&plain, h->v[i].value);
	}
	z->z.next_in = (Bytef *)plain.p;
	z->z.avail_in = (uInt)plain.n;
	do {
		size_t room = plain.n + 64;

		z->z.next_out = (Bytef *)str_room(out, room);
		z->z.avail_out = (uInt)room;
		(void)deflate(&z->z, Z_SYNC_FLUSH);     /* with room it does not fail */
		out->n += room - z->z.avail_out;
	} while (!z->z.avail_out);
}
