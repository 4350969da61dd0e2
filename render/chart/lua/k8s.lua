-- k8s: builders for the objects that charts make most. require "k8s" gives this table; docs/guide/charts.md describes it.
-- Every builder takes one table and returns a new object; what it does not know is copied as it is.
local k8s = {}

-- A new table with everything of a, and of b where a has nothing, tables in tables alike.
function k8s.merge(a, b)
	local out = {}
	for k, v in pairs(b or {}) do out[k] = v end
	for k, v in pairs(a or {}) do
		if type(v) == "table" and type(out[k]) == "table" and not islist(v) and not islist(out[k]) then
			out[k] = k8s.merge(v, out[k])
		else
			out[k] = v
		end
	end
	return out
end

-- The first argument that is neither nil nor null.
function k8s.default(...)
	for i = 1, select("#", ...) do
		local v = select(i, ...)
		if v ~= nil and v ~= null then return v end
	end
	return nil
end

-- A name of at most 63 characters that does not end in "-": parts joined by "-", empty ones left out.
function k8s.name(...)
	local parts = {}
	for i = 1, select("#", ...) do
		local part = select(i, ...)
		if part ~= nil and part ~= null and part ~= "" then parts[#parts + 1] = tostring(part) end
	end
	local name = table.concat(parts, "-"):sub(1, 63):gsub("-+$", "")
	return name
end

-- Release and chart in one name, as `helm create` makes it: the release alone when it has the chart's name in it.
function k8s.fullname()
	if values.fullnameOverride and values.fullnameOverride ~= "" then return k8s.name(values.fullnameOverride) end
	local name = k8s.default(values.nameOverride, chart.name)
	if release.name:find(name, 1, true) then return k8s.name(release.name) end
	return k8s.name(release.name, name)
end

-- The labels that select, for a component (may be nil) of this release.
function k8s.selector(component)
	return {
		["app.kubernetes.io/name"] = chart.name,
		["app.kubernetes.io/instance"] = release.name,
		["app.kubernetes.io/component"] = component,
	}
end

-- All labels: the selector's, and version and tool.
function k8s.labels(component)
	local labels = k8s.selector(component)
	labels["app.kubernetes.io/version"] = chart.appVersion and tostring(chart.appVersion) or nil
	labels["app.kubernetes.io/managed-by"] = release.service
	labels["helm.sh/chart"] = (chart.name .. "-" .. chart.version):gsub("%+", "_"):sub(1, 63)
	return labels
end

-- An object of any kind: k8s.object("v1", "ConfigMap", { name = ..., component = ... , data = {...} }).
-- name, namespace, labels and annotations go to metadata, everything else stays where it is.
function k8s.object(api_version, kind, t)
	local out = { apiVersion = api_version, kind = kind, metadata = k8s.merge(t.metadata, {
		name = t.name or k8s.fullname(),
		namespace = t.namespace,
		labels = k8s.merge(t.labels, k8s.labels(t.component)),
		annotations = t.annotations,
	}) }
	local own = { name = true, namespace = true, labels = true, annotations = true, component = true, metadata = true }
	for k, v in pairs(t) do
		if not own[k] then out[k] = v end
	end
	return out
end

-- "registry/repository:tag" of an image table as charts have them, or the text itself.
function k8s.image(image, tag)
	if type(image) == "string" then return image end
	local name = image.repository
	if image.registry and image.registry ~= "" then name = image.registry .. "/" .. name end
	if image.digest and image.digest ~= "" then return name .. "@" .. image.digest end
	return name .. ":" .. tostring(k8s.default(image.tag ~= "" and image.tag or nil, tag, chart.appVersion, "latest"))
end

-- The env list of a table of names and values, sorted by name; a table value is taken as valueFrom.
function k8s.env(t)
	local out = list()
	for name, value in pairs(t) do
		if type(value) == "table" then
			out[#out + 1] = { name = name, valueFrom = value }
		else
			out[#out + 1] = { name = name, value = tostring(value) }
		end
	end
	return out
end

-- A container: image may be a table, env a table of names, ports a table of names and numbers.
function k8s.container(t)
	local out = k8s.merge(t, { name = chart.name })
	out.image = k8s.image(t.image)
	if type(t.image) == "table" and t.imagePullPolicy == nil then out.imagePullPolicy = t.image.pullPolicy end
	if t.env and not islist(t.env) then out.env = k8s.env(t.env) end
	if t.ports and not islist(t.ports) then
		out.ports = list()
		for name, port in pairs(t.ports) do
			out.ports[#out.ports + 1] = { name = name, containerPort = port, protocol = "TCP" }
		end
	end
	return out
end

-- What all kinds with a template of pods take: { component, containers, pod = {more of the pod's spec}, podAnnotations }.
function k8s.podtemplate(t)
	return {
		metadata = { labels = k8s.labels(t.component), annotations = t.podAnnotations },
		spec = k8s.merge(t.pod, { containers = t.containers, volumes = t.volumes, serviceAccountName = t.serviceAccount }),
	}
end

local function workload(api_version, kind, t, spec)
	spec.template = k8s.podtemplate(t)
	return k8s.object(api_version, kind, {
		name = t.name, namespace = t.namespace, labels = t.labels, annotations = t.annotations, component = t.component,
		spec = k8s.merge(t.spec, spec),
	})
end

-- A Deployment of containers: { component, replicas, containers, pod, podAnnotations, volumes, serviceAccount }.
function k8s.deployment(t)
	return workload("apps/v1", "Deployment", t, { replicas = t.replicas, selector = { matchLabels = k8s.selector(t.component) } })
end

-- A StatefulSet: the same, with claims = { k8s.claim { name = "data", size = "1Gi" } }, and service, its own name by default.
function k8s.statefulset(t)
	return workload("apps/v1", "StatefulSet", t, {
		replicas = t.replicas, selector = { matchLabels = k8s.selector(t.component) },
		serviceName = t.service or t.name or k8s.fullname(), volumeClaimTemplates = t.claims,
	})
end

function k8s.daemonset(t)
	return workload("apps/v1", "DaemonSet", t, { selector = { matchLabels = k8s.selector(t.component) } })
end

-- A Job: pods that end; they are not started again by themselves.
function k8s.job(t)
	local pod = k8s.merge(t.pod, { restartPolicy = "Never" })
	return workload("batch/v1", "Job", k8s.merge({ pod = pod }, t), { backoffLimit = t.retries })
end

-- A CronJob: the same with schedule = "0 3 * * *".
function k8s.cronjob(t)
	local job = k8s.job(t)
	return k8s.object("batch/v1", "CronJob", {
		name = t.name, namespace = t.namespace, labels = t.labels, annotations = t.annotations, component = t.component,
		spec = { schedule = t.schedule, concurrencyPolicy = t.concurrency, jobTemplate = { spec = job.spec } },
	})
end

-- A claim of storage, for volumeClaimTemplates or (with k8s.persistentvolumeclaim) by itself: { name, size, class, modes }.
function k8s.claim(t)
	return {
		metadata = { name = t.name },
		spec = {
			accessModes = t.modes or { "ReadWriteOnce" }, storageClassName = t.class,
			resources = { requests = { storage = t.size } },
		},
	}
end

function k8s.persistentvolumeclaim(t)
	return k8s.object("v1", "PersistentVolumeClaim", {
		name = t.name, namespace = t.namespace, labels = t.labels, annotations = t.annotations, component = t.component,
		spec = k8s.merge(t.spec, k8s.claim(t).spec),
	})
end

-- A Service: { component, type, ports = { http = 80 } or a list }; target ports have the names of the ports.
function k8s.service(t)
	local ports = t.ports
	if not islist(ports) then
		ports = list()
		for name, port in pairs(t.ports) do
			ports[#ports + 1] = { name = name, port = port, targetPort = name, protocol = "TCP" }
		end
	end
	return k8s.object("v1", "Service", {
		name = t.name, namespace = t.namespace, labels = t.labels, annotations = t.annotations, component = t.component,
		spec = k8s.merge(t.spec, { type = t.type or "ClusterIP", selector = k8s.selector(t.component), ports = ports }),
	})
end

-- An Ingress: { host, service, port, path = "/", className, tls = name of a Secret }; port a name or a number. For more than
-- one rule, give spec.
function k8s.ingress(t)
	local port = type(t.port) == "number" and { number = t.port } or { name = t.port }
	local rule = { host = t.host, http = { paths = { {
		path = t.path or "/", pathType = "Prefix",
		backend = { service = { name = t.service or k8s.fullname(), port = port } },
	} } } }
	local class, tls = t.className, t.tls
	if class == "" or class == null then class = nil end
	if tls == "" or tls == null then tls = nil end
	return k8s.object("networking.k8s.io/v1", "Ingress", {
		name = t.name, namespace = t.namespace, labels = t.labels, annotations = t.annotations, component = t.component,
		spec = t.spec or { ingressClassName = class, rules = { rule }, tls = tls and { { secretName = tls, hosts = { t.host } } } },
	})
end

function k8s.serviceaccount(t) return k8s.object("v1", "ServiceAccount", t) end

-- A HorizontalPodAutoscaler of a Deployment: { min, max, cpu = 80, target = its name }.
function k8s.autoscaler(t)
	return k8s.object("autoscaling/v2", "HorizontalPodAutoscaler", {
		name = t.name, namespace = t.namespace, labels = t.labels, annotations = t.annotations, component = t.component,
		spec = k8s.merge(t.spec, {
			scaleTargetRef = { apiVersion = "apps/v1", kind = "Deployment", name = t.target or t.name or k8s.fullname() },
			minReplicas = t.min, maxReplicas = t.max,
			metrics = t.cpu and { { type = "Resource", resource = {
				name = "cpu", target = { type = "Utilization", averageUtilization = t.cpu } } } },
		}),
	})
end

-- A PodDisruptionBudget for a component: { minAvailable } or { maxUnavailable }.
function k8s.disruptionbudget(t)
	return k8s.object("policy/v1", "PodDisruptionBudget", {
		name = t.name, namespace = t.namespace, labels = t.labels, annotations = t.annotations, component = t.component,
		spec = { minAvailable = t.minAvailable, maxUnavailable = t.maxUnavailable, selector = { matchLabels = k8s.selector(t.component) } },
	})
end

-- A ConfigMap or Secret of texts.
function k8s.configmap(t) return k8s.object("v1", "ConfigMap", t) end
function k8s.secret(t) return k8s.object("v1", "Secret", t) end

-- Stops the rendering with a message when a value is missing: k8s.required(values.host, "host is required").
function k8s.required(value, message)
	if value == nil or value == null or value == "" then error(message, 2) end
	return value
end

return k8s
