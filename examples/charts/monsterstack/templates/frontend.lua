local k8s = require "k8s"
local stack = require "_stack"

local v = values.frontend
local secrets = list()
for _, name in ipairs(v.pullSecrets) do secrets[#secrets + 1] = { name = name } end

return k8s.deployment {
	component = "frontend",
	name = stack.name "frontend",
	replicas = v.replicas,
	pod = { imagePullSecrets = #secrets > 0 and secrets or nil },
	containers = {
		k8s.container {
			name = "frontend",
			image = v.image,
			ports = { http = v.port },
			env = {
				CONTEXT = values.context,
				IMAGEBACKEND_DOMAIN = stack.name "imagebackend",
				REDIS_DOMAIN = stack.redis(),
			},
			livenessProbe = { tcpSocket = { port = "http" }, initialDelaySeconds = 5 },
			readinessProbe = { httpGet = { path = "/healthz", port = "http" } },
			resources = v.resources,
		},
	},
}, k8s.service {
	component = "frontend",
	name = stack.name "frontend",
	type = values.service.type,
	ports = { { name = "http", port = values.service.port, targetPort = "http" } },
}
