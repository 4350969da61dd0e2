#include "cli/data-dir.h"

#include "base/encode.h"
#include "base/fs.h"

#include <stdlib.h>

#define INSTANCE_LENGTH 6       /* interface names have 15 characters for everything */

int data_dir_lock(const char *dir, int *fd, struct err *err)
{
	AUTO(str) path = { 0 };

	TRY(dir_make(dir, 0700, err));
	str_addf(&path, "%s/lock", dir);
	int r = file_lock(str_c(&path), fd, err);

	return r == -ERR_BUSY ? err_set(err, ERR_CONFLICT, "data directory '%s' is in use by a running `cd serve`", dir) : r;
}

int data_dir_make(const char *dir, struct str *absolute, struct err *err)
{
	TRY(dir_make(dir, 0700, err));
	char *real = realpath(dir, NULL);

	if (!real)
		return err_errno(err, "data directory '%s'", dir);
	str_set(absolute, real);
	free(real);
	return 0;
}

int data_dir_instance(const char *dir, struct str *out, struct err *err)
{
	AUTO(str) digest = { 0 };
	char *real = realpath(dir, NULL);

	if (!real)
		return err_errno(err, "data directory '%s'", dir);
	sha256_hex(&digest, sv_c(real));
	free(real);
	str_add(out, (struct sv){ digest.p, INSTANCE_LENGTH });
	return 0;
}
