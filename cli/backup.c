/* cli/backup.c - `cd backup` and `cd restore`: a server's objects, certificates and keys in one file, and back. */
#include "base/fs.h"
#include "cli/data-dir.h"
#include "cli/verbs.h"
#include "kube/object.h"
#include "orchestrator/store/backup.h"

#include <inttypes.h>
#include <stdlib.h>

struct place { char *db, *pki; };

static struct place place_of(const char *dir) { return (struct place){ str_fmt("%s/store.db", dir), str_fmt("%s/pki", dir) }; }

static void place_free(struct place *p)
{
	free(p->db);
	free(p->pki);
}

static void tell(const char *what, const char *path, const struct backup_facts *f)
{
	char made[32] = "";

	if (f->made_ms)
		time_format(f->made_ms, made);
	printf("%s %s: %" PRId64 " objects at revision %" PRId64 ", %" PRId64 " bytes%s%s\n", what, path, f->objects, f->revision, f->bytes,
	       *made ? ", of " : "", made);
}

/* ---- backup ---- */

static const struct usage backup_usage = {
	"backup", "[OPTIONS] [FILE]",
	"Writes the objects of a server and its certificates and keys to a new file, of one moment; the server may run, and\n"
	"goes on. Repositories of the git server, images and volumes are not in it. Keep the file as you keep keys.\n"
	"--check alone reads every page of the store; with FILE, it checks a backup.",
	"  cd backup --data-dir /var/lib/cd /backup/$(date +%F).cd\n"
	"  cd backup --check /backup/2026-01-02.cd\n"
	"  cd backup --check --data-dir /var/lib/cd"
};

static int run_backup(const char *dir, const char *file, bool check, struct err *err)
{
	AUTO(place) at = place_of(dir);
	struct backup_facts facts;

	if (check && file) {
		TRY(backup_check(file, &facts, err));
		tell("good:", file, &facts);
	} else if (check) {
		TRY(store_check(at.db, &facts, err));
		tell("good:", at.db, &facts);
	} else {
		TRY(backup_make(at.db, at.pki, file, &facts, err));
		tell("written:", file, &facts);
	}
	return 0;
}

int cmd_backup(int argc, char **argv)
{
	const char *dir = DATA_DIR_DEFAULT;
	struct opt_list args = { 0 };
	AUTO(err) err = { 0 };
	bool check = false;
	const struct opt opts[] = {
		{ "check", 0, OPT_FLAG, &check, NULL, "write nothing; is it whole?" },
		{ "data-dir", 0, OPT_STR, &dir, "DIR", "the directory that `cd serve` was given" },
		{ 0 }
	};
	int code = cli_options(&backup_usage, opts, argc, argv, &args);

	if (code < 0 && (args.n > 1 || (!args.n && !check)))
		code = cli_usage_error(&backup_usage, "wants one FILE");
	if (code < 0)
		code = run_backup(dir, args.n ? args.v[0] : NULL, check, &err) < 0 ? cli_fail("backup", &err) : EXIT_OK;
	vec_free(&args);
	return code;
}

/* ---- restore ---- */

static const struct usage restore_usage = {
	"restore", "[OPTIONS] FILE",
	"Makes the store, the certificates and the keys of a data directory from a backup, once that was found whole. The\n"
	"server must not run. A store that is there is refused, or with --force kept beside the new one as store.db.old.\n"
	"The next `cd serve` makes what the objects say.",
	"  cd restore --data-dir /var/lib/cd /backup/2026-01-02.cd"
};

/* What SQLite keeps beside its file belongs to it. */
static int put_aside(const char *db, struct err *err)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		AUTO(str) from = { 0 }, to = { 0 };

		str_addf(&from, "%s%s", db, ends[i]);
		str_addf(&to, "%s.old%s", db, ends[i]);
		(void)unlink(str_c(&to));
		if (path_exists(str_c(&from)) && rename(str_c(&from), str_c(&to)))
			return err_errno(err, "rename '%s'", str_c(&from));
	}
	return 0;
}

static int run_restore(const char *dir, const char *file, bool force, struct err *err)
{
	AUTO(place) at = place_of(dir);
	struct backup_facts facts;
	AUTO_FD lock = -1;

	TRY(data_dir_lock(dir, &lock, err));
	TRY(backup_check(file, &facts, err));
	if (path_exists(at.db) && !force)
		return err_set(err, ERR_ALREADY_EXISTS, "'%s' exists: --force puts it aside", at.db);
	TRY(put_aside(at.db, err));
	TRY(backup_restore(file, at.db, at.pki, &facts, err));
	tell("restored:", at.db, &facts);
	return 0;
}

int cmd_restore(int argc, char **argv)
{
	const char *dir = DATA_DIR_DEFAULT;
	struct opt_list args = { 0 };
	AUTO(err) err = { 0 };
	bool force = false;
	const struct opt opts[] = {
		{ "data-dir", 0, OPT_STR, &dir, "DIR", "the directory that `cd serve` is to be given" },
		{ "force", 0, OPT_FLAG, &force, NULL, "also when there is a store; it is kept as store.db.old" },
		{ 0 }
	};
	int code = cli_options(&restore_usage, opts, argc, argv, &args);

	if (code < 0 && args.n != 1)
		code = cli_usage_error(&restore_usage, "wants one FILE");
	if (code < 0)
		code = run_restore(dir, args.v[0], force, &err) < 0 ? cli_fail("restore", &err) : EXIT_OK;
	vec_free(&args);
	return code;
}
