#include "render/kustomize/scope.h"

#include <string.h>

#define V1 1
#define V1BETA1 2

static const struct { const char *group, *kind; unsigned versions; } cluster[] = {
	{ "", "ComponentStatus", V1 },
	{ "", "Namespace", V1 },
	{ "", "Node", V1 },
	{ "", "NodeProxyOptions", V1 },
	{ "", "PersistentVolume", V1 },
	{ "admissionregistration.k8s.io", "MutatingWebhookConfiguration", V1 | V1BETA1 },
	{ "admissionregistration.k8s.io", "ValidatingAdmissionPolicy", V1 },
	{ "admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", V1 },
	{ "admissionregistration.k8s.io", "ValidatingWebhookConfiguration", V1 | V1BETA1 },
	{ "apiextensions.k8s.io", "CustomResourceDefinition", V1 | V1BETA1 },
	{ "apiregistration.k8s.io", "APIService", V1 | V1BETA1 },
	{ "certificates.k8s.io", "CertificateSigningRequest", V1 | V1BETA1 },
	{ "flowcontrol.apiserver.k8s.io", "FlowSchema", V1BETA1 },
	{ "flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", V1BETA1 },
	{ "networking.k8s.io", "IngressClass", V1 | V1BETA1 },
	{ "node.k8s.io", "RuntimeClass", V1 | V1BETA1 },
	{ "policy", "PodSecurityPolicy", V1BETA1 },
	{ "rbac.authorization.k8s.io", "ClusterRole", V1 | V1BETA1 },
	{ "rbac.authorization.k8s.io", "ClusterRoleBinding", V1 | V1BETA1 },
	{ "scheduling.k8s.io", "PriorityClass", V1 | V1BETA1 },
	{ "storage.k8s.io", "CSIDriver", V1 | V1BETA1 },
	{ "storage.k8s.io", "CSINode", V1 | V1BETA1 },
	{ "storage.k8s.io", "StorageClass", V1 | V1BETA1 },
	{ "storage.k8s.io", "VolumeAttachment", V1 | V1BETA1 },
};

bool scope_is_cluster(const char *group, const char *version, const char *kind)
{
	unsigned v = !strcmp(version, "v1") ? V1 : !strcmp(version, "v1beta1") ? V1BETA1 : 0;

	for (size_t i = 0; v && i < sizeof(cluster) / sizeof(*cluster); i++)
		/* asked for every pair of an object and one that may mean it: most are told apart by a letter */
		if (*cluster[i].kind == *kind && !strcmp(cluster[i].kind, kind) && !strcmp(cluster[i].group, group) &&
		    (cluster[i].versions & v))
			return true;
	return false;
}
