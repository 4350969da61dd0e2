/* cli/serve.c - `cd serve`: API, controllers, scheduler, operator and node agent in one process.
 *
 * The server is a list of stages, started in order and stopped in reverse; each stage knows only the ones before it. */
#include "base/fiber.h"
#include "base/fs.h"
#include "base/http.h"
#include "base/lazy.h"
#include "base/log.h"
#include "base/tls.h"
#include "cli/data-dir.h"
#include "cli/serve-settings.h"
#include "cli/verbs.h"
#include "kube/informer.h"
#include "operator/operator.h"
#include "orchestrator/api/api.h"
#include "orchestrator/controllers/controllers.h"
#include "orchestrator/pki.h"
#include "orchestrator/store/encryption.h"
#include "runtime/agent/agent.h"
#include "runtime/network/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct server {
	struct serve_settings set;
	struct loop *loop;
	struct fiber *main;
	int signals;                    /* how many times we were asked to stop */
	int lock;
	struct str dir, url, instance;          /* dir: absolute */
	struct pki pki;
	struct tls *tls;
	struct store *store;
	struct kinds *kinds;
	struct api *api;
	struct http_server *https, *http, *pods;        /* pods: on the pods' network, when the API listens on loopback */
	struct client *clients[4];      /* one a component, so that the audit trail says who */
	struct informers *informers;
	struct controllers *controllers;
	struct operator *operator;
	struct images *images;
	struct agent *agent;
};

#define OPTION_FILE_MAX ((size_t)1 << 20)

enum component { CONTROLLERS, OPERATOR, NODE, INFORMERS };

static char *below(const struct server *s, const char *name) { return str_fmt("%s/%s", str_c(&s->dir), name); }

/* ---- stages ---- */

static int start_data_dir(struct server *s, struct err *err)
{
	TRY(data_dir_make(s->set.data_dir, &s->dir, err));
	TRY(data_dir_lock(str_c(&s->dir), &s->lock, err));
	return data_dir_instance(str_c(&s->dir), &s->instance, err);
}

static void stop_data_dir(struct server *s)
{
	str_free(&s->instance);
	str_free(&s->dir);
	fd_close(&s->lock);
}

/* The first address of a network: the Service "kubernetes" has it of one, this machine of the other. */
static void add_first_address(struct str *names, const char *cidr)
{
	struct sv address, bits;
	struct in_addr a;
	int64_t n;
	char text[INET_ADDRSTRLEN];

	if (!sv_cut(sv_c(cidr), '/', &address, &bits) || !sv_to_i64(bits, &n) || n < 1 || n > 30 || address.n >= sizeof text)
		return;         /* whoever uses the network complains */
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	if (inet_pton(AF_INET, text, &a) != 1)
		return;
	a.s_addr = htonl((ntohl(a.s_addr) & ~(uint32_t)((1u << (32 - n)) - 1)) + 1);
	str_addf(names, ",%s", inet_ntop(AF_INET, &a, text, sizeof text));
}

static int start_certificates(struct server *s, struct err *err)
{
	AUTO(str) names = { 0 };
	struct sv host, port;
	char *dir = below(s, "pki");

	sv_cut_last(sv_c(s->set.listen), ':', &host, &port);
	if (sv_starts(host, SV("[")))
		host = (struct sv){ host.p + 1, host.n - 2 };
	str_addf(&names, "localhost,127.0.0.1,::1,kubernetes,kubernetes.default,kubernetes.default.svc,"
		 "kubernetes.default.svc.cluster.local,%s", s->set.node_name);
	add_first_address(&names, s->set.service_cidr);
	add_first_address(&names, s->set.pod_cidr);
	if (!sv_eq_c(host, "127.0.0.1") && !sv_eq_c(host, "0.0.0.0") && !sv_eq_c(host, "::") && host.n)
		str_addf(&names, "," SV_FMT, SV_ARG(host));
	int r = pki_open(dir, str_c(&names), &s->pki, err);
	free(dir);
	TRY(r);
	s->tls = tls_server(str_sv(&s->pki.server), str_sv(&s->pki.server_key), str_sv(&s->pki.ca), err);
	return s->tls ? 0 : -(int)err->code;
}

static void stop_certificates(struct server *s)
{
	tls_free(s->tls);
	pki_free(&s->pki);
}

/* path NULL: nothing. */
static int read_option_file(const char *path, const char *option, struct str *out, struct err *err)
{
	return path ? err_wrap(err, file_read(path, OPTION_FILE_MAX, out, err), "--%s", option) : 0;
}

static int encrypt_store(struct server *s, struct err *err)
{
	AUTO(str) text = { 0 }, count = { 0 };
	struct encryption *how;
	size_t n;

	TRY(read_option_file(s->set.encryption, "encryption-provider-config", &text, err));
	how = encryption_read(str_c(&text), err);
	OPENSSL_cleanse(text.p, text.n);
	if (!how)
		return err_wrap(err, -(int)err->code, "--encryption-provider-config");
	s->store = store_encrypted(s->store, how);
	TRY(store_encrypt_again(s->store, &n, err));
	str_addf(&count, "%zu", n);
	if (n)
		log_event(LOG_INFO, "values of the store are encrypted again", "values", str_c(&count), NULL);
	return 0;
}

static int start_store(struct server *s, struct err *err)
{
	char *path = below(s, "store.db");

	s->store = store_sqlite(s->loop, path, err);
	free(path);
	if (!s->store)
		return -(int)err->code;
	return s->set.encryption ? encrypt_store(s, err) : 0;
}

static void stop_store(struct server *s)
{
	if (s->store)
		s->store->ops->free(s->store);
}

static int start_api(struct server *s, struct err *err)
{
	AUTO(str) tokens = { 0 }, oidc_ca = { 0 }, audit_policy = { 0 };

	TRY(read_option_file(s->set.token_file, "token-auth-file", &tokens, err));
	TRY(read_option_file(s->set.oidc_ca_file, "oidc-ca-file", &oidc_ca, err));
	TRY(read_option_file(s->set.audit_policy, "audit-policy-file", &audit_policy, err));
	s->set.oidc.ca = str_sv(&oidc_ca);
	s->set.oidc.required = s->set.oidc_required.v;
	s->set.oidc.n_required = s->set.oidc_required.n;
	s->kinds = kinds_new();
	const struct api_opts o = {
		.store = s->store, .kinds = s->kinds, .version = CD_VERSION, .service_cidr = s->set.service_cidr,
		.token = str_sv(&s->pki.token), .account_keys = str_sv(&s->pki.account_key), .issuer = s->set.issuer,
		.ca = str_sv(&s->pki.ca), .ca_key = str_sv(&s->pki.ca_key), .tokens = str_c(&tokens), .oidc = s->set.oidc,
		.seats = s->set.seats ? (int)s->set.seats : -1, .watches_max = (int)s->set.watches,
		.request_timeout_ms = s->set.request_timeout_ms, .audit_path = s->set.audit_log,
		.audit_policy = s->set.audit_policy ? str_c(&audit_policy) : NULL,
		.audit_max_bytes = s->set.audit_megabytes << 20, .audit_backups = (int)s->set.audit_backups,
	};

	return (s->api = api_new(s->loop, &o, err)) ? 0 : -(int)err->code;
}

static void stop_api(struct server *s)
{
	api_free(&s->api);
	kinds_free(&s->kinds);
}

static int start_clients(struct server *s, struct err *err)
{
	static const char *const users[] = { [CONTROLLERS] = "system:kube-controller-manager", [OPERATOR] = "cd:operator",
					     [NODE] = "system:node", [INFORMERS] = "cd:informers" };

	(void)err;
	for (size_t i = 0; i < sizeof users / sizeof *users; i++)
		s->clients[i] = api_client(s->api, users[i]);
	s->informers = informers_new(s->loop, s->clients[INFORMERS]);
	return 0;
}

static void stop_clients(struct server *s)
{
	informers_free(&s->informers);
	for (size_t i = 0; i < sizeof s->clients / sizeof *s->clients; i++)
		client_free(&s->clients[i]);
}

static int start_controllers(struct server *s, struct err *err)
{
	(void)err;
	s->controllers = controllers_start(s->loop, s->clients[CONTROLLERS], s->informers);
	return 0;
}

static void stop_controllers(struct server *s) { controllers_stop(&s->controllers); }

static int start_operator(struct server *s, struct err *err)
{
	char *dir = below(s, "git");
	const struct operator_opts o = { .dir = dir, .client = s->clients[OPERATOR], .informers = s->informers,
					 .poll_ms = s->set.poll_ms, .token = str_sv(&s->pki.token) };

	s->operator = operator_start(s->loop, &o, err);
	free(dir);
	return s->operator ? 0 : -(int)err->code;
}

static void stop_operator(struct server *s) { operator_stop(&s->operator); }

static int start_node(struct server *s, struct err *err)
{
	char *dir = below(s, "node"), *images = below(s, "images");
	const struct agent_opts o = { .node_name = s->set.node_name, .dir = dir, .instance = str_c(&s->instance),
				      .pod_cidr = s->set.pod_cidr, .service_cidr = s->set.service_cidr, .client = s->clients[NODE],
				      .informers = s->informers };
	struct agent_opts with_images = o;

	if (!s->set.no_node && (s->images = images_open(s->loop, images, err))) {
		with_images.images = s->images;
		s->agent = agent_start(s->loop, &with_images, err);
	}
	free(dir);
	free(images);
	if (s->set.no_node)
		return 0;
	if (!s->agent)
		return -(int)err->code;
	api_set_node(s->api, s->set.node_name, agent_nodelink(s->agent));
	return 0;
}

static void stop_node(struct server *s)
{
	if (s->agent)
		api_set_node(s->api, s->set.node_name, NULL);
	agent_stop(&s->agent);
	images_close(&s->images);
}

/* ---- requests ---- */

static const struct route {
	const char *prefix;
	void (*handle)(struct http_request *rq, void *arg);
	size_t arg;                     /* where in struct server */
	bool streams;                   /* reads its body itself */
} routes[] = {
	{ "/git/",       operator_git,     offsetof(struct server, operator), true },
	{ "/api/v1/applications/", operator_api, offsetof(struct server, operator), false },
	{ "/api/webhook", operator_webhook, offsetof(struct server, operator), false },
	{ "/",           api_handle,       offsetof(struct server, api),      false },
};

static const struct route *route_of(struct http_request *rq)
{
	struct sv path = sv_c(http_path(rq));

	for (size_t i = 0;; i++)
		if (sv_starts(path, sv_c(routes[i].prefix)))
			return &routes[i];
}

static void handle(struct http_request *rq, void *arg)
{
	const struct route *r = route_of(rq);

	r->handle(rq, *(void **)((char *)arg + r->arg));
}

static bool streams_body(struct http_request *rq, void *arg)
{
	(void)arg;
	return route_of(rq)->streams;
}

static int listen_on(struct server *s, const char *address, struct tls *tls, struct http_server **out, struct err *err)
{
	const struct http_server_opts o = { .listen = address, .tls = tls, .max_body = (size_t)3 << 20, .handler = handle,
					    .streams_body = streams_body, .arg = s };

	*out = http_server_start(s->loop, &o, err);
	return *out ? 0 : -(int)err->code;
}

static int start_http(struct server *s, struct err *err)
{
	struct sv host, port;

	TRY(listen_on(s, s->set.listen, s->tls, &s->https, err));
	if (s->set.listen_http)
		TRY(listen_on(s, s->set.listen_http, NULL, &s->http, err));
	sv_cut_last(sv_c(s->set.listen), ':', &host, &port);
	if (sv_eq_c(host, "0.0.0.0") || sv_eq_c(host, "[::]"))
		host = SV("127.0.0.1");
	str_addf(&s->url, "https://" SV_FMT ":%d", SV_ARG(host), http_server_port(s->https));
	operator_set_url(s->operator, str_c(&s->url));
	return 0;
}

static void stop_http(struct server *s)
{
	http_server_stop(&s->http);
	http_server_stop(&s->https);
	str_free(&s->url);
}

static void start_pod_listener(struct server *s, const char *gateway)
{
	AUTO(str) at = { 0 };
	AUTO(err) err = { 0 };

	str_addf(&at, "%s:%d", gateway, http_server_port(s->https));
	if (listen_on(s, str_c(&at), s->tls, &s->pods, &err) < 0) {
		log_event(LOG_WARN, "pods cannot reach the API", "err", err_msg(&err), NULL);
		s->pods = NULL;
	}
}

/* Where pods find the API behind the Service "kubernetes". A loopback address is none of theirs: the API listens on their
 * network as well. */
static int start_pod_address(struct server *s, struct err *err)
{
	struct sv host, port;
	struct in_addr a;
	char *address;
	int r = 0;

	sv_cut_last(sv_c(s->set.listen), ':', &host, &port);
	if (sv_starts(host, SV("127.")) || sv_eq_c(host, "localhost") || sv_eq_c(host, "[::1]")) {
		if (!s->agent)
			return 0;
		start_pod_listener(s, agent_gateway(s->agent));
		address = s->pods ? sv_dup(sv_c(agent_gateway(s->agent))) : NULL;
	} else if (sv_eq_c(host, "0.0.0.0") || sv_eq_c(host, "[::]") || !host.n) {
		address = s->agent ? sv_dup(sv_c(agent_host_ip(s->agent))) : NULL;
	} else {
		address = sv_dup(host);
	}
	if (address && inet_pton(AF_INET, address, &a) == 1)
		r = api_set_address(s->api, address, http_server_port(s->https), err);
	free(address);
	return r;
}

static void stop_pod_address(struct server *s) { http_server_stop(&s->pods); }

static int start_kubeconfig(struct server *s, struct err *err)
{
	AUTO(str) text = { 0 };
	char *path = below(s, "admin.kubeconfig");

	pki_kubeconfig(&s->pki, str_c(&s->url), &text);
	int r = file_write(path, str_sv(&text), 0600, err);
	free(path);
	return r;
}

/* Requests are routed to the operator and the API, so the listener starts after them and stops before them. */
static const struct stage {
	const char *name;
	int (*start)(struct server *, struct err *);
	void (*stop)(struct server *);
} stages[] = {
	{ "data directory", start_data_dir, stop_data_dir },
	{ "certificates", start_certificates, stop_certificates },
	{ "store", start_store, stop_store },
	{ "api", start_api, stop_api },
	{ "clients", start_clients, stop_clients },
	{ "controllers", start_controllers, stop_controllers },
	{ "operator", start_operator, stop_operator },
	{ "listener", start_http, stop_http },
	{ "kubeconfig", start_kubeconfig, NULL },
	{ "node", start_node, stop_node },
	{ "pods' way to the API", start_pod_address, stop_pod_address },
};
#define N_STAGES (sizeof stages / sizeof *stages)

/* ---- the process ---- */

static void on_stop_signal(void *arg, int signo)
{
	struct server *s = arg;

	if (++s->signals > 1)           /* asked twice: whoever asks does not want to wait. Nothing acknowledged is lost */
		_exit(128 + signo);
	fiber_wake(s->main);
}

/* systemd's readiness protocol: one datagram to $NOTIFY_SOCKET. */
static void notify_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;

	if (!n || n >= sizeof to.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (*path == '@')
		to.sun_path[0] = '\0';
	AUTO_FD fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_event(LOG_WARN, "could not tell the service manager", "socket", path, "err", strerror(errno), NULL);
}

static int run(void *arg)
{
	struct server *s = arg;
	AUTO(err) err = { 0 };
	int64_t began;
	size_t up = 0;
	int r = 0;

	s->loop = fiber_loop();
	s->main = fiber_self();
	began = loop_now_ms(s->loop);
	loop_on_signal(s->loop, SIGTERM, on_stop_signal, s);
	loop_on_signal(s->loop, SIGINT, on_stop_signal, s);
	while (up < N_STAGES && !s->signals && (r = stages[up].start(s, &err)) >= 0)
		up++;
	if (r < 0)
		fprintf(stderr, "cd serve: %s: %s\n", stages[up].name, err_msg(&err));
	else if (!s->signals) {
		notify_manager("READY=1");
		printf("ready %s data %s in %" PRId64 " ms\n", str_c(&s->url), s->set.data_dir, loop_now_ms(s->loop) - began);
		fflush(stdout);
		while (!s->signals)
			(void)fiber_park();
	}
	notify_manager("STOPPING=1");
	for (size_t i = r < 0 ? up + 1 : up; i-- > 0;)       /* a stage that failed half-way cleans up, too */
		if (stages[i].stop)
			stages[i].stop(s);
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

int cmd_serve(int argc, char **argv)
{
	struct server s = { .lock = -1 };
	int r = serve_settings_read(&s.set, argc, argv);

	if (r < 0) {
		log_set_level((enum log_level)log_level_parse(s.set.log_level));
		lazy_load_all();
		signal(SIGPIPE, SIG_IGN);
		r = fiber_main(run, &s);
	}
	serve_settings_free(&s.set);
	return r;
}
