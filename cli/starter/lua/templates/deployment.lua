local k8s = require "k8s"

return k8s.deployment {
	replicas = values.replicas,
	podAnnotations = values.podAnnotations,
	containers = {
		k8s.container {
			image = values.image,
			env = values.env,
			ports = { http = 80 },
			resources = values.resources,
			readinessProbe = { httpGet = { path = "/", port = "http" } },
		},
	},
}
