/* operator/git/ssh.c - the transport of ssh:// and user@host:path: it runs the ssh program, so that agents, configuration,
 * jump hosts, certificates and every key type work as they do for git itself. Runs on a job's thread, and may block. */
#include "operator/git/git-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/sys/credential.h>
#include <git2/sys/remote.h>
#include <git2/sys/transport.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#define STDERR_SHOWN 400

struct ssh;
struct ssh_stream { git_smart_subtransport_stream base; struct ssh *ssh; };

struct ssh {
	git_smart_subtransport base;
	git_transport *owner;
	struct ssh_stream stream;
	pid_t pid;              /* 0: not running */
	int in, out, err;       /* our ends of ssh's 0, 1 and 2 */
};

struct address { struct str target, port, path; };     /* target: "user@host" */

static void address_free(struct address *a)
{
	str_free(&a->target);
	str_free(&a->port);
	str_free(&a->path);
}

/* ssh://[user@]host[:port]/path and [user@]host:path. false: not one, or one that ssh would take for an option. */
static bool address_parse(const char *url, struct address *a)
{
	struct sv rest = sv_c(url), host, path;

	if (sv_starts(rest, SV("ssh://"))) {
		struct sv port = { "", 0 }, bare;
		if (!sv_cut(sv_drop(rest, 6), '/', &host, &path))
			return false;
		str_add1(&a->path, '/');
		if (host.n && host.p[host.n - 1] != ']' && sv_cut_last(host, ':', &bare, &port))
			host = bare;
		str_add(&a->port, port);
	} else if (!sv_cut(rest, ':', &host, &path)) {
		return false;
	}
	str_add(&a->target, host);
	str_add(&a->path, path);
	return host.n && host.p[0] != '-' && path.n && strspn(str_c(&a->port), "0123456789") == a->port.n;
}

/* A word for the shell at the other end. */
static void quote(struct str *out, struct sv word)
{
	str_add1(out, '\'');
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '\'' || word.p[i] == '!')
			str_addf(out, "'\\%c'", word.p[i]);
		else
			str_add1(out, word.p[i]);
	}
	str_add1(out, '\'');
}

static int fail(const char *text)
{
	git_error_set_str(GIT_ERROR_SSH, text);
	return -1;
}

static int spawn(struct ssh *s, char *const *argv)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 }, r;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, pipe_signal;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0) {
		fd_close(&in[0]), fd_close(&in[1]), fd_close(&out[0]), fd_close(&out[1]);
		return fail("cannot make a pipe for ssh");
	}
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	posix_spawn_file_actions_adddup2(&fa, err[1], 2);
	sigemptyset(&none);
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe_signal);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawnp(&s->pid, "ssh", &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	fd_close(&in[0]), fd_close(&out[1]), fd_close(&err[1]);
	s->in = in[1];
	s->out = out[0];
	s->err = err[0];
	if (!r)
		return 0;
	s->pid = 0;
	return fail(r == ENOENT ? "the program ssh is not installed: install the package openssh-client" : strerror(r));
}

/* The file of the private key that the caller's credential callback hands out; NULL: ssh's own defaults. */
static const char *key_file(struct ssh *s, git_credential **cred)
{
	if (git_transport_smart_credentials(cred, s->owner, "git", GIT_CREDENTIAL_SSH_KEY) != 0 || !*cred ||
	    (*cred)->credtype != GIT_CREDENTIAL_SSH_KEY)
		return NULL;
	return ((struct git_credential_ssh_key *)*cred)->privatekey;
}

static int start(struct ssh *s, const char *url)
{
	AUTO(str) command = { 0 };
	__attribute__((cleanup(address_free))) struct address a = { 0 };
	git_remote_connect_options co = GIT_REMOTE_CONNECT_OPTIONS_INIT;
	git_credential *cred = NULL;
	const char *argv[24];
	size_t n = 0;

	if (!address_parse(url, &a))
		return fail("the URL is not of the form ssh://user@host/path or user@host:path");
	const char *key = key_file(s, &cred);
	/* the callback is set exactly when nothing shall be checked (see remote.c) */
	bool insecure = git_transport_remote_connect_options(&co, s->owner) == 0 && co.callbacks.certificate_check;
	static const char *const fixed[] = { "ssh", "-oBatchMode=yes", "-oConnectTimeout=20", "-oServerAliveInterval=15",
				       "-oServerAliveCountMax=4" };
	memcpy(argv, fixed, sizeof fixed);
	n = sizeof fixed / sizeof *fixed;
	argv[n++] = insecure ? "-oStrictHostKeyChecking=no" : "-oStrictHostKeyChecking=accept-new";
	if (key) {
		argv[n++] = "-oIdentitiesOnly=yes";
		argv[n++] = "-i";
		argv[n++] = key;
	}
	if (a.port.n) {
		argv[n++] = "-p";
		argv[n++] = a.port.p;
	}
	str_addc(&command, "git-upload-pack ");
	quote(&command, str_sv(&a.path));
	argv[n++] = a.target.p;
	argv[n++] = command.p;
	argv[n] = NULL;
	int r = spawn(s, (char *const *)argv);
	git_remote_connect_options_dispose(&co);
	if (cred)
		git_credential_free(cred);
	return r;
}

/* ssh's own words, once it has closed its output. */
static int ended(struct ssh *s)
{
	char text[STDERR_SHOWN + 1];
	ssize_t n = read(s->err, text, STDERR_SHOWN);

	text[n > 0 ? n : 0] = '\0';
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	return fail(n > 0 ? text : "ssh ended the connection");
}

static int stream_read(git_smart_subtransport_stream *base, char *buf, size_t size, size_t *got)
{
	struct ssh *s = ((struct ssh_stream *)base)->ssh;
	ssize_t n;

	do
		n = read(s->out, buf, size);
	while (n < 0 && errno == EINTR);
	*got = n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : ended(s);
}

static int stream_write(git_smart_subtransport_stream *base, const char *data, size_t n)
{
	struct ssh *s = ((struct ssh_stream *)base)->ssh;

	while (n) {
		ssize_t r = write(s->in, data, n);
		if (r < 0 && errno != EINTR)
			return ended(s);
		if (r > 0) {
			data += r;
			n -= (size_t)r;
		}
	}
	return 0;
}

static void stream_free(git_smart_subtransport_stream *base)
{
	(void)base;             /* part of struct ssh: it lives on between the two actions */
}

static int transport_close(git_smart_subtransport *base)
{
	struct ssh *s = (struct ssh *)base;

	fd_close(&s->in);
	fd_close(&s->out);
	fd_close(&s->err);
	if (s->pid) {
		kill(s->pid, SIGTERM);
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	s->pid = 0;
	return 0;
}

static int transport_action(git_smart_subtransport_stream **out, git_smart_subtransport *base, const char *url,
			    git_smart_service_t action)
{
	struct ssh *s = (struct ssh *)base;

	if (action != GIT_SERVICE_UPLOADPACK_LS && action != GIT_SERVICE_UPLOADPACK)
		return fail("only fetching is supported");
	if (!s->pid && start(s, url) < 0)
		return -1;
	*out = &s->stream.base;
	return 0;
}

static void transport_free(git_smart_subtransport *base)
{
	transport_close(base);
	free(base);
}

static int transport_new(git_smart_subtransport **out, git_transport *owner, void *param)
{
	struct ssh *s = calloc(1, sizeof *s);

	(void)param;
	s->base = (git_smart_subtransport){ transport_action, transport_close, transport_free };
	s->stream = (struct ssh_stream){ { &s->base, stream_read, stream_write, stream_free }, s };
	s->owner = owner;
	s->in = s->out = s->err = -1;
	*out = &s->base;
	return 0;
}

void ssh_register(void)
{
	static git_smart_subtransport_definition definition = { transport_new, 0, NULL };

	git_transport_register("ssh", git_transport_smart, &definition);
}
