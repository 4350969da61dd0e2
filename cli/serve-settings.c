#include "cli/serve-settings.h"

#include "base/log.h"
#include "cli/data-dir.h"
#include "cli/verbs.h"

#include <unistd.h>

static const struct usage usage = {
	"serve", "[OPTIONS]",
	"Runs the API server, the controllers, the scheduler, the operator and this machine's node agent in one process.\n"
	"Writes DIR/admin.kubeconfig and prints one line that begins with `ready` when it serves. SIGTERM stops it and\n"
	"leaves containers running; the next start adopts them.",
	"  cd serve\n"
	"  cd serve --data-dir /var/lib/cd --listen 0.0.0.0:6443"
};

/* The machine's name as a DNS label, which names of nodes are. */
static void read_host(char *host, size_t n)
{
	(void)gethostname(host, n - 1);
	for (char *c = host; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c == '_' ? '-' : *c);
}

static void set_defaults(struct serve_settings *s)
{
	*s = (struct serve_settings){
		.data_dir = DATA_DIR_DEFAULT, .listen = "127.0.0.1:6443", .pod_cidr = "10.244.0.0/24", .service_cidr = "10.96.0.0/16",
		.log_level = "info", .poll_ms = (int64_t)3 * 60 * 1000, .audit_megabytes = 100, .audit_backups = 10, .seats = 600,
		.watches = 20000, .request_timeout_ms = 60000, .host = "node", .node_name = s->host,
	};
	read_host(s->host, sizeof s->host);
}

static int check(const struct serve_settings *s)
{
	if (s->seats < 0 || s->watches < 1 || s->request_timeout_ms < 1)
		return cli_usage_error(&usage, "--max-requests-inflight, --max-watches and --request-timeout want positive numbers");
	if (s->audit_megabytes < 1 || s->audit_backups < 0)
		return cli_usage_error(&usage, "--audit-log-maxsize wants 1 and more, --audit-log-maxbackup 0 and more");
	return -1;
}

int serve_settings_read(struct serve_settings *s, int argc, char **argv)
{
	struct opt_list args = { 0 };
	const struct opt opts[] = {
		{ "audit-log-maxbackup", 0, OPT_INT, &s->audit_backups, "N",
		  "so many full audit logs are kept (default 10)" },
		{ "audit-log-maxsize", 0, OPT_INT, &s->audit_megabytes, "MB",
		  "an audit log is full at this size (default 100)" },
		{ "audit-log-path", 0, OPT_STR, &s->audit_log, "FILE",
		  "who did what, a line of JSON each; - for standard output" },
		{ "audit-policy-file", 0, OPT_STR, &s->audit_policy, "FILE",
		  "what is written there (audit.k8s.io/v1 Policy; default: Metadata)" },
		{ "data-dir", 0, OPT_STR, &s->data_dir, "DIR", "where everything is kept" },
		{ "encryption-provider-config", 0, OPT_STR, &s->encryption, "FILE",
		  "what is encrypted on the disk, and the keys" },
		{ "listen", 0, OPT_STR, &s->listen, "HOST:PORT", "where the API answers, with TLS" },
		{ "listen-http", 0, OPT_STR, &s->listen_http, "HOST:PORT",
		  "also answer here without TLS (webhooks, git)" },
		{ "max-requests-inflight", 0, OPT_INT, &s->seats, "N",
		  "so many run at once, the rest waits in turn (default 600; 0: all)" },
		{ "max-watches", 0, OPT_INT, &s->watches, "N", "so many watches may be open (default 20000)" },
		{ "node-name", 0, OPT_STR, &s->node_name, "NAME", "name of this machine's node" },
		{ "no-node", 0, OPT_FLAG, &s->no_node, NULL, "run no containers here" },
		{ "oidc-ca-file", 0, OPT_STR, &s->oidc_ca_file, "FILE",
		  "CA of the OpenID Connect provider (PEM); default: the system's" },
		{ "oidc-client-id", 0, OPT_STR, &s->oidc.client_id, "ID", "whom the provider's tokens are for" },
		{ "oidc-groups-claim", 0, OPT_STR, &s->oidc.groups_claim, "CLAIM",
		  "claim that holds a person's groups" },
		{ "oidc-groups-prefix", 0, OPT_STR, &s->oidc.groups_prefix, "TEXT",
		  "stands before the name of each of these groups" },
		{ "oidc-issuer-url", 0, OPT_STR, &s->oidc.issuer, "URL",
		  "people come with tokens of this OpenID Connect provider" },
		{ "oidc-required-claim", 0, OPT_LIST, &s->oidc_required, "CLAIM=VALUE",
		  "tokens must say so; may be repeated" },
		{ "oidc-signing-algs", 0, OPT_STR, &s->oidc.signing_algs, "ALG,...",
		  "how they may be signed (default RS256)" },
		{ "oidc-username-claim", 0, OPT_STR, &s->oidc.username_claim, "CLAIM",
		  "claim that is the user's name (default sub)" },
		{ "oidc-username-prefix", 0, OPT_STR, &s->oidc.username_prefix, "TEXT",
		  "stands before it (default URL#; - for nothing)" },
		{ "poll", 0, OPT_DURATION, &s->poll_ms, "DURATION", "how often git remotes are asked for new commits" },
		{ "pod-cidr", 0, OPT_STR, &s->pod_cidr, "CIDR", "addresses of pods on this node" },
		{ "service-cidr", 0, OPT_STR, &s->service_cidr, "CIDR", "addresses of Services" },
		{ "request-timeout", 0, OPT_DURATION, &s->request_timeout_ms, "DURATION",
		  "of requests that do not last (default 1m)" },
		{ "service-account-issuer", 0, OPT_STR, &s->issuer, "URL",
		  "what tokens of service accounts say that they are from" },
		{ "token-auth-file", 0, OPT_STR, &s->token_file, "FILE",
		  "bearer tokens: lines TOKEN,USER,UID,\"GROUP,...\"" },
		{ "log-level", 0, OPT_STR, &s->log_level, "debug|info|warn|error", "what to log" },
		{ 0 }
	};

	set_defaults(s);
	int r = cli_options(&usage, opts, argc, argv, &args);
	bool extra = args.n;
	vec_free(&args);
	if (r >= 0)
		return r;
	return extra ? cli_usage_error(&usage, "takes no arguments") : check(s);
}

void serve_settings_free(struct serve_settings *s) { vec_free(&s->oidc_required); }
