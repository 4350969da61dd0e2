local k8s = require "k8s"

return k8s.service { type = values.service.type, ports = { http = values.service.port } }
