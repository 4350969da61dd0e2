-- render/chart/gotmpl/calls.lua - templates that call templates. This is Lua so that a call is one of Lua's: through C, Lua
-- nests no deeper than 200 calls, and templates that include one another go to 1000.
local start_include, end_include, start_template, start_tpl, end_tpl, truth, count = ...

local function include(...)
	local name, template, dot = start_include(...)
	template(dot)
	return end_include(name)
end

local function tpl(...)
	local scope, template, dot = start_tpl(...)
	template(dot)
	return end_tpl(scope)
end

local function call(name, dot)
	start_template(name)(dot)
end

-- `and` and `or`: arguments after the first are functions, which are called only when needed.
local function decide(name, stop_at)
	return function(...)
		local n = select("#", ...)
		count(name, n)
		local value = ...
		for i = 2, n do
			if truth(value) == stop_at then
				return value
			end
			value = select(i, ...)()
		end
		return value
	end
end

return call, { include = include, tpl = tpl, ["and"] = decide("and", false), ["or"] = decide("or", true) }
