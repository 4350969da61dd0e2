#include "orchestrator/api/metrics-internal.h"
#include "orchestrator/api/flow-internal.h"

#include "base/fs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const double seconds[] = { 0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 0 };

#define REQUEST "verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component"

static const struct metric_family
	requests = { "apiserver_request_total", "Requests that were answered, by what they asked and how it ended.", METRIC_COUNTER,
		     { REQUEST, "code" }, NULL },
	durations = { "apiserver_request_duration_seconds", "How long they took, those that last left out.", METRIC_HISTOGRAM, { REQUEST },
		      seconds },
	inflight = { "apiserver_current_inflight_requests", "Requests that are under way.", METRIC_GAUGE, { "request_kind" }, NULL },
	lasting = { "apiserver_longrunning_requests", "Watches that are open.", METRIC_GAUGE, { "verb", "group", "version", "resource" }, NULL },
	logins = { "authentication_attempts", "How often somebody said who they are.", METRIC_COUNTER, { "result" }, NULL },
	rejected = { "apiserver_flowcontrol_rejected_requests_total", "Requests that were answered with 429.", METRIC_COUNTER, { NULL }, NULL },
	executing = { "apiserver_flowcontrol_current_executing_requests", "Seats that are taken.", METRIC_GAUGE, { NULL }, NULL },
	queued = { "apiserver_flowcontrol_current_inqueue_requests", "Requests that wait for a seat.", METRIC_GAUGE, { NULL }, NULL },
	objects = { "apiserver_storage_objects", "Objects in the store.", METRIC_GAUGE, { "resource" }, NULL },
	bytes = { "apiserver_storage_size_bytes", "Bytes of the newest versions of all objects.", METRIC_GAUGE, { NULL }, NULL },
	build = { "kubernetes_build_info", "What this is.", METRIC_GAUGE, { "major", "minor", "git_version" }, NULL },
	cpu = { "process_cpu_seconds_total", "CPU time of this process.", METRIC_COUNTER, { NULL }, NULL },
	resident = { "process_resident_memory_bytes", "Memory that it has in use.", METRIC_GAUGE, { NULL }, NULL },
	virtual = { "process_virtual_memory_bytes", "Memory that it has reserved.", METRIC_GAUGE, { NULL }, NULL },
	files = { "process_open_fds", "Open file descriptors.", METRIC_GAUGE, { NULL }, NULL },
	files_max = { "process_max_fds", "How many it may open.", METRIC_GAUGE, { NULL }, NULL },
	started = { "process_start_time_seconds", "When it started, since 1970.", METRIC_GAUGE, { NULL }, NULL };

int64_t metrics_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- requests ---- */

/* Whatever else is sent as a method is one name, so that nobody fills the memory with names. */
static const char *verb_of(const struct action *what)
{
	static const char *const names[][2] = {
		{ "get", "GET" }, { "head", "HEAD" }, { "list", "LIST" }, { "watch", "WATCH" }, { "create", "POST" }, { "post", "POST" },
		{ "update", "PUT" }, { "put", "PUT" }, { "patch", "PATCH" }, { "delete", "DELETE" }, { "deletecollection", "DELETECOLLECTION" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(what->verb, names[i][0]))
			return names[i][1];
	return "OTHER";
}

static const char *kind_of(const struct action *what)
{
	static const char *const reads[] = { "get", "head", "list", "watch" };

	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
		if (!strcmp(what->verb, reads[i]))
			return "readOnly";
	return "mutating";
}

void metrics_begin(struct api *a, const struct action *what) { metric_add(&a->metrics, &inflight, METRIC_VALUES(kind_of(what)), 1); }

void metrics_end(struct api *a, const struct action *what) { metric_add(&a->metrics, &inflight, METRIC_VALUES(kind_of(what)), -1); }

void metrics_request(struct api *a, const struct action *what, const struct route *rt, bool known, int status, int64_t took)
{
	bool object = rt->kind;
	char code[16];
	const char *const values[] = { verb_of(what), "", object ? rt->group : "", object ? rt->version : "", what->resource,
				       object && *rt->subresource ? rt->subresource : "", !object ? "" : *what->name ? "resource" :
				       *what->ns ? "namespace" : "cluster", "apiserver", code };

	snprintf(code, sizeof code, "%d", status);
	metric_add(&a->metrics, &logins, METRIC_VALUES(known ? "success" : "failure"), 1);
	if (status == 429)
		metric_add(&a->metrics, &rejected, METRIC_VALUES(NULL), 1);
	metric_add(&a->metrics, &requests, values, 1);
	if (took >= 0)
		metric_add(&a->metrics, &durations, values, (double)took / 1e9);
}

void metrics_watch(struct api *a, const struct kind *k, int more)
{
	a->watches += more;
	metric_add(&a->metrics, &lasting, METRIC_VALUES("WATCH", k->group, k->version, k->plural), more);
}

/* ---- what is looked at when somebody asks ---- */

static void look_at_store(struct api *a)
{
	struct map_slot *s;
	size_t sum = 0;

	map_each(s, &a->cache.resources) {
		struct resource *r = s->value;
		AUTO(str) name = { 0 };

		if (!r->kind)
			continue;
		str_addf(&name, "%s%s%s", r->kind->plural, *r->kind->group ? "." : "", r->kind->group);
		metric_set(&a->metrics, &objects, METRIC_VALUES(str_c(&name)), (double)r->items.n);
		sum += r->bytes;
	}
	metric_set(&a->metrics, &bytes, METRIC_VALUES(NULL), (double)sum);
}

static int count_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 3 ? n - 3 : 0;       /* ".", "..", and the directory itself */
}

/* The fields of /proc/self/stat after the name in brackets: 20 is the start, 21 and 22 are memory. */
static void look_at_memory(struct api *a)
{
	AUTO(str) text = { 0 };
	struct sv rest, word;
	int64_t v[23] = { 0 };
	struct timespec now, up;

	if (file_read("/proc/self/stat", 4096, &text, NULL) < 0 || !sv_cut_last(str_sv(&text), ')', &word, &rest))
		return;
	rest = sv_trim(rest);
	for (size_t i = 0; i < 22 && rest.n; i++) {
		(void)sv_cut(rest, ' ', &word, &rest);
		if (!sv_to_i64(word, &v[i]))
			v[i] = 0;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	metric_set(&a->metrics, &started, METRIC_VALUES(NULL),
		   (double)(now.tv_sec - up.tv_sec) + (double)v[19] / (double)sysconf(_SC_CLK_TCK));
	metric_set(&a->metrics, &virtual, METRIC_VALUES(NULL), (double)v[20]);
	metric_set(&a->metrics, &resident, METRIC_VALUES(NULL), (double)v[21] * (double)sysconf(_SC_PAGESIZE));
}

static void look_at_process(struct api *a)
{
	struct rusage u;
	struct rlimit l;

	if (!getrusage(RUSAGE_SELF, &u))
		metric_set(&a->metrics, &cpu, METRIC_VALUES(NULL), (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
			   (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	if (!getrlimit(RLIMIT_NOFILE, &l))
		metric_set(&a->metrics, &files_max, METRIC_VALUES(NULL), (double)l.rlim_cur);
	metric_set(&a->metrics, &files, METRIC_VALUES(NULL), count_files());
	look_at_memory(a);
}

void serve_metrics(struct api *a, struct http_request *rq)
{
	AUTO(str) out = { 0 }, version = { 0 };

	str_addf(&version, "v1.30.0+cd-%s", a->version);
	metric_set(&a->metrics, &build, METRIC_VALUES("1", "30", str_c(&version)), 1);
	metric_set(&a->metrics, &executing, METRIC_VALUES(NULL), a->flows.taken);
	metric_set(&a->metrics, &queued, METRIC_VALUES(NULL), a->flows.waiting);
	look_at_store(a);
	look_at_process(a);
	metrics_write(&a->metrics, &out);
	reply_bytes(rq, 200, "text/plain; version=0.0.4; charset=utf-8", str_sv(&out));
}
