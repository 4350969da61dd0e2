#include "check.h"
#include "base/fiber.h"
#include "base/fs.h"
#include "base/proc.h"
#include "runtime/container/container.h"
#include "runtime/image/image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a store and a context in a scratch directory ---- */

struct fixture { struct str dir, store, context; };

static int open_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	char template[] = "/tmp/cd-image-XXXXXX";
	AUTO(str) busybox = { 0 };
	AUTO(str) path = { 0 };
	struct err err = { 0 };

	if (geteuid() || !path_exists("/bin/busybox")) {
		printf("needs root and /bin/busybox\n");
		exit(77);
	}
	str_addc(&f->dir, mkdtemp(template));
	str_addf(&f->store, "%s/store", str_c(&f->dir));
	str_addf(&f->context, "%s/context", str_c(&f->dir));
	assert_ok(dir_make(str_c(&f->context), 0755, &err), &err);
	assert_ok(file_read("/bin/busybox", 16 << 20, &busybox, &err), &err);
	str_addf(&path, "%s/busybox", str_c(&f->context));
	assert_ok(file_write(str_c(&path), str_sv(&busybox), 0755, &err), &err);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_ok(tree_remove(str_c(&f->dir), &err), &err);
	assert_false(path_exists("/sys/fs/cgroup/memory/cd-build"));
	str_free(&f->dir);
	str_free(&f->store);
	str_free(&f->context);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	AUTO(str) path = { 0 };
	AUTO(str) dir = { 0 };
	struct err err = { 0 };
	struct sv head, tail;

	str_addf(&path, "%s/%s", str_c(&f->context), name);
	(void)sv_cut_last(str_sv(&path), '/', &head, &tail);
	str_add(&dir, head);
	assert_ok(dir_make(str_c(&dir), 0755, &err), &err);
	assert_ok(file_write(str_c(&path), sv_c(text), 0644, &err), &err);
}

/* ---- one build ---- */

struct build {
	struct fixture *f;
	const char *tag;
	struct image_build_opts opts;
	struct str said;
	struct str digest;
	struct image image;
	int result;
	struct err err;
};

static void hear(void *arg, const char *line)
{
	str_addf(arg, "%s\n", line);
}

static int build_fiber(void *arg)
{
	struct build *b = arg;
	struct images *i = images_open(fiber_loop(), str_c(&b->f->store), &b->err);

	b->opts.context = str_c(&b->f->context);
	b->opts.tag = b->tag;
	b->opts.progress = hear;
	b->opts.arg = &b->said;
	b->result = image_build(i, &b->opts, &b->digest, &b->err);
	if (b->result >= 0)
		b->result = image_find(i, b->tag, &b->image, &b->err);
	images_close(&i);
	return 0;
}

static void build_free(struct build *b)
{
	str_free(&b->said);
	str_free(&b->digest);
	image_free(&b->image);
	err_free(&b->err);
}

static void build(struct fixture *f, struct build *b, const char *tag, const char *containerfile)
{
	b->f = f;
	b->tag = tag;
	put(f, "Containerfile", containerfile);
	(void)fiber_main(build_fiber, b);
}

#define BASE                                                                                                           \
	"FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", "        \
	"\"-s\", \"/bin\"]\n"                                                                                          \
	"RUN mkdir -p /etc /tmp && chmod 1777 /tmp && echo 'web:x:1000:1000::/home/web:/bin/sh' > /etc/passwd "        \
	"&& echo 'web:x:1000:' > /etc/group\n"

/* ---- the tree that an image unpacks to, as its containers see it ---- */

struct shell { struct build *b; const char *script; struct str out; int code, result; struct err err; };

static void wake(void *arg) { fiber_wake(arg); }

static int shell_fiber(void *arg)
{
	struct shell *s = arg;
	const char *argv[] = { "/bin/sh", "-c", s->script, NULL }, *layers[64] = { 0 };
	struct containers *cs = containers_open(fiber_loop(), &s->err);
	AUTO(str) dir = { 0 };
	AUTO(str) log = { 0 };
	struct container *c = NULL;
	struct container_status st;

	str_addf(&dir, "%s/shell", str_c(&s->b->f->dir));
	str_addf(&log, "%s/shell.log", str_c(&s->b->f->dir));
	(void)unlink(str_c(&log));
	(void)!dir_make(str_c(&dir), 0700, NULL);
	for (size_t i = 0; i < s->b->image.layers.n; i++)
		layers[i] = s->b->image.layers.v[i];
	struct container_spec spec = { .id = "shell",
				       .dir = str_c(&dir),
				       .layers = layers,
				       .argv = argv,
				       .cgroup = "cd-build/shell",
				       .log_path = str_c(&log),
				       .netns_fd = -1,
				       .ipcns_fd = -1,
				       .utsns_fd = -1,
				       .pidns_fd = -1 };
	s->result = container_start(cs, &spec, &c, &s->err);
	if (s->result >= 0) {
		container_on_exit(c, wake, fiber_self());
		for (container_get(c, &st); st.state == CONTAINER_RUNNING; container_get(c, &st))
			(void)fiber_park();
		s->code = st.exit_code;
		s->result = container_remove(&c, &s->err);
	}
	(void)!file_read(str_c(&log), 1 << 20, &s->out, NULL);
	containers_close(&cs);
	return 0;
}

/* Records are "time stream tag text": the text alone. */
static void expect_shell(struct build *b, const char *script, const char *want)
{
	struct shell s = { .b = b, .script = script };
	AUTO(str) got = { 0 };
	struct sv rest, line, ignored;

	assert_ok(b->result, &b->err);
	(void)fiber_main(shell_fiber, &s);
	assert_ok(s.result, &s.err);
	rest = str_sv(&s.out);
	while (sv_cut(rest, '\n', &line, &rest)) {
		for (int i = 0; i < 3; i++)
			(void)sv_cut(line, ' ', &ignored, &line);
		str_addf(&got, SV_FMT "\n", SV_ARG(line));
	}
	assert_string_equal(str_c(&got), want);
	str_free(&s.out);
}

/* ---- builds ---- */

static void build_metadata_is_in_the_image(void **state)
{
	struct build b = { 0 };

	build(*state, &b, "meta:1",
	      "# a comment\nFROM scratch\nARG WHO=world\nCOPY busybox /bin/sh\nENV A=1 B=\"two words\" \\\n"
	      "    # between\n    C=$A-${WHO}-${NOBODY:-x}\nWORKDIR /srv\nWORKDIR app\nUSER 1000:1000\nEXPOSE 80 "
	      "53/udp\n"
	      "VOLUME /data\nLABEL k=v \"l m\"='n o'\nSTOPSIGNAL SIGINT\nENTRYPOINT [\"/bin/sh\", \"-c\"]\nCMD echo "
	      "$A\n");
	assert_ok(b.result, &b.err);
	assert_int_equal(b.image.env.n, 3);
	assert_string_equal(b.image.env.v[1], "B=two words");
	assert_string_equal(b.image.env.v[2], "C=-world-x");   /* A as it was before this instruction */
	assert_string_equal(str_c(&b.image.workdir), "/srv/app");
	assert_string_equal(str_c(&b.image.user), "1000:1000");
	assert_string_equal(str_c(&b.image.stop_signal), "SIGINT");
	assert_int_equal(b.image.ports.n, 2);
	assert_string_equal(b.image.ports.v[0], "80/tcp");
	assert_string_equal(b.image.volumes.v[0], "/data");
	assert_int_equal(b.image.entrypoint.n, 2);
	assert_string_equal(b.image.cmd.v[2], "echo $A");
	assert_int_equal(b.image.layers.n, 1);
	build_free(&b);
}

static void build_again_is_the_same_image_from_kept_steps(void **state)
{
	struct build one = { 0 }, two = { 0 }, three = { 0 };

	build(*state, &one, "same:1", BASE);
	build(*state, &two, "same:1", BASE);
	assert_ok(one.result, &one.err);
	assert_ok(two.result, &two.err);
	assert_string_equal(str_c(&one.digest), str_c(&two.digest));
	assert_non_null(strstr(str_c(&two.said), "STEP 4/5: RUN"));
	assert_non_null(strstr(str_c(&two.said), "unchanged since an earlier build"));
	put(*state, "extra", "changed");
	build(*state, &three, "same:1", "FROM same:1\nCOPY extra /extra\n");
	assert_ok(three.result, &three.err);
	assert_null(strstr(str_c(&three.said), "unchanged"));
	assert_int_equal(three.image.layers.n, one.image.layers.n + 1);
	build_free(&one);
	build_free(&two);
	build_free(&three);
}

static void build_run_changes_become_a_layer(void **state)
{
	struct build b = { 0 };

	build(*state, &b, "run:1",
	      BASE "RUN mkdir -p /d/gone /d/kept /d/opaque && echo x > /d/gone/f && echo y > /d/opaque/old && ln -s "
		   "kept /d/l\n"
		   "RUN rm -r /d/gone && rm -r /d/opaque && mkdir /d/opaque && echo z > /d/opaque/new && ln "
		   "/d/opaque/new /d/hard\n"
		   "USER web\nWORKDIR /tmp\nENV X=1\nARG Y=2\nRUN echo $X$Y $(id -u) $(pwd) > /tmp/mine\n");
	assert_ok(b.result, &b.err);
	expect_shell(
		&b,
		"ls /d; ls /d/opaque; cat /d/l/../hard; cat /tmp/mine; stat -c '%U %a' /tmp/mine; ls / | tr '\\n' ' '",
		"hard\nkept\nl\nopaque\nnew\nz\n12 1000 /tmp\nweb 644\nbin d dev etc proc sys tmp \n");
	build_free(&b);
}

static void build_failing_run_names_line_and_code(void **state)
{
	struct build b = { 0 };

	build(*state, &b, "fail:1", BASE "RUN echo about to fail; \\\n  exit 3\n");
	assert_err(b.result, &b.err, ERR_INVALID, "Containerfile:6: ");
	assert_non_null(strstr(err_msg(&b.err), "ended with exit code 3"));
	assert_non_null(strstr(str_c(&b.said), "about to fail"));
	build_free(&b);
}

static void build_copy_follows_the_rules_of_destinations(void **state)
{
	struct build b = { 0 };
	struct fixture *f = *state;

	put(f, "site/a.html", "A");
	put(f, "site/sub/b.html", "B");
	put(f, "one.txt", "1");
	put(f, "two.txt", "2");
	build(f, &b, "copy:1",
	      BASE "RUN mkdir /real && ln -s real /link\nCOPY site /www\nCOPY one.txt /renamed\nCOPY one.txt /dir/\n"
		   "COPY *.txt /many/\nWORKDIR /w\nCOPY one.txt here\nCOPY --chown=web:7 --chmod=0640 two.txt "
		   "/owned\nCOPY one.txt /link/through\n"
		   "COPY one.txt /tmp\nCOPY [\"two.txt\", \"/with space\"]\n");
	expect_shell(&b,
		     "cat /www/a.html /www/sub/b.html /renamed /dir/one.txt /many/two.txt /w/here /real/through "
		     "/tmp/one.txt '/with space'; echo;"
		     "stat -c '%u:%g %a' /owned /tmp /renamed",
		     "AB112111"
		     "2\n1000:7 640\n0:0 1777\n0:0 644\n");
	build_free(&b);
}

static void build_copy_from_a_stage_and_an_image(void **state)
{
	struct build base = { 0 }, b = { 0 };

	build(*state, &base, "tools:1", BASE);
	build(*state, &b, "multi:1",
	      "FROM tools:1 AS make\nRUN echo made > /out && ln -s out /alias\nFROM scratch AS final\n"
	      "COPY --from=make /out /alias /result/\nCOPY --from=tools:1 /bin /bin\nCOPY --from=0 /etc/passwd "
	      "/etc/\n");
	expect_shell(&b, "cat /result/out /result/alias; grep -c web /etc/passwd; ls /bin/sh",
		     "made\nmade\n1\n/bin/sh\n");
	build_free(&base);
	build_free(&b);
}

static void build_ignored_files_stay_out(void **state)
{
	struct build b = { 0 };
	struct fixture *f = *state;

	put(f, "tree/keep.c", "k");
	put(f, "tree/drop.o", "d");
	put(f, "tree/deep/er/drop.o", "d");
	put(f, "tree/deep/er/special.o", "s");
	put(f, ".dockerignore", "# objects\n**/*.o\n!**/special.o\n");
	build(f, &b, "ignore:1", BASE "COPY tree /tree\n");
	expect_shell(&b, "cd /tree; find . -type f | sort", "./deep/er/special.o\n./keep.c\n");
	build_free(&b);
	b = (struct build){ 0 };
	build(f, &b, "ignore:2", "FROM scratch\nCOPY tree/*.o /x/\n");
	assert_err(b.result, &b.err, ERR_NOT_FOUND, "Containerfile:2: \"tree/*.o\": nothing in the context matches");
	build_free(&b);
	put(f, ".dockerignore", "");
}

static void build_heredocs_are_files_and_scripts(void **state)
{
	struct build b = { 0 };

	build(*state, &b, "heredoc:1",
	      BASE "ENV V=value\nCOPY <<EOF /etc/conf\nkey = $V\n# it's ${V} \\$V\nEOF\nCOPY <<'RAW' /etc/raw\n$V\nRAW\nRUN <<SCRIPT\necho first > /made\n"
		   "echo second >> /made\nSCRIPT\n");
	expect_shell(&b, "cat /etc/conf /etc/raw /made", "key = value\n# it's value $V\n$V\nfirst\nsecond\n");
	build_free(&b);
}

static void run_tool(const char *const *argv, const char *dir);

static void build_add_unpacks_archives(void **state)
{
	struct build b = { 0 };
	struct fixture *f = *state;
	const char *const tar[] = { "tar", "-czf", "site.tgz", "site", NULL };

	put(f, "site/a.html", "A");
	run_tool(tar, str_c(&f->context));
	build(f, &b, "add:1", BASE "ADD site.tgz /srv/\nCOPY site.tgz /srv/\nADD one.txt /srv/plain\n");
	expect_shell(&b, "cat /srv/site/a.html; ls /srv; cat /srv/plain", "Aplain\nsite\nsite.tgz\n1\n");
	build_free(&b);
}

static void build_mistakes_name_file_and_line(void **state)
{
	static const struct { const char *text, *want; enum err_code code;
	} cases[] = {
		{ "", "no instructions", ERR_INVALID },
		{ "COPY a b\n", "Containerfile:1: COPY before FROM", ERR_INVALID },
		{ "FROM scratch\nCOPPY a b\n", "Containerfile:2: unknown instruction \"COPPY\" (did you mean COPY?)",
		  ERR_INVALID },
		{ "FROM scratch\n\nCOPY nothing /x\n", "Containerfile:3: \"nothing\": no such file in the context",
		  ERR_NOT_FOUND },
		{ "FROM scratch\nCOPY ../outside /x\n", "no such file in the context", ERR_NOT_FOUND },
		{ "FROM scratch\nCOPY out /x\n", "Containerfile:2: \"out\": the link leads out of the context",
		  ERR_INVALID },
		{ "FROM scratch\nENV novalue\n", "Containerfile:2: want KEY=VALUE", ERR_INVALID },
		{ "FROM scratch\nENV A=\"open\n", "a \" that is not closed", ERR_INVALID },
		{ "FROM scratch\nEXPOSE 99999\n", "want a port from 1 to 65535", ERR_INVALID },
		{ "FROM scratch\nCOPY --chwon=1 a b\n", "COPY has no flag --chwon", ERR_INVALID },
		{ "FROM scratch\nCOPY <<EOF /x\nnever ends\n", "Containerfile:2: the here-document \"EOF\" has no end",
		  ERR_INVALID },
		{ "FROM scratch\nADD https://example.com/x /x\n", "remote sources are not offered", ERR_UNSUPPORTED },
		{ "FROM scratch\nRUN true\n", "there is nothing to run in an empty image", ERR_INVALID },
		{ "FROM scratch\nRUN --mount=type=cache x\n", "RUN has no flag --mount", ERR_INVALID },
		{ "FROM scratch\nRUN --network=host x\n", "allow it with --host-network", ERR_FORBIDDEN },
		{ "FROM scratch\nENV A=${\n", "not a variable", ERR_INVALID },
		{ "FROM scratch\nCMD\n", "Containerfile:2: CMD needs an argument", ERR_INVALID },
		{ "FROM a b c\n", "want FROM image, or FROM image AS name", ERR_INVALID },
		{ "FROM scratch\nCOPY --chown=nobody busybox /x\n", "user \"nobody\" is not in the image",
		  ERR_NOT_FOUND },
	};
	struct fixture *f = *state;
	AUTO(str) link = { 0 };

	str_addf(&link, "%s/out", str_c(&f->context));
	assert_int_equal(symlink("/etc/hostname", str_c(&link)), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct build b = { 0 };

		build(f, &b, "wrong:1", cases[i].text);
		assert_err(b.result, &b.err, cases[i].code, cases[i].want);
		build_free(&b);
	}
	(void)unlink(str_c(&link));
}

static void build_with_source_date_is_the_same_anywhere(void **state)
{
	static const char *const args[] = { "SOURCE_DATE_EPOCH=1000000000", NULL };
	struct build one = { .opts = { .build_args = args, .no_cache = true } }, two = one;
	struct fixture *f = *state;

	put(f, "dated", "x");
	build(f, &one, "dated:1", "FROM scratch\nCOPY dated /dated\n");
	put(f, "dated", "x");
	build(f, &two, "dated:1", "FROM scratch\nCOPY dated /dated\n");
	assert_ok(one.result, &one.err);
	assert_ok(two.result, &two.err);
	assert_string_equal(str_c(&one.digest), str_c(&two.digest));
	assert_int_equal(two.image.created_ms, 1000000000000);
	build_free(&one);
	build_free(&two);
}

/* ---- names, removal ---- */

struct store_call {
	struct fixture *f;
	const char *name;
	struct image image;
	struct image_list list;
	int result;
	struct err err;
};

static int find_fiber(void *arg)
{
	struct store_call *s = arg;
	struct images *i = images_open(fiber_loop(), str_c(&s->f->store), &s->err);

	s->result = image_find(i, s->name, &s->image, &s->err);
	images_close(&i);
	return 0;
}

static int remove_fiber(void *arg)
{
	struct store_call *s = arg;
	struct images *i = images_open(fiber_loop(), str_c(&s->f->store), &s->err);

	s->result = image_remove(i, s->name, &s->err);
	images_close(&i);
	return 0;
}

static void image_is_found_by_its_names(void **state)
{
	static const char *const names[] = { "names", "names:latest", "localhost/names:latest", "localhost/names" };
	struct build b = { 0 };

	build(*state, &b, "names", "FROM scratch\nCOPY busybox /bin/sh\n");
	assert_ok(b.result, &b.err);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct store_call s = { .f = *state, .name = names[i] };

		(void)fiber_main(find_fiber, &s);
		assert_ok(s.result, &s.err);
		assert_string_equal(str_c(&s.image.digest), str_c(&b.digest));
		image_free(&s.image);
	}
	struct store_call none = { .f = *state, .name = "names:other" };
	(void)fiber_main(find_fiber, &none);
	assert_err(none.result, &none.err, ERR_NOT_FOUND, "image \"names:other\" is not in the store");
	err_free(&none.err);
	build_free(&b);
}

static void image_removed_takes_its_layers_unless_they_are_used(void **state)
{
	struct build b = { 0 };
	struct fixture *f = *state;

	put(f, "only-here", "only here");
	build(f, &b, "gone:1", "FROM scratch\nCOPY only-here /only-here\n");
	assert_ok(b.result, &b.err);
	char *layer = b.image.layers.v[0];
	int fd = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	struct store_call s = { .f = f, .name = "gone:1" };
	(void)fiber_main(remove_fiber, &s);
	assert_ok(s.result, &s.err);
	assert_true(path_exists(layer));                /* a container has it */
	close(fd);
	struct build other = { 0 };
	build(f, &other, "gone:2", "FROM scratch\nENV A=1\nCOPY busybox /b\n");
	s.name = "gone:2";
	(void)fiber_main(remove_fiber, &s);
	assert_ok(s.result, &s.err);
	assert_false(path_exists(layer));
	(void)fiber_main(remove_fiber, &s);
	assert_err(s.result, &s.err, ERR_NOT_FOUND, "not in the store");
	err_free(&s.err);
	build_free(&other);
	build_free(&b);
}

/* ---- users ---- */

static void image_users_are_looked_up_in_the_image(void **state)
{
	static const struct { const char *text; uid_t uid; gid_t gid; size_t groups;
	} cases[] = {
		{ "", 0, 0, 0 },    { "web", 1000, 1000, 1 }, { "1000", 1000, 1000, 1 }, { "web:extra", 1000, 2000, 0 },
		{ "5:6", 5, 6, 0 }, { "77", 77, 0, 0 },	      { "1000:0", 1000, 0, 0 },
	};
	struct build b = { 0 };
	struct err err = { 0 };
	struct image_user u;

	build(*state, &b, "users:1", BASE "RUN echo 'extra:x:2000:other,web' >> /etc/group\n");
	assert_ok(b.result, &b.err);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_ok(image_user_find(&b.image, cases[i].text, &u, &err), &err);
		assert_int_equal(u.uid, cases[i].uid);
		assert_int_equal(u.gid, cases[i].gid);
		assert_int_equal(u.n_groups, cases[i].groups);
	}
	assert_err(image_user_find(&b.image, "ghost", &u, &err), &err, ERR_NOT_FOUND,
		   "user \"ghost\" is not in the image");
	err_free(&err);
	build_free(&b);
}

/* ---- import ---- */

struct import { struct fixture *f; const char *archive, *tag; struct strings names; int result; struct err err; };

static int import_fiber(void *arg)
{
	struct import *im = arg;
	struct images *i = images_open(fiber_loop(), str_c(&im->f->store), &im->err);

	im->result = image_import(i, im->archive, im->tag, &im->names, &im->err);
	images_close(&i);
	return 0;
}

struct tool { const struct proc_opts *opts; int result; struct str out, errors; struct err err; };

static int tool_fiber(void *arg)
{
	struct tool *t = arg;

	t->result = proc_run(t->opts, SV(""), 1 << 20, &t->out, &t->errors, &t->err);
	return 0;
}

static void run_tool(const char *const *argv, const char *dir)
{
	const struct proc_opts opts = { .argv = argv, .dir = dir, .in = -1, .out = -1, .err = -1 };
	struct tool t = { .opts = &opts };

	(void)fiber_main(tool_fiber, &t);
	assert_ok(t.result, &t.err);
	if (t.result)
		fail_msg("%s: %s", argv[0], str_c(&t.errors));
	str_free(&t.out);
	str_free(&t.errors);
}

static void import_of_an_oci_layout_gives_the_same_image(void **state)
{
	struct build b = { 0 };
	struct fixture *f = *state;
	AUTO(str) tar = { 0 };

	build(f, &b, "exported:1", BASE);
	assert_ok(b.result, &b.err);
	str_addf(&tar, "%s/store.tar", str_c(&f->dir));
	const char *const pack[] = { "tar", "-cf", str_c(&tar), "oci-layout", "index.json", "blobs", NULL };
	run_tool(pack, str_c(&f->store));
	struct fixture other = { 0 };
	str_addf(&other.store, "%s/other", str_c(&f->dir));
	struct import im = { .f = &other, .archive = str_c(&tar) };
	(void)fiber_main(import_fiber, &im);
	assert_ok(im.result, &im.err);
	struct store_call s = { .f = &other, .name = "exported:1" };
	(void)fiber_main(find_fiber, &s);
	assert_ok(s.result, &s.err);
	assert_string_equal(str_c(&s.image.digest), str_c(&b.digest));
	image_free(&s.image);
	strings_free(&im.names);
	str_free(&other.store);
	build_free(&b);
}

static void import_of_a_docker_archive_has_its_tags(void **state)
{
	struct fixture *f = *state;
	struct build b = { .f = f };
	AUTO(str) tar = { 0 };
	AUTO(str) config = { 0 };
	const char *const layer[] = { "tar", "-cf", "layer.tar", "--transform", "s,busybox,bin/sh,", "busybox", NULL };
	const char *const sum[] = { "sh", "-c", "sha256sum < layer.tar | cut -c1-64 > sum", NULL };
	AUTO(str) digest = { 0 };
	struct err err = { 0 };

	run_tool(layer, str_c(&f->context));
	run_tool(sum, str_c(&f->context));
	str_addf(&tar, "%s/sum", str_c(&f->context));
	assert_ok(file_read(str_c(&tar), 100, &digest, &err), &err);
	str_addf(&config,
		 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"sh\"]},\"rootfs\":{\"type\":"
		 "\"layers\","
		 "\"diff_ids\":[\"sha256:%.64s\"]}}",
		 str_c(&digest));
	put(f, "config.json", str_c(&config));
	put(f, "manifest.json",
	    "[{\"Config\":\"config.json\",\"RepoTags\":[\"saved:1\",\"example.com/"
	    "saved:2\"],\"Layers\":[\"layer.tar\"]}]");
	const char *const save[] = { "tar", "-cf", "../saved.tar", "manifest.json", "config.json", "layer.tar", NULL };
	run_tool(save, str_c(&f->context));
	str_set(&tar, "");
	str_addf(&tar, "%s/saved.tar", str_c(&f->dir));
	struct import im = { .f = f, .archive = str_c(&tar) };
	(void)fiber_main(import_fiber, &im);
	assert_ok(im.result, &im.err);
	assert_int_equal(im.names.n, 2);
	assert_string_equal(im.names.v[0], "localhost/saved:1");
	struct store_call s = { .f = f, .name = "example.com/saved:2" };
	(void)fiber_main(find_fiber, &s);
	assert_ok(s.result, &s.err);
	b.image = s.image;
	expect_shell(&b, "echo inside", "inside\n");
	image_free(&s.image);
	strings_free(&im.names);
}

static void import_of_something_else_says_so(void **state)
{
	struct fixture *f = *state;
	struct import im = { .f = f, .archive = str_c(&f->context) };

	AUTO(str) manifest = { 0 };
	str_addf(&manifest, "%s/manifest.json", str_c(&f->context));
	(void)unlink(str_c(&manifest));
	(void)fiber_main(import_fiber, &im);
	assert_err(im.result, &im.err, ERR_INVALID, "is neither an OCI layout (index.json) nor a docker archive");
	err_free(&im.err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(build_metadata_is_in_the_image),
		TEST(build_again_is_the_same_image_from_kept_steps),
		TEST(build_run_changes_become_a_layer),
		TEST(build_failing_run_names_line_and_code),
		TEST(build_copy_follows_the_rules_of_destinations),
		TEST(build_copy_from_a_stage_and_an_image),
		TEST(build_ignored_files_stay_out),
		TEST(build_heredocs_are_files_and_scripts),
		TEST(build_add_unpacks_archives),
		TEST(build_mistakes_name_file_and_line),
		TEST(build_with_source_date_is_the_same_anywhere),
		TEST(image_is_found_by_its_names),
		TEST(image_removed_takes_its_layers_unless_they_are_used),
		TEST(image_users_are_looked_up_in_the_image),
		TEST(import_of_an_oci_layout_gives_the_same_image),
		TEST(import_of_a_docker_archive_has_its_tags),
		TEST(import_of_something_else_says_so),
	};

	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
