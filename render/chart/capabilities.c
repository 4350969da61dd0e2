#include "render/chart/capabilities.h"

#include "base/semver.h"

#define CLUSTER_VERSION "v1.30.0"       /* what our orchestrator serves */
#define UNKNOWN_VERSION "v1.20.0"       /* what Helm supposes when nobody says */

/* Helm's default set: the groups and versions of client-go's scheme. */
static const char *const builtin[] = {
	"v1", "admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1alpha1", "admissionregistration.k8s.io/v1beta1",
	"internal.apiserver.k8s.io/v1alpha1", "apps/v1", "apps/v1beta1", "apps/v1beta2", "authentication.k8s.io/v1",
	"authentication.k8s.io/v1alpha1", "authentication.k8s.io/v1beta1", "authorization.k8s.io/v1", "authorization.k8s.io/v1beta1",
	"autoscaling/v1", "autoscaling/v2", "autoscaling/v2beta1", "autoscaling/v2beta2", "batch/v1", "batch/v1beta1",
	"certificates.k8s.io/v1", "certificates.k8s.io/v1beta1", "certificates.k8s.io/v1alpha1", "coordination.k8s.io/v1",
	"coordination.k8s.io/v1beta1", "discovery.k8s.io/v1", "discovery.k8s.io/v1beta1", "events.k8s.io/v1", "events.k8s.io/v1beta1",
	"extensions/v1beta1", "flowcontrol.apiserver.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1beta1",
	"flowcontrol.apiserver.k8s.io/v1beta2", "flowcontrol.apiserver.k8s.io/v1beta3", "networking.k8s.io/v1",
	"networking.k8s.io/v1alpha1", "networking.k8s.io/v1beta1", "node.k8s.io/v1", "node.k8s.io/v1alpha1", "node.k8s.io/v1beta1",
	"policy/v1", "policy/v1beta1", "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1beta1",
	"rbac.authorization.k8s.io/v1alpha1", "resource.k8s.io/v1alpha2", "scheduling.k8s.io/v1alpha1", "scheduling.k8s.io/v1beta1",
	"scheduling.k8s.io/v1", "storage.k8s.io/v1beta1", "storage.k8s.io/v1", "storage.k8s.io/v1alpha1",
	"storagemigration.k8s.io/v1alpha1", "apiextensions.k8s.io/v1beta1", "apiextensions.k8s.io/v1",
};
#define N_BUILTIN (sizeof builtin / sizeof *builtin)

/* Kinds that charts ask for by name, as "policy/v1/PodDisruptionBudget". */
static const struct { const char *version, *kinds; } builtin_kinds[] = {
	{ "v1", "Pod Service ConfigMap Secret ServiceAccount Namespace PersistentVolume PersistentVolumeClaim Endpoints Event Node "
		"LimitRange ResourceQuota ReplicationController PodTemplate" },
	{ "apps/v1", "Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision" },
	{ "batch/v1", "Job CronJob" }, { "batch/v1beta1", "CronJob" },
	{ "networking.k8s.io/v1", "Ingress IngressClass NetworkPolicy" }, { "networking.k8s.io/v1beta1", "Ingress IngressClass" },
	{ "extensions/v1beta1", "Ingress Deployment DaemonSet ReplicaSet NetworkPolicy" },
	{ "policy/v1", "PodDisruptionBudget Eviction" }, { "policy/v1beta1", "PodDisruptionBudget Eviction" },
	{ "autoscaling/v1", "HorizontalPodAutoscaler Scale" }, { "autoscaling/v2", "HorizontalPodAutoscaler" },
	{ "autoscaling/v2beta1", "HorizontalPodAutoscaler" }, { "autoscaling/v2beta2", "HorizontalPodAutoscaler" },
	{ "rbac.authorization.k8s.io/v1", "Role RoleBinding ClusterRole ClusterRoleBinding" },
	{ "rbac.authorization.k8s.io/v1beta1", "Role RoleBinding ClusterRole ClusterRoleBinding" },
	{ "storage.k8s.io/v1", "StorageClass VolumeAttachment CSIDriver CSINode CSIStorageCapacity" },
	{ "scheduling.k8s.io/v1", "PriorityClass" }, { "coordination.k8s.io/v1", "Lease" }, { "discovery.k8s.io/v1", "EndpointSlice" },
	{ "apiextensions.k8s.io/v1", "CustomResourceDefinition" }, { "certificates.k8s.io/v1", "CertificateSigningRequest" },
	{ "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration ValidatingWebhookConfiguration "
					     "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding" },
};

void capabilities_kube_version(const struct render_opts *o, struct str *out)
{
	const char *version = o->kube_version && *o->kube_version ? o->kube_version : o->in_cluster ? CLUSTER_VERSION : UNKNOWN_VERSION;

	str_addf(out, "%s%s", *version == 'v' ? "" : "v", version);
}

int capabilities_fit(struct render_opts *o, struct sv range, struct err *err)
{
	AUTO(str) version = { 0 };
	struct semver v;

	capabilities_kube_version(o, &version);
	if (!semver_parse(str_sv(&version), &v))
		return err_set(err, ERR_BAD_REQUEST, "'%s' is not a version of Kubernetes", str_c(&version));
	if (!range.n || semver_match(range, &v, NULL) > 0)
		return 0;
	if (!o->in_cluster && !(o->kube_version && *o->kube_version)) {
		o->kube_version = CLUSTER_VERSION;
		return capabilities_fit(o, range, err);
	}
	return err_set(err, ERR_INVALID, "chart requires kubeVersion: " SV_FMT " which is incompatible with Kubernetes %s", SV_ARG(range),
		       str_c(&version));
}

const char *capabilities_at(const struct render_opts *o, size_t i)
{
	if (i < N_BUILTIN)
		return builtin[i];
	i -= N_BUILTIN;
	for (size_t k = 0; o->api_versions && o->api_versions[k]; k++)
		if (k == i)
			return o->api_versions[k];
	return NULL;
}

static bool has_kind(struct sv version)
{
	struct sv group_version, kind, rest, name;

	if (!sv_cut_last(version, '/', &group_version, &kind))
		return false;
	for (size_t i = 0; i < sizeof builtin_kinds / sizeof *builtin_kinds; i++) {
		if (!sv_eq_c(group_version, builtin_kinds[i].version))
			continue;
		for (rest = sv_c(builtin_kinds[i].kinds); rest.n;) {
			sv_cut(rest, ' ', &name, &rest);
			if (sv_eq(name, kind))
				return true;
		}
	}
	return false;
}

bool capabilities_has(const struct render_opts *o, struct sv version)
{
	const char *known;

	for (size_t i = 0; (known = capabilities_at(o, i)); i++)
		if (sv_eq_c(version, known))
			return true;
	return o->in_cluster && has_kind(version);
}
