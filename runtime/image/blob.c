#include "runtime/image/blob.h"
#include "base/encode.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- digests ---- */

void hasher_start(struct hasher *h)
{
	*h = (struct hasher){ .ctx = EVP_MD_CTX_new() };
	if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
		abort();
}

void hasher_add(struct hasher *h, struct sv bytes)
{
	if (EVP_DigestUpdate(h->ctx, bytes.p, bytes.n) != 1)
		abort();
	h->bytes += (int64_t)bytes.n;
}

void hasher_end(struct hasher *h, struct str *digest)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n;

	if (EVP_DigestFinal_ex(h->ctx, md, &n) != 1)
		abort();
	str_addc(digest, "sha256:");
	hex_encode(digest, (struct sv){ (const char *)md, n });
}

void hasher_free(struct hasher *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

/* ---- writing ---- */

int blob_create(struct blob_writer *w, const char *dir, struct err *err)
{
	*w = (struct blob_writer){ .fd = -1, .dir = dir };
	str_addf(&w->path, "%s/tmp/blob-XXXXXX", dir);
	w->fd = mkostemp(w->path.p, O_CLOEXEC);
	if (w->fd < 0)
		return err_errno(err, "create '%s'", str_c(&w->path));
	hasher_start(&w->hash);
	return 0;
}

int blob_write(struct blob_writer *w, struct sv bytes, struct err *err)
{
	hasher_add(&w->hash, bytes);
	while (bytes.n) {
		ssize_t n = write(w->fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "write '%s'", str_c(&w->path));
		bytes = sv_drop(bytes, (size_t)n);
	}
	return 0;
}

int blob_commit(struct blob_writer *w, const char *want, struct str *digest, struct err *err)
{
	AUTO(str) got = { 0 };
	AUTO(str) path = { 0 };

	hasher_end(&w->hash, &got);
	if (want && !str_eq(want, str_c(&got)))
		return err_set(err, ERR_INVALID, "content is %s, not %s as promised", str_c(&got), want);
	blob_path(w->dir, str_c(&got), &path);
	if (fchmod(w->fd, 0644) || rename(str_c(&w->path), str_c(&path)))
		return err_errno(err, "write '%s'", str_c(&path));
	fd_close(&w->fd);
	if (digest)
		str_move(digest, &got);
	return 0;
}

void blob_writer_free(struct blob_writer *w)
{
	if (w->fd >= 0)
		(void)unlink(str_c(&w->path));
	fd_close(&w->fd);
	hasher_free(&w->hash);
	str_free(&w->path);
}

int blob_put(const char *dir, struct sv bytes, struct str *digest, struct err *err)
{
	AUTO(blob_writer) w = { .fd = -1 };

	TRY(blob_create(&w, dir, err));
	TRY(blob_write(&w, bytes, err));
	return blob_commit(&w, NULL, digest, err);
}

/* ---- reading ---- */

void blob_path(const char *dir, const char *digest, struct str *out)
{
	str_addf(out, "%s/blobs/sha256/%s", dir, digest + strlen("sha256:"));
}

bool blob_exists(const char *dir, const char *digest) { return blob_size(dir, digest) >= 0; }

int64_t blob_size(const char *dir, const char *digest)
{
	AUTO(str) path = { 0 };
	struct stat st;

	blob_path(dir, digest, &path);
	return stat(str_c(&path), &st) ? -1 : st.st_size;
}

int blob_read(const char *dir, const char *digest, size_t max, struct str *out, struct err *err)
{
	AUTO(str) path = { 0 };

	blob_path(dir, digest, &path);
	return file_read(str_c(&path), max, out, err);
}
