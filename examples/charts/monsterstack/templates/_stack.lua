-- Names of the parts: every release has its own.
local k8s = require "k8s"

local stack = {}

function stack.name(part) return k8s.name(k8s.fullname(), part) end

-- The redis of this release, or one that is there already.
function stack.redis()
	if values.redis.enabled then return k8s.name(release.name, "redis") end
	return k8s.required(values.redisHost ~= "" and values.redisHost or nil, "redisHost is required when redis.enabled is false")
end

return stack
