#include "orchestrator/api/rbac-internal.h"

#include "base/yaml.h"

/* view, edit and admin take in every ClusterRole with their label, so that custom kinds can add to them. */
static const char defaults[] =
	"kind: ClusterRole\n"
	"metadata: {name: cluster-admin}\n"
	"rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}, {nonResourceURLs: ['*'], verbs: ['*']}]\n"
	"---\n"
	"kind: ClusterRole\n"
	"metadata: {name: admin}\n"
	"aggregationRule: {clusterRoleSelectors: [{matchLabels: {rbac.authorization.k8s.io/aggregate-to-admin: "
	"'true'}}]}\n"
	"---\n"
	"kind: ClusterRole\n"
	"metadata: {name: edit, labels: {rbac.authorization.k8s.io/aggregate-to-admin: 'true'}}\n"
	"aggregationRule: {clusterRoleSelectors: [{matchLabels: {rbac.authorization.k8s.io/aggregate-to-edit: "
	"'true'}}]}\n"
	"---\n"
	"kind: ClusterRole\n"
	"metadata: {name: view, labels: {rbac.authorization.k8s.io/aggregate-to-edit: 'true'}}\n"
	"aggregationRule: {clusterRoleSelectors: [{matchLabels: {rbac.authorization.k8s.io/aggregate-to-view: "
	"'true'}}]}\n"
	"---\n"
	"kind: ClusterRole\n"
	"metadata: {name: 'system:aggregate-to-view', labels: {rbac.authorization.k8s.io/aggregate-to-view: 'true'}}\n"
	"rules:\n"
	"- apiGroups: ['']\n"
	"  resources: [bindings, configmaps, endpoints, events, limitranges, namespaces, namespaces/status, "
	"persistentvolumeclaims,\n"
	"    persistentvolumeclaims/status, pods, pods/log, pods/status, replicationcontrollers, "
	"replicationcontrollers/scale,\n"
	"    replicationcontrollers/status, resourcequotas, resourcequotas/status, serviceaccounts, services, "
	"services/status]\n"
	"  verbs: [get, list, watch]\n"
	"- apiGroups: [apps]\n"
	"  resources: [controllerrevisions, daemonsets, daemonsets/status, deployments, deployments/scale, "
	"deployments/status,\n"
	"    replicasets, replicasets/scale, replicasets/status, statefulsets, statefulsets/scale, "
	"statefulsets/status]\n"
	"  verbs: [get, list, watch]\n"
	"- apiGroups: [autoscaling, batch, policy, networking.k8s.io, gateway.networking.k8s.io, discovery.k8s.io, "
	"argoproj.io,\n"
	"    metrics.k8s.io]\n"
	"  resources: ['*']\n"
	"  verbs: [get, list, watch]\n"
	"---\n"
	"kind: ClusterRole\n"
	"metadata: {name: 'system:aggregate-to-edit', labels: {rbac.authorization.k8s.io/aggregate-to-edit: 'true'}}\n"
	"rules:\n"
	"- apiGroups: ['']\n"
	"  resources: [pods/attach, pods/exec, pods/portforward, pods/proxy, services/proxy, secrets]\n"
	"  verbs: [get, list, watch]\n"
	"- {apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate]}\n"
	"- {apiGroups: [''], resources: [serviceaccounts/token, pods/eviction], verbs: [create]}\n"
	"- apiGroups: ['']\n"
	"  resources: [configmaps, events, persistentvolumeclaims, pods, pods/attach, pods/exec, pods/portforward, "
	"pods/proxy,\n"
	"    replicationcontrollers, replicationcontrollers/scale, secrets, serviceaccounts, services, "
	"services/proxy]\n"
	"  verbs: [create, delete, deletecollection, patch, update]\n"
	"- apiGroups: [apps]\n"
	"  resources: [daemonsets, deployments, deployments/rollback, deployments/scale, replicasets, "
	"replicasets/scale,\n"
	"    statefulsets, statefulsets/scale]\n"
	"  verbs: [create, delete, deletecollection, patch, update]\n"
	"- apiGroups: [autoscaling, batch, policy, networking.k8s.io, gateway.networking.k8s.io, argoproj.io]\n"
	"  resources: ['*']\n"
	"  verbs: [create, delete, deletecollection, patch, update]\n"
	"---\n"
	"kind: ClusterRole\n"
	"metadata: {name: 'system:aggregate-to-admin', labels: {rbac.authorization.k8s.io/aggregate-to-admin: "
	"'true'}}\n"
	"rules:\n"
	"- {apiGroups: [authorization.k8s.io], resources: [localsubjectaccessreviews], verbs: [create]}\n"
	"- apiGroups: [rbac.authorization.k8s.io]\n"
	"  resources: [roles, rolebindings]\n"
	"  verbs: [create, delete, deletecollection, get, list, patch, update, watch]\n"
	"---\n"
	"kind: ClusterRole\n"
	"metadata: {name: 'system:basic-user'}\n"
	"rules:\n"
	"- apiGroups: [authorization.k8s.io]\n"
	"  resources: [selfsubjectaccessreviews, selfsubjectrulesreviews]\n"
	"  verbs: [create]\n"
	"- {apiGroups: [authentication.k8s.io], resources: [selfsubjectreviews], verbs: [create]}\n"
	"---\n"
	"kind: ClusterRoleBinding\n"
	"metadata: {name: 'system:basic-user'}\n"
	"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:basic-user'}\n"
	"subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:authenticated'}]\n"
	"---\n"
	"kind: ClusterRoleBinding\n"
	"metadata: {name: cluster-admin}\n"
	"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
	"subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:masters'}]\n";

int rbac_create_defaults(struct api *a, int (*create)(struct api *, const struct node *, struct err *), struct err *err)
{
	AUTO(docs) all = { 0 };

	TRY(yaml_read_all(sv_c(defaults), "default roles", 0, &all, err));
	for (size_t i = 0; i < all.n; i++) {
		struct doc *d = all.v[i];
		struct node *root = doc_root(d);
		const char *kind = node_str_or(root, "kind", "");
		const struct kind *k = kinds_find(a->kinds, "rbac.authorization.k8s.io/v1", kind);

		if (!k || resource_find(cache_resource(&a->cache, k), "", node_str_or(root, "metadata.name", "")))
			continue;
		node_set(d, root, "apiVersion", node_str(d, "rbac.authorization.k8s.io/v1"));
		meta_set_label(d, root, "kubernetes.io/bootstrapping", "rbac-defaults");
		TRY(create(a, root, err));
	}
	return 0;
}
