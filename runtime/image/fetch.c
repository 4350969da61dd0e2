#include "runtime/image/fetch.h"

#include <inttypes.h>

#define ACCEPT TYPE_INDEX ", " TYPE_MANIFEST ", " TYPE_DOCKER_LIST ", " TYPE_DOCKER_MANIFEST

int fetch_image_manifest(struct registry *r, const char *reference, struct str *body, struct str *media_type, struct err *err)
{
	return registry_manifest(r, reference, ACCEPT, body, media_type, err);
}

struct download { struct blob_writer writer; int64_t size; struct err err; };

static int on_data(void *arg, struct sv data)
{
	struct download *d = arg;

	if (d->writer.hash.bytes + (int64_t)data.n > d->size)
		return err_set(&d->err, ERR_TOO_LARGE, "more than the %" PRId64 " bytes of its descriptor", d->size);
	return blob_write(&d->writer, data, &d->err);
}

static int download(struct registry *r, const char *dir, const char *digest, int64_t size, struct err *err)
{
	struct download d = { .size = size, .writer = { .fd = -1 } };
	int result = blob_create(&d.writer, dir, err);

	if (result >= 0)
		result = registry_blob(r, digest, on_data, &d, err);
	if (d.err.code)
		result = err_move(err, &d.err);
	if (result >= 0)
		result = blob_commit(&d.writer, digest, NULL, err);
	blob_writer_free(&d.writer);
	return result;
}

int fetch_blob(struct registry *r, const char *dir, const char *digest, int64_t size, struct err *err)
{
	return err_wrap(err, download(r, dir, digest, size, err), "blob %s", digest);
}
