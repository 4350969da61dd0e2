/* The built-in field specifications, in the order in which they apply. */
#include "render/kustomize/config.h"

#define ROW(group, version, kind, path, create) { NULL, group, version, kind, path, create }
#define ALL(rows) { rows, sizeof(rows) / sizeof(*(rows)) }

#define METADATA_LABELS \
	ROW("", "", "", "metadata/labels", true), \
	ROW("", "v1", "ReplicationController", "spec/template/metadata/labels", true), \
	ROW("", "", "Deployment", "spec/template/metadata/labels", true), \
	ROW("", "", "ReplicaSet", "spec/template/metadata/labels", true), \
	ROW("", "", "DaemonSet", "spec/template/metadata/labels", true), \
	ROW("apps", "", "StatefulSet", "spec/template/metadata/labels", true), \
	ROW("batch", "", "Job", "spec/template/metadata/labels", true), \
	ROW("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", true), \
	ROW("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true)
#define CLAIM_LABELS ROW("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true)

#define PREFERRED "/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels"
#define REQUIRED "/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels"
#define PLACEMENT(kind) \
	ROW("apps", "", kind, "spec/template/spec/affinity/podAffinity" PREFERRED, false), \
	ROW("apps", "", kind, "spec/template/spec/affinity/podAffinity" REQUIRED, false), \
	ROW("apps", "", kind, "spec/template/spec/affinity/podAntiAffinity" PREFERRED, false), \
	ROW("apps", "", kind, "spec/template/spec/affinity/podAntiAffinity" REQUIRED, false), \
	ROW("apps", "", kind, "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", false)

/* Where a variable may stand in a pod. */
#define POD_VARS(kind, spec) \
	ROW("", "", kind, spec "/containers/args", false), \
	ROW("", "", kind, spec "/containers/command", false), \
	ROW("", "", kind, spec "/containers/env/value", false), \
	ROW("", "", kind, spec "/containers/volumeMounts/mountPath", false), \
	ROW("", "", kind, spec "/initContainers/args", false), \
	ROW("", "", kind, spec "/initContainers/command", false), \
	ROW("", "", kind, spec "/initContainers/env/value", false), \
	ROW("", "", kind, spec "/initContainers/volumeMounts/mountPath", false)

static const struct fieldspec name[] = { ROW("", "", "", "metadata/name", false) };

static const struct fieldspec namespace[] = {
	ROW("", "", "Namespace", "metadata/name", true),
	ROW("apiregistration.k8s.io", "", "APIService", "spec/service/namespace", true),
	ROW("apiextensions.k8s.io", "", "CustomResourceDefinition", "spec/conversion/webhook/clientConfig/service/namespace", false),
};

static const struct fieldspec common_labels[] = {
	ROW("", "v1", "Service", "spec/selector", true),
	ROW("", "v1", "ReplicationController", "spec/selector", true),
	ROW("", "", "Deployment", "spec/selector/matchLabels", true),
	PLACEMENT("Deployment"),
	ROW("", "", "ReplicaSet", "spec/selector/matchLabels", true),
	ROW("", "", "DaemonSet", "spec/selector/matchLabels", true),
	ROW("apps", "", "StatefulSet", "spec/selector/matchLabels", true),
	PLACEMENT("StatefulSet"),
	ROW("batch", "", "Job", "spec/selector/matchLabels", false),
	ROW("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
	ROW("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels", false),
	ROW("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels", false),
	ROW("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
	ROW("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
	METADATA_LABELS,
	CLAIM_LABELS,
};

static const struct fieldspec template_labels[] = { METADATA_LABELS };
static const struct fieldspec claim_labels[] = { CLAIM_LABELS };

static const struct fieldspec annotations[] = {
	ROW("", "", "", "metadata/annotations", true),
	ROW("", "v1", "ReplicationController", "spec/template/metadata/annotations", true),
	ROW("", "", "Deployment", "spec/template/metadata/annotations", true),
	ROW("", "", "ReplicaSet", "spec/template/metadata/annotations", true),
	ROW("", "", "DaemonSet", "spec/template/metadata/annotations", true),
	ROW("", "", "StatefulSet", "spec/template/metadata/annotations", true),
	ROW("batch", "", "Job", "spec/template/metadata/annotations", true),
	ROW("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations", true),
	ROW("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true),
};

static const struct fieldspec var_reference[] = {
	POD_VARS("CronJob", "spec/jobTemplate/spec/template/spec"),
	ROW("", "", "CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server", false),
	POD_VARS("DaemonSet", "spec/template/spec"),
	ROW("", "", "DaemonSet", "spec/template/spec/volumes/nfs/server", false),
	POD_VARS("Deployment", "spec/template/spec"),
	ROW("", "", "Deployment", "spec/template/spec/volumes/nfs/server", false),
	ROW("", "", "Deployment", "spec/template/metadata/annotations", false),
	ROW("", "", "Ingress", "spec/rules/host", false),
	ROW("", "", "Ingress", "spec/tls/hosts", false),
	ROW("", "", "Ingress", "spec/tls/secretName", false),
	POD_VARS("Job", "spec/template/spec"),
	ROW("", "", "Job", "spec/template/spec/volumes/nfs/server", false),
	POD_VARS("Pod", "spec"),
	ROW("", "", "Pod", "spec/volumes/nfs/server", false),
	POD_VARS("ReplicaSet", "spec/template/spec"),
	ROW("", "", "ReplicaSet", "spec/template/spec/volumes/nfs/server", false),
	ROW("", "", "Service", "spec/ports/port", false),
	ROW("", "", "Service", "spec/ports/targetPort", false),
	POD_VARS("StatefulSet", "spec/template/spec"),
	ROW("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server", false),
	ROW("", "", "PersistentVolume", "spec/nfs/server", false),
	ROW("", "", "", "metadata/labels", false),
	ROW("", "", "", "metadata/annotations", false),
};

static const struct fieldspec images[] = {
	ROW("", "", "", "spec/containers[]/image", true),
	ROW("", "", "", "spec/initContainers[]/image", true),
	ROW("", "", "", "spec/volumes[]/image/reference", true),
	ROW("", "", "", "spec/template/spec/containers[]/image", true),
	ROW("", "", "", "spec/template/spec/initContainers[]/image", true),
	ROW("", "", "", "spec/template/spec/volumes[]/image/reference", true),
};

static const struct fieldspec replicas[] = {
	ROW("", "", "Deployment", "spec/replicas", true),
	ROW("", "", "ReplicationController", "spec/replicas", true),
	ROW("", "", "ReplicaSet", "spec/replicas", true),
	ROW("", "", "StatefulSet", "spec/replicas", true),
};

const struct config config_builtin = {
	.lists = {
		[CONFIG_NAME_PREFIX] = ALL(name),
		[CONFIG_NAME_SUFFIX] = ALL(name),
		[CONFIG_NAMESPACE] = ALL(namespace),
		[CONFIG_COMMON_LABELS] = ALL(common_labels),
		[CONFIG_TEMPLATE_LABELS] = ALL(template_labels),
		[CONFIG_CLAIM_LABELS] = ALL(claim_labels),
		[CONFIG_COMMON_ANNOTATIONS] = ALL(annotations),
		[CONFIG_VAR_REFERENCE] = ALL(var_reference),
		[CONFIG_IMAGES] = ALL(images),
		[CONFIG_REPLICAS] = ALL(replicas),
	},
};
