local k8s = require "k8s"

return values.ingress.enabled and k8s.ingress {
	className = values.ingress.className,
	host = values.ingress.host,
	tls = values.ingress.tls,
	service = k8s.fullname(),
	port = "http",
}
