#include "check.h"

#include "base/json.h"
#include "render/chart/lua/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

/* Runs code in a sandbox and gives its first result as JSON. */
static int run_limited(const struct sandbox_limits *limits, const char *code, struct str *out, struct err *err)
{
	struct sandbox *s = sandbox_new(limits);
	AUTO_DOC d = doc_new();
	struct node *n;
	int r = sandbox_load(s, sv_c(code), "templates/x.lua", err);

	if (r >= 0)
		r = sandbox_call(s, 0, 1, err);
	if (r >= 0 && (r = sandbox_to_node(sandbox_state(s), -1, d, &n, err)) >= 0)
		json_write(out, n, JSON_SORTED);
	sandbox_free(&s);
	return r;
}

static void expect(const char *code, const char *json)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_ok(run_limited(NULL, code, &out, &err), &err);
	assert_string_equal(str_c(&out), json);
}

static void expect_error(const char *code, enum err_code want, const char *text)
{
	const struct sandbox_limits limits = { .memory = (size_t)16 << 20, .instructions = 5 * 1000 * 1000 };
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	assert_err(run_limited(&limits, code, &out, &err), &err, want, text);
}

static void sandbox_values_keep_their_kind(void **state)
{
	(void)state;
	expect("return { a = 1, b = 1.5, c = 'x', d = true, e = null, f = list(), g = {} , h = { 1, 2 } }",
	       "{\"a\":1,\"b\":1.5,\"c\":\"x\",\"d\":true,\"e\":null,\"f\":[],\"g\":{},\"h\":[1,2]}");
	expect("return 9007199254740993", "9007199254740993");
	expect("return islist(list()) and not islist({}) and islist({ 1 })", "true");
}

static void sandbox_pairs_go_in_sorted_order(void **state)
{
	(void)state;
	expect("local r = '' for k in pairs({ b = 1, a = 2, c = 3, [2] = 1, [1] = 1 }) do r = r .. k end return r", "\"12abc\"");
}

static void sandbox_dangerous_names_are_absent(void **state)
{
	static const char *const names[] = { "io", "os", "debug", "package", "require", "load", "loadstring", "dofile", "loadfile",
					     "collectgarbage", "string.dump", "math.random", "math.randomseed", "print" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO(str) code = { 0 };

		str_addf(&code, "return %s == nil", names[i]);
		expect(str_c(&code), "true");
	}
	expect("return getmetatable('').__index == string", "true");
	expect_error("return ('\\27Lua')()", ERR_INVALID, "templates/x.lua:1");
}

static void sandbox_bytecode_is_refused(void **state)
{
	struct sandbox *s = sandbox_new(NULL);
	AUTO(err) err = { 0 };

	(void)state;
	assert_err(sandbox_load(s, SV("\x1bLuaT"), "x", &err), &err, ERR_INVALID, "binary chunk");
	sandbox_free(&s);
}

static void sandbox_endless_loop_is_stopped(void **state)
{
	(void)state;
	expect_error("while true do end", ERR_INVALID, "stopped after 5 million instructions");
	expect_error("local function f() return f() end f()", ERR_INVALID, "stopped after");
	expect_error("pcall(function() while true do end end) while true do pcall(error) end", ERR_INVALID, "stopped after");
	expect_error("local c = coroutine.wrap(function() while true do end end) c()", ERR_INVALID, "stopped after");
}

static void sandbox_memory_hogs_are_stopped(void **state)
{
	(void)state;
	expect_error("return string.rep('x', 1e9)", ERR_TOO_LARGE, "more than 16 MB");
	expect_error("local t = {} for i = 1, 1e8 do t[i] = { i } end", ERR_TOO_LARGE, "more than 16 MB");
	expect_error("local s = 'x' while true do s = s .. s end", ERR_TOO_LARGE, "more than 16 MB");
}

static void sandbox_backtracking_pattern_is_stopped(void **state)
{
	(void)state;
	expect_error("return string.find(string.rep('ab', 3000), string.rep('.-', 20) .. '[cd]')", ERR_INVALID, "takes too long");
}

static void sandbox_deep_recursion_is_an_error(void **state)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_err(run_limited(NULL, "local function f() return 1 + f() end return f()", &out, &err), &err, ERR_INVALID, "stack overflow");
	expect_error("local t = {} t.t = t return t", ERR_INVALID, "contains itself");
}

static void sandbox_error_names_line_and_calls(void **state)
{
	(void)state;
	expect_error("local function f(x)\n  return x.a.b\nend\n\nlocal y = f({})\nreturn y", ERR_INVALID, "templates/x.lua:2: ");
	expect_error("local function f(x)\n  return x.a.b\nend\n\nlocal y = f({})\nreturn y", ERR_INVALID,
		     "called from templates/x.lua:5");
	expect_error("return {", ERR_INVALID, "templates/x.lua:1");
}

static void sandbox_values_that_no_manifest_holds_are_errors(void **state)
{
	(void)state;
	expect_error("return { a = { b = print or function() end } }", ERR_INVALID, "the value.a.b is a function");
	expect_error("return { a = { [true] = 1 } }", ERR_INVALID, "the value.a has a key that is a boolean");
	expect_error("return 1 / 0", ERR_INVALID, "not a finite number");
}

/* ---- patterns: Lua's own functions are the oracle ---- */

static const char *const pattern_calls[] = {
	"return S.find('hello world', 'o w')",
	"return S.find('hello', 'l+')",
	"return S.find('a.b', '.', 1, true)",
	"return S.find('a.b', '%.')",
	"return S.find('abc', 'b', -1)",
	"return S.find('', '')",
	"return S.find('abc', '', 10)",
	"return S.find('abc', '()b()')",
	"return S.match('key = value', '^(%w+)%s*=%s*(%w+)$')",
	"return S.match('  trim  ', '^%s*(.-)%s*$')",
	"return S.match('2024-01-31', '(%d+)-(%d+)-(%d+)')",
	"return S.match('x', '()')",
	"return S.match('THE (quick) fox', '%((%a+)%)')",
	"return S.match('f(a(b)c)d', '%b()')",
	"return S.match('say \"a\" and \"b\"', '%b\"\"')",
	"return S.match('THE (quick) fox', '%f[%a]%a+%f[%A]')",
	"return S.gsub('THE (quick) fox', '%f[%a]%a+', '<%0>')",
	"return S.gsub('hello', '', '-')",
	"return S.gsub('abc', '%w*', 'x')",
	"return S.gsub('abc abc', 'b', { b = 'X' })",
	"return S.gsub('abc', '(%w)(%w)', '%2%1')",
	"return S.gsub('hello world', '%w+', '%0 %0', 1)",
	"return S.gsub('$name is $age', '%$(%w+)', { name = 'x' })",
	"return S.gsub('abc', '%w', function(c) if c == 'b' then return false end return c:upper() end)",
	"return S.gsub('abc', '^a', 'x')",
	"return S.gsub('aaa', '^a', 'x')",
	"return S.gsub('a,b,,c', ',', ';')",
	"return S.gsub('abc', '.', '%%')",
	"return S.gsub('x^y', '[%^]', 'P')",
	"return S.gsub('a]b', '[]]', '-')",
	"return S.gsub('a-b_c', '[%-_]', '.')",
	"return S.gsub('a1b22', '[^%d]', '')",
	"return S.gsub('a\\0b', '%z', 'N')",
	"return S.gsub('tab\\tnew\\n', '%c', '.')",
	"return S.match('aXb', '[A-Z]')",
	"return S.match('a-z', '[a%-z]+')",
	"return S.match('hello', '(h)(e)(l)%3')",
	"return S.match('abcabc', '(abc)%1')",
	"return S.match('$10', '$10')",
	"return S.match('cost$', 'cost$')",
	"return S.match('a\\nb', 'a.b')",
	"local r = {} for k, v in S.gmatch('a=1, b=2', '(%w+)=(%w+)') do r[#r + 1] = k .. v end return table.concat(r, '|')",
	"local r = {} for w in S.gmatch('one two  three', '%a*') do r[#r + 1] = '<' .. w .. '>' end return table.concat(r)",
	"local r = {} for p in S.gmatch('abc', '()') do r[#r + 1] = p end return table.concat(r, ',')",
	"return pcall(S.find, 'a', '[a')",
	"return pcall(S.find, 'a', '%')",
	"return pcall(S.find, 'a', '(a')",
	"return pcall(S.find, 'b', 'b)')",
	"return pcall(S.gsub, 'a', 'a', '%2')",
};

/* All results of a call as one text. */
static void results(lua_State *lua, const char *code, struct str *out)
{
	int top = lua_gettop(lua);

	if (luaL_loadstring(lua, code) != LUA_OK || lua_pcall(lua, 0, LUA_MULTRET, 0) != LUA_OK) {
		str_addf(out, "error %s", lua_tostring(lua, -1));
	} else {
		bool failed = lua_gettop(lua) > top && lua_isboolean(lua, top + 1) && !lua_toboolean(lua, top + 1);

		for (int i = top + 1; i <= lua_gettop(lua); i++) {      /* of a failed pcall only that it failed counts */
			str_addf(out, "[%s]", failed && i > top + 1 ? "message" : luaL_tolstring(lua, i, NULL));
			if (!failed || i == top + 1)
				lua_pop(lua, 1);
		}
	}
	lua_settop(lua, top);
}

static void pattern_functions_do_what_luas_own_do(void **state)
{
	struct sandbox *s = sandbox_new(NULL);
	lua_State *ours = sandbox_state(s), *theirs = luaL_newstate();

	(void)state;
	luaL_openlibs(theirs);
	lua_getglobal(theirs, "string");
	lua_setglobal(theirs, "S");
	lua_getglobal(ours, "string");
	lua_setglobal(ours, "S");
	for (size_t i = 0; i < sizeof pattern_calls / sizeof *pattern_calls; i++) {
		AUTO(str) got = { 0 };
		AUTO(str) want = { 0 };

		results(ours, pattern_calls[i], &got);
		results(theirs, pattern_calls[i], &want);
		if (!str_eq(str_c(&got), str_c(&want)))
			fail_msg("%s: got %s want %s", pattern_calls[i], str_c(&got), str_c(&want));
	}
	lua_close(theirs);
	sandbox_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sandbox_values_keep_their_kind),
		TEST(sandbox_pairs_go_in_sorted_order),
		TEST(sandbox_dangerous_names_are_absent),
		TEST(sandbox_bytecode_is_refused),
		TEST(sandbox_endless_loop_is_stopped),
		TEST(sandbox_memory_hogs_are_stopped),
		TEST(sandbox_backtracking_pattern_is_stopped),
		TEST(sandbox_deep_recursion_is_an_error),
		TEST(sandbox_error_names_line_and_calls),
		TEST(sandbox_values_that_no_manifest_holds_are_errors),
		TEST(pattern_functions_do_what_luas_own_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
