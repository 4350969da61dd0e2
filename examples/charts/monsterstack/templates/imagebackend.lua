local k8s = require "k8s"
local stack = require "_stack"

local v = values.imagebackend

return k8s.deployment {
	component = "imagebackend",
	name = stack.name "imagebackend",
	replicas = v.replicas,
	containers = { k8s.container { name = "imagebackend", image = v.image, ports = { http = v.port }, resources = v.resources } },
}, k8s.service {
	component = "imagebackend",
	name = stack.name "imagebackend",
	ports = { { name = "http", port = 8080, targetPort = "http" } },
}
