local k8s = require "k8s"
local stack = require "_stack"

return values.ingress.enabled and k8s.ingress {
	annotations = next(values.ingress.annotations) and values.ingress.annotations or nil,
	className = values.ingress.className,
	host = values.ingress.host,
	tls = values.ingress.tls,
	service = stack.name "frontend",
	port = "http",
}
