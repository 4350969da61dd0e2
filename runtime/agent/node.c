/* The Node object: what this machine is and has, and that it lives. */
#include "runtime/agent/agent-internal.h"

#include <arpa/inet.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include "base/fs.h"
#include "base/log.h"
#include "kube/object.h"

#define BEAT_MS     60000
#define RETRY_MS    1000
#define PODS_MAX    110

/* The address that the machine would speak from; no packet is sent. */
char *node_address(const char *fallback)
{
	struct sockaddr_in far = { .sin_family = AF_INET, .sin_port = htons(53) }, own = { 0 };
	char text[INET_ADDRSTRLEN];
	socklen_t n = sizeof own;
	AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "198.51.100.1", &far.sin_addr);
	if (fd < 0 || connect(fd, (void *)&far, sizeof far) < 0 || getsockname(fd, (void *)&own, &n) < 0 ||
	    !inet_ntop(AF_INET, &own.sin_addr, text, sizeof text))
		return sv_dup(sv_c(fallback));
	return sv_dup(sv_c(text));
}

void node_read_machine(struct agent *a)
{
	struct sysinfo s;
	cpu_set_t cpus;

	a->cpu_milli = sched_getaffinity(0, sizeof cpus, &cpus) ? 1000 : CPU_COUNT(&cpus) * 1000;
	if (sysinfo(&s) == 0)
		a->memory_bytes = (int64_t)s.totalram * s.mem_unit;
}

/* ---- the object ---- */

static void read_line(const char *path, struct str *out)
{
	struct sv line, rest;
	AUTO(str) text = { 0 };

	if (file_read(path, 4096, &text, NULL) < 0)
		return;
	(void)sv_cut(str_sv(&text), '\n', &line, &rest);
	str_add(out, line);
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static void read_os(struct str *out)
{
	struct sv line, rest;
	AUTO(str) text = { 0 };

	if (file_read("/etc/os-release", 65536, &text, NULL) < 0)
		return;
	rest = str_sv(&text);
	for (bool more = true; more;) {
		more = sv_cut(rest, '\n', &line, &rest);
		if (sv_starts(line, SV("PRETTY_NAME=\"")) && sv_ends(line, SV("\"")))
			str_add(out, (struct sv){ line.p + 13, line.n - 14 });
	}
}

static const char *architecture(const struct utsname *u)
{
	return str_eq(u->machine, "x86_64") ? "amd64" : str_eq(u->machine, "aarch64") ? "arm64" : u->machine;
}

static struct node *quantities(struct agent *a, struct doc *d)
{
	struct node *n = node_map(d);
	struct statvfs fs;

	node_set(d, n, "cpu", node_strf(d, "%lld", (long long)(a->cpu_milli / 1000)));
	if (statvfs(a->dir, &fs) == 0)
		node_set(d, n, "ephemeral-storage",
			 node_strf(d, "%lluKi", (unsigned long long)fs.f_blocks * fs.f_frsize / 1024));
	node_set(d, n, "memory", node_strf(d, "%lldKi", (long long)(a->memory_bytes / 1024)));
	node_set(d, n, "pods", node_strf(d, "%d", PODS_MAX));
	return n;
}

static void add_address(struct doc *d, struct node *list, const char *type, const char *address)
{
	struct node *n = node_map(d);

	node_set(d, n, "address", node_str(d, address));
	node_set(d, n, "type", node_str(d, type));
	node_add(d, list, n);
}

static void set_info(struct doc *d, struct node *status)
{
	struct node *n = node_map_at(d, status, "nodeInfo");
	AUTO(str) boot = { 0 };
	AUTO(str) machine = { 0 };
	AUTO(str) os = { 0 };
	struct utsname u;

	(void)uname(&u);
	read_line("/proc/sys/kernel/random/boot_id", &boot);
	read_line("/etc/machine-id", &machine);
	read_os(&os);
	node_set(d, n, "architecture", node_str(d, architecture(&u)));
	node_set(d, n, "bootID", node_str(d, str_c(&boot)));
	node_set(d, n, "containerRuntimeVersion", node_str(d, "cd://" CD_VERSION));
	node_set(d, n, "kernelVersion", node_str(d, u.release));
	node_set(d, n, "kubeProxyVersion", node_str(d, "v1.31.0-cd." CD_VERSION));
	node_set(d, n, "kubeletVersion", node_str(d, "v1.31.0-cd." CD_VERSION));
	node_set(d, n, "machineID", node_str(d, str_c(&machine)));
	node_set(d, n, "operatingSystem", node_str(d, "linux"));
	node_set(d, n, "osImage", node_str(d, str_c(&os)));
	node_set(d, n, "systemUUID", node_str(d, str_c(&machine)));
}

static const struct { const char *type, *value, *reason, *message; } conditions[] = {
	{ "MemoryPressure", "False", "KubeletHasSufficientMemory", "the node has sufficient memory available" },
	{ "DiskPressure", "False", "KubeletHasNoDiskPressure", "the node has no disk pressure" },
	{ "PIDPressure", "False", "KubeletHasSufficientPID", "the node has sufficient PID available" },
	{ "Ready", "True", "KubeletReady", "the node agent is posting ready status" },
};

static void set_status(struct agent *a, struct doc *d, struct node *root)
{
	struct node *status = node_map_at(d, root, "status"), *addresses = node_seq(d), *it, *list;
	int64_t now = clock_ms();
	char text[32];

	add_address(d, addresses, "InternalIP", a->host_ip);
	add_address(d, addresses, "Hostname", a->node_name);
	node_set(d, status, "addresses", addresses);
	node_set(d, status, "allocatable", quantities(a, d));
	node_set(d, status, "capacity", quantities(a, d));
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
		condition_set(d, status, conditions[i].type, conditions[i].value, conditions[i].reason,
			      conditions[i].message, now);
	time_format(now, text);
	list = node_get(status, "conditions");
	node_each(it, list)
		node_set(d, it, "lastHeartbeatTime", node_str(d, text));
	set_info(d, status);
}

static int change_status(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)err;
	set_status(arg, d, root);
	return 1;
}

static int create(struct agent *a, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *root = object_start(d, a->node_kind, NULL, a->node_name);
	struct utsname u;

	(void)uname(&u);
	meta_set_label(d, root, "kubernetes.io/hostname", a->node_name);
	meta_set_label(d, root, "kubernetes.io/os", "linux");
	meta_set_label(d, root, "kubernetes.io/arch", architecture(&u));
	return client_create(a->client, a->node_kind, root, NULL, NULL, err);
}

static int report(struct agent *a, struct err *err)
{
	return client_modify(a->client, a->node_kind, NULL, a->node_name, "status", change_status, a, NULL, err);
}

int node_register(struct agent *a, struct err *err)
{
	int r = report(a, err);

	if (r == -ERR_NOT_FOUND && (r = create(a, err)) >= 0)
		r = report(a, err);
	return r < 0 ? err_wrap(err, r, "report the status of node '%s'", a->node_name) : 0;
}

void node_run(void *arg)
{
	struct agent *a = arg;
	int64_t wait = BEAT_MS;

	while (fiber_sleep(wait) == 0) {
		AUTO(err) err = { 0 };
		int r = node_register(a, &err);         /* registers again when somebody deleted it */

		wait = r < 0 ? RETRY_MS : BEAT_MS;
		if (r < 0 && r != -ERR_CANCELED)
			log_event(LOG_WARN, "node status not written", "error", err_msg(&err), NULL);
	}
}
