local k8s = require "k8s"
local frontend = require "_frontend"

for _, f in ipairs(values.frontends) do
	local name = k8s.name(k8s.fullname(), f.name)

	coroutine.yield(k8s.deployment {
		name = name,
		component = f.name,
		replicas = f.replicas,
		containers = { k8s.container {
			image = values.image,
			env = frontend.env(f),
			ports = frontend.ports(),
		} },
	})
	coroutine.yield(k8s.service { name = name, component = f.name, ports = { http = 80 } })
end
