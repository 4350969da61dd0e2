/* render/chart/gotmpl/functions-math.c - Sprig's functions of numbers (numeric.go there). */
#include "render/chart/gotmpl/functions.h"

#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

#include <math.h>
#include <stdlib.h>

static int f_int(lua_State *lua)
{
	gotmpl_count(lua, "int", 1, 1);
	lua_pushinteger(lua, value_to_i64(lua, 1));
	return 1;
}

static int give_int64(lua_State *lua, int64_t v)
{
	sandbox_push_int(lua, v, "int64");
	return 1;
}

static int f_int64(lua_State *lua)
{
	gotmpl_count(lua, "int64", 1, 1);
	return give_int64(lua, value_to_i64(lua, 1));
}

static int f_float64(lua_State *lua)
{
	gotmpl_count(lua, "float64", 1, 1);
	lua_pushnumber(lua, value_to_double(lua, 1));
	return 1;
}

/* strconv.Atoi: decimal digits, else 0. */
static int f_atoi(lua_State *lua)
{
	int64_t v = 0;

	gotmpl_count(lua, "atoi", 1, 1);
	(void)sv_to_i64(gotmpl_check_string(lua, 1, "atoi"), &v);
	lua_pushinteger(lua, v);
	return 1;
}

/* A number or a text read in octal. */
static int f_to_decimal(lua_State *lua)
{
	AUTO(str) text = { 0 };

	gotmpl_count(lua, "toDecimal", 1, 1);
	value_to_text(lua, 1, &text);
	char *end;
	long long v = strtoll(str_c(&text), &end, 8);
	return give_int64(lua, *end || !text.n ? 0 : v);
}

/* ---- whole numbers ---- */

static int64_t add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static int64_t multiply(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }
static int64_t subtract(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int folded(lua_State *lua, const char *name, int least, int most, int64_t (*fn)(int64_t, int64_t))
{
	gotmpl_count(lua, name, least, most);
	int64_t v = lua_gettop(lua) ? value_to_i64(lua, 1) : 0;

	for (int i = 2; i <= lua_gettop(lua); i++)
		v = fn(v, value_to_i64(lua, i));
	return give_int64(lua, v);
}

static int f_add(lua_State *lua) { return folded(lua, "add", 0, -1, add); }
static int f_mul(lua_State *lua) { return folded(lua, "mul", 1, -1, multiply); }
static int f_sub(lua_State *lua) { return folded(lua, "sub", 2, 2, subtract); }
static int f_max(lua_State *lua) { return folded(lua, "max", 1, -1, greater); }
static int f_min(lua_State *lua) { return folded(lua, "min", 1, -1, smaller); }

static int f_add1(lua_State *lua)
{
	gotmpl_count(lua, "add1", 1, 1);
	return give_int64(lua, add(value_to_i64(lua, 1), 1));
}

static int divided(lua_State *lua, const char *name, bool rest)
{
	gotmpl_count(lua, name, 2, 2);
	int64_t a = value_to_i64(lua, 1), b = value_to_i64(lua, 2);

	if (!b)
		return luaL_error(lua, "error calling %s: runtime error: integer divide by zero", name);
	if (b == -1)                            /* C does not define INT64_MIN / -1; Go wraps */
		return give_int64(lua, rest ? 0 : subtract(0, a));
	return give_int64(lua, rest ? a % b : a / b);
}

static int f_div(lua_State *lua) { return divided(lua, "div", false); }
static int f_mod(lua_State *lua) { return divided(lua, "mod", true); }

/* ---- floats ---- */

/* Sprig counts with decimals, so that 0.1 + 0.2 is 0.3: the result is rounded to what 15 digits can hold. */
static double decimal(double v)
{
	char text[40];

	if (!isfinite(v))
		return v;
	snprintf(text, sizeof text, "%.15g", v);
	return strtod(text, NULL);
}

static double addf(double a, double b) { return decimal(a + b); }
static double subf(double a, double b) { return decimal(a - b); }
static double mulf(double a, double b) { return decimal(a * b); }
static double divf(double a, double b) { return a / b; }

static int folded_float(lua_State *lua, const char *name, int least, double (*fn)(double, double))
{
	gotmpl_count(lua, name, least, -1);
	double v = lua_gettop(lua) ? value_to_double(lua, 1) : 0;

	for (int i = 2; i <= lua_gettop(lua); i++)
		v = fn(v, value_to_double(lua, i));
	lua_pushnumber(lua, v);
	return 1;
}

static int f_addf(lua_State *lua) { return folded_float(lua, "addf", 0, addf); }
static int f_subf(lua_State *lua) { return folded_float(lua, "subf", 1, subf); }
static int f_mulf(lua_State *lua) { return folded_float(lua, "mulf", 1, mulf); }
static int f_maxf(lua_State *lua) { return folded_float(lua, "maxf", 1, fmax); }
static int f_minf(lua_State *lua) { return folded_float(lua, "minf", 1, fmin); }

static int f_divf(lua_State *lua)
{
	for (int i = 2; i <= lua_gettop(lua); i++)
		if (value_to_double(lua, i) == 0)
			return luaL_error(lua, "error calling divf: decimal division by 0");
	return folded_float(lua, "divf", 1, divf);
}

static int f_add1f(lua_State *lua)
{
	gotmpl_count(lua, "add1f", 1, 1);
	lua_pushnumber(lua, addf(value_to_double(lua, 1), 1));
	return 1;
}

static int rounded(lua_State *lua, const char *name, double (*fn)(double))
{
	gotmpl_count(lua, name, 1, 1);
	lua_pushnumber(lua, fn(value_to_double(lua, 1)));
	return 1;
}

static int f_floor(lua_State *lua) { return rounded(lua, "floor", floor); }
static int f_ceil(lua_State *lua) { return rounded(lua, "ceil", ceil); }

/* round value places [from]: up from the fraction `from`, .5 when it is not given. */
static int f_round(lua_State *lua)
{
	gotmpl_count(lua, "round", 2, 3);
	double v = value_to_double(lua, 1), from = lua_gettop(lua) > 2 ? value_to_double(lua, 3) : 0.5;
	double power = pow(10, (double)value_check_int(lua, 2, "round")), digit = power * v, whole, fraction = modf(digit, &whole);

	lua_pushnumber(lua, (fraction >= from ? ceil(digit) : floor(digit)) / power);
	return 1;
}

const luaL_Reg gotmpl_math[] = {
	{ "int", f_int }, { "int64", f_int64 }, { "float64", f_float64 }, { "atoi", f_atoi }, { "toDecimal", f_to_decimal },
	{ "add", f_add }, { "add1", f_add1 }, { "sub", f_sub }, { "mul", f_mul }, { "div", f_div }, { "mod", f_mod },
	{ "max", f_max }, { "biggest", f_max }, { "min", f_min },
	{ "addf", f_addf }, { "add1f", f_add1f }, { "subf", f_subf }, { "mulf", f_mulf }, { "divf", f_divf }, { "maxf", f_maxf },
	{ "minf", f_minf }, { "floor", f_floor }, { "ceil", f_ceil }, { "round", f_round },
	{ NULL, NULL }
};
