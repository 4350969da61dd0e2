/* cli/serve-settings.h - what `cd serve` is told by its options. */
#pragma once

#include "base/opt.h"
#include "orchestrator/api/api.h"

struct serve_settings {
	const char *data_dir, *listen, *listen_http, *node_name, *pod_cidr, *service_cidr, *log_level;
	bool no_node;
	int64_t poll_ms;
	/* who may come in */
	const char *issuer, *token_file, *oidc_ca_file;
	struct oidc_opts oidc;
	struct opt_list oidc_required;
	/* what is kept of it */
	const char *encryption, *audit_log, *audit_policy;
	int64_t audit_megabytes, audit_backups;
	/* how much at once */
	int64_t seats, watches, request_timeout_ms;
	char host[256];                 /* what node_name is when nothing is said */
};

/* Defaults, then the options: -1 to go on, or the exit code. Texts belong to argv and to *s: free it in every case. */
MUST_CHECK int serve_settings_read(struct serve_settings *s, int argc, char **argv);
void serve_settings_free(struct serve_settings *s);
