/* base/http/secure.c - TLS of a connection: OpenSSL reads and writes memory, conn.c the socket. */
#include "base/http/internal.h"

#include <openssl/err.h>
#include <stdlib.h>

static int bio_read(BIO *b, char *to, int n)
{
	struct conn *c = BIO_get_data(b);
	size_t take = c->cipher.n < (size_t)n ? c->cipher.n : (size_t)n;

	BIO_clear_retry_flags(b);
	if (!take) {
		BIO_set_retry_read(b);
		return -1;
	}
	memcpy(to, c->cipher.p, take);
	c->cipher = sv_drop(c->cipher, take);
	return (int)take;
}

static int bio_write(BIO *b, const char *from, int n)
{
	struct conn *c = BIO_get_data(b);

	str_add(&c->out, (struct sv){ from, (size_t)n });
	return n;
}

static long bio_ctrl(BIO *b, int cmd, long n, void *p)
{
	(void)b, (void)n, (void)p;
	return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method(struct http_server *s)
{
	if (!s->bio) {
		s->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "connection");
		BIO_meth_set_read(s->bio, bio_read);
		BIO_meth_set_write(s->bio, bio_write);
		BIO_meth_set_ctrl(s->bio, bio_ctrl);
	}
	return s->bio;
}

void secure_start(struct conn *c)
{
	BIO *b = BIO_new(bio_method(c->server));

	c->ssl = SSL_new(tls_context(c->server->o.tls));
	if (!b || !c->ssl)
		abort();
	BIO_set_data(b, c);
	BIO_set_init(b, 1);
	SSL_set_bio(c->ssl, b, b);
	SSL_set_accept_state(c->ssl);
}

/* ---- reading ---- */

static bool handshake(struct conn *c)
{
	const unsigned char *name;
	unsigned n = 0;
	int r = SSL_do_handshake(c->ssl);

	if (r != 1) {
		if (SSL_get_error(c->ssl, r) != SSL_ERROR_WANT_READ)
			c->ending = true;
		ERR_clear_error();
		conn_dirty(c);
		return false;
	}
	c->secure = true;
	c->peer = tls_peer_of(c->ssl);
	SSL_get0_alpn_selected(c->ssl, &name, &n);
	if (n == 2)
		c->proto = &h2_proto;
	conn_dirty(c);
	return true;
}

/* Decrypts as long as there is something and the protocol takes it. */
static void pump(struct conn *c)
{
	struct http_server *s = c->server;

	if (c->lingering || (!c->secure && !handshake(c)))
		return;
	while (c->fd >= 0 && !c->paused) {
		int n = SSL_read(c->ssl, s->plain, (int)IO_SIZE);

		if (n > 0) {
			conn_input(c, (struct sv){ s->plain, (size_t)n });
			continue;
		}
		int e = SSL_get_error(c->ssl, n);
		ERR_clear_error();
		if (e == SSL_ERROR_ZERO_RETURN && c->proto)
			c->proto->eof(c);
		else if (e != SSL_ERROR_WANT_READ)
			conn_close(c);
		return;
	}
}

void secure_input(struct conn *c, struct sv data)
{
	AUTO(str) earlier = c->kept;

	c->kept = (struct str){ 0 };
	if (earlier.n) {
		str_add(&earlier, data);
		data = str_sv(&earlier);
	}
	c->cipher = data;
	pump(c);
	if (c->cipher.n && c->fd >= 0 && !c->lingering)
		str_add(&c->kept, c->cipher);
	c->cipher = (struct sv){ "", 0 };
}

/* ---- writing ---- */

void secure_send(struct conn *c, struct iovec *iov, int n)
{
	for (int i = 0; i < n; i++)
		for (size_t at = 0; at < iov[i].iov_len;) {
			int wrote = SSL_write(c->ssl, (char *)iov[i].iov_base + at, (int)(iov[i].iov_len - at));

			if (wrote <= 0) {       /* into memory: only a broken session fails */
				conn_close(c);
				return;
			}
			at += (size_t)wrote;
		}
}

/* Says goodbye, so that the peer knows that nothing was cut off. */
void secure_end(struct conn *c) { (void)SSL_shutdown(c->ssl); }
