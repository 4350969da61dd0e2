/* The fields of built-in kinds that hold the name of another object. */
#include "render/kustomize/config.h"

enum workload {
	POD = 1, POD_TEMPLATE = 2, DEPLOYMENT = 4, REPLICA_SET = 8, DAEMON_SET = 16, STATEFUL_SET = 32, JOB = 64, CRON_JOB = 128,
	REPLICATION_CONTROLLER = 256,
	CONFIGURED = POD | POD_TEMPLATE | DEPLOYMENT | REPLICA_SET | DAEMON_SET | STATEFUL_SET | JOB | CRON_JOB,
	RUNNING = POD | DEPLOYMENT | DAEMON_SET | STATEFUL_SET | JOB | CRON_JOB | REPLICATION_CONTROLLER,
};

static const struct { unsigned bit; const char *kind, *pod_spec; } workloads[] = {
	{ POD, "Pod", "spec" },
	{ POD_TEMPLATE, "PodTemplate", "template/spec" },
	{ DEPLOYMENT, "Deployment", "spec/template/spec" },
	{ REPLICA_SET, "ReplicaSet", "spec/template/spec" },
	{ DAEMON_SET, "DaemonSet", "spec/template/spec" },
	{ STATEFUL_SET, "StatefulSet", "spec/template/spec" },
	{ JOB, "Job", "spec/template/spec" },
	{ CRON_JOB, "CronJob", "spec/jobTemplate/spec/template/spec" },
	{ REPLICATION_CONTROLLER, "ReplicationController", "spec/template/spec" },
};

/* What pods name, below their spec. pod_version: the version that a bare Pod must have. */
static const struct pod_name { const char *group, *version, *kind; unsigned in; const char *pod_version, *path; } pod_names[] = {
	{ "", "v1", "ConfigMap", CONFIGURED, "v1", "volumes/configMap/name" },
	{ "", "v1", "ConfigMap", CONFIGURED, "v1", "containers/env/valueFrom/configMapKeyRef/name" },
	{ "", "v1", "ConfigMap", CONFIGURED, "v1", "initContainers/env/valueFrom/configMapKeyRef/name" },
	{ "", "v1", "ConfigMap", CONFIGURED, "v1", "containers/envFrom/configMapRef/name" },
	{ "", "v1", "ConfigMap", CONFIGURED, "v1", "initContainers/envFrom/configMapRef/name" },
	{ "", "v1", "ConfigMap", CONFIGURED, "v1", "volumes/projected/sources/configMap/name" },
	{ "", "v1", "Secret", CONFIGURED, "v1", "volumes/secret/secretName" },
	{ "", "v1", "Secret", CONFIGURED, "v1", "containers/env/valueFrom/secretKeyRef/name" },
	{ "", "v1", "Secret", CONFIGURED, "v1", "initContainers/env/valueFrom/secretKeyRef/name" },
	{ "", "v1", "Secret", CONFIGURED, "v1", "containers/envFrom/secretRef/name" },
	{ "", "v1", "Secret", CONFIGURED, "v1", "initContainers/envFrom/secretRef/name" },
	{ "", "v1", "Secret", CONFIGURED, "v1", "imagePullSecrets/name" },
	{ "", "v1", "Secret", CONFIGURED, "v1", "volumes/projected/sources/secret/name" },
	{ "", "v1", "ServiceAccount", RUNNING, "", "serviceAccountName" },
	{ "", "v1", "PersistentVolumeClaim", RUNNING, "", "volumes/persistentVolumeClaim/claimName" },
	{ "scheduling.k8s.io", "v1", "PriorityClass", RUNNING, "", "priorityClassName" },
};

#define RBAC "rbac.authorization.k8s.io"
#define ADMISSION "admissionregistration.k8s.io"

static const struct { const char *group, *version, *kind; struct fieldspec in; } other_names[] = {
	{ "", "", "Deployment", { NULL, "", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false } },
	{ "", "", "ReplicationController", { NULL, "", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false } },
	{ "", "", "ReplicaSet", { NULL, "", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false } },
	{ "", "", "StatefulSet", { NULL, "", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false } },
	{ "", "v1", "ConfigMap", { NULL, "", "", "Node", "spec/configSource/configMap", false } },
	{ "", "v1", "ConfigMap", { NULL, "", "", "Role", "rules/resourceNames", false } },
	{ "", "v1", "ConfigMap", { NULL, "", "", "ClusterRole", "rules/resourceNames", false } },
	{ "", "v1", "ConfigMap",
	  { NULL, "", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap", false } },
	{ "", "v1", "Secret", { NULL, "", "", "Ingress", "spec/tls/secretName", false } },
	{ "", "v1", "Secret", { NULL, "", "", "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret", false } },
	{ "", "v1", "Secret", { NULL, "", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret", false } },
	{ "", "v1", "Secret", { NULL, "", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret", false } },
	{ "", "v1", "Secret", { NULL, "", "", "ServiceAccount", "imagePullSecrets/name", false } },
	{ "", "v1", "Secret", { NULL, "", "", "StorageClass", "parameters/secretName", false } },
	{ "", "v1", "Secret", { NULL, "", "", "StorageClass", "parameters/adminSecretName", false } },
	{ "", "v1", "Secret", { NULL, "", "", "StorageClass", "parameters/userSecretName", false } },
	{ "", "v1", "Secret", { NULL, "", "", "StorageClass", "parameters/secretRef", false } },
	{ "", "v1", "Secret", { NULL, "", "", "Role", "rules/resourceNames", false } },
	{ "", "v1", "Secret", { NULL, "", "", "ClusterRole", "rules/resourceNames", false } },
	{ "", "v1", "Secret",
	  { NULL, "serving.knative.dev", "v1", "Service", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false } },
	{ "", "v1", "Secret", { NULL, "", "", "PersistentVolume", "spec/azureFile/secretName", false } },
	{ "", "v1", "Service", { NULL, "apps", "", "StatefulSet", "spec/serviceName", false } },
	{ "", "v1", "Service", { NULL, "", "", "Ingress", "spec/rules/http/paths/backend/serviceName", false } },
	{ "", "v1", "Service", { NULL, "", "", "Ingress", "spec/backend/serviceName", false } },
	{ "", "v1", "Service", { NULL, "", "", "Ingress", "spec/rules/http/paths/backend/service/name", false } },
	{ "", "v1", "Service", { NULL, "", "", "Ingress", "spec/defaultBackend/service/name", false } },
	{ "", "v1", "Service", { NULL, "apiregistration.k8s.io", "", "APIService", "spec/service/name", false } },
	{ "", "v1", "Service", { NULL, ADMISSION, "", "ValidatingWebhookConfiguration", "webhooks/clientConfig/service", false } },
	{ "", "v1", "Service", { NULL, ADMISSION, "", "MutatingWebhookConfiguration", "webhooks/clientConfig/service", false } },
	{ RBAC, "", "Role", { NULL, RBAC, "", "RoleBinding", "roleRef/name", false } },
	{ RBAC, "", "ClusterRole", { NULL, RBAC, "", "RoleBinding", "roleRef/name", false } },
	{ RBAC, "", "ClusterRole", { NULL, RBAC, "", "ClusterRoleBinding", "roleRef/name", false } },
	{ "", "v1", "ServiceAccount", { NULL, RBAC, "", "RoleBinding", "subjects", false } },
	{ "", "v1", "ServiceAccount", { NULL, RBAC, "", "ClusterRoleBinding", "subjects", false } },
	{ "", "v1", "PersistentVolume", { NULL, "", "", "PersistentVolumeClaim", "spec/volumeName", false } },
	{ "", "v1", "PersistentVolume", { NULL, "", "", "ClusterRole", "rules/resourceNames", false } },
	{ "storage.k8s.io", "v1", "StorageClass", { NULL, "", "", "PersistentVolume", "spec/storageClassName", false } },
	{ "storage.k8s.io", "v1", "StorageClass", { NULL, "", "", "PersistentVolumeClaim", "spec/storageClassName", false } },
	{ "storage.k8s.io", "v1", "StorageClass",
	  { NULL, "", "", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName", false } },
	/* With a slash in its group no kind can match; kustomize's table has it so, and so an IngressClass is never renamed here. */
	{ "networking.k8s.io/v1", "v1", "IngressClass", { NULL, "", "", "Ingress", "spec/ingressClassName", false } },
	{ ADMISSION, "", "ValidatingAdmissionPolicy", { NULL, ADMISSION, "", "ValidatingAdmissionPolicyBinding", "spec/policyName", false } },
};

static int each_workload(config_name_fn *fn, void *arg, const struct pod_name *p)
{
	AUTO(str) path = { 0 };

	for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); i++) {
		struct fieldspec f = { .kind = workloads[i].kind };

		if (!(p->in & workloads[i].bit))
			continue;
		str_cut(&path, 0);
		str_addf(&path, "%s/%s", workloads[i].pod_spec, p->path);
		f.path = str_c(&path);
		f.version = workloads[i].bit == POD ? p->pod_version : "";
		TRY(fn(arg, p->group, p->version, p->kind, &f));
	}
	return 0;
}

int config_each_builtin_name(config_name_fn *fn, void *arg)
{
	for (size_t i = 0; i < sizeof(pod_names) / sizeof(*pod_names); i++)
		TRY(each_workload(fn, arg, &pod_names[i]));
	for (size_t i = 0; i < sizeof(other_names) / sizeof(*other_names); i++)
		TRY(fn(arg, other_names[i].group, other_names[i].version, other_names[i].kind, &other_names[i].in));
	return 0;
}
