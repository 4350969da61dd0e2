-- What one frontend is made of; frontends.lua calls it for each one in the values.
local k8s = require "k8s"
local frontend = {}

function frontend.env(f)
	return { GREETING = k8s.required(f.greeting, "frontends: " .. f.name .. " has no greeting"), RELEASE = release.name }
end

function frontend.ports()
	local ports = { http = 8080 }
	if values.metrics.enabled then ports.metrics = values.metrics.port end
	return ports
end

return frontend
