local k8s = require "k8s"

return {
	k8s.configmap { name = k8s.name(k8s.fullname(), "page"), data = { ["index.html"] = values.page .. "\n" } },

	k8s.deployment {
		replicas = values.replicas,
		containers = { k8s.container {
			name = "web",
			image = values.image,
			command = { "/bin/busybox", "httpd", "-f", "-p", tostring(values.port), "-h", "/www" },
			ports = { http = values.port },
			readinessProbe = { httpGet = { path = "/", port = "http" } },
			resources = values.resources,
			volumeMounts = { { name = "page", mountPath = "/www" } },
		} },
		pod = { volumes = { { name = "page", configMap = { name = k8s.name(k8s.fullname(), "page") } } } },
	},

	k8s.service { type = values.service.type, ports = { { name = "http", port = values.service.port, targetPort = "http" } } },
}
