/* render/chart/gotmpl/functions-time.c - Sprig's dates and durations (date.go there). There is no clock in a render: `now` is
 * a time that the caller gives, by default the start of 1970, so that the same input gives the same output. */
#include "render/chart/gotmpl/functions.h"

#include "render/chart/gotmpl/gotime.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"


#define SECOND ((int64_t)1000000000)
#define LAYOUT SV("2006-01-02 15:04:05 -0700")
#define ZERO_TIME (-62135596800)        /* the year 1 */

/* ---- times: tables with the seconds, which print as Go prints them ---- */

static int time_format_method(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "Format", 1, 1);
	go_time_format(lua_tointeger(lua, lua_upvalueindex(1)), 0, gotmpl_check_string(lua, 1, "Format"), &out);
	gotmpl_push_str(lua, &out);
	return 1;
}

static int time_unix_method(lua_State *lua)
{
	lua_pushvalue(lua, lua_upvalueindex(1));
	return 1;
}

static int push_time(lua_State *lua, int64_t seconds)
{
	static const luaL_Reg methods[] = { { "Format", time_format_method }, { "Unix", time_unix_method }, { NULL, NULL } };
	struct str text = { 0 };

	go_time_format(seconds, 0, LAYOUT, &text);
	str_addc(&text, " UTC");
	lua_newtable(lua);
	lua_pushinteger(lua, seconds);
	lua_setfield(lua, -2, "seconds");
	lua_newtable(lua);
	gotmpl_push_str(lua, &text);
	lua_setfield(lua, -2, "__text");
	go_time_format(seconds, 0, SV("2006-01-02T15:04:05Z07:00"), &text);
	gotmpl_push_str(lua, &text);
	lua_setfield(lua, -2, "__doc");
	lua_pushliteral(lua, "time.Time");
	lua_setfield(lua, -2, "__type");
	lua_newtable(lua);
	lua_pushinteger(lua, seconds);
	luaL_setfuncs(lua, methods, 1);
	lua_setfield(lua, -2, "__methods");
	lua_setmetatable(lua, -2);
	return 1;
}

/* Seconds of a time, an int or an int64; anything else is `now`, as Sprig has it. */
static int64_t seconds_of(lua_State *lua, int index)
{
	int64_t v = 0;

	if (sandbox_int_at(lua, index, &v))
		return v;
	if (lua_istable(lua, index) && lua_getfield(lua, index, "seconds") == LUA_TNUMBER) {
		v = lua_tointeger(lua, -1);
		lua_pop(lua, 1);
	}
	return v;
}

static int formatted(lua_State *lua, int64_t seconds, struct sv layout)
{
	struct str out = { 0 };

	go_time_format(seconds, 0, layout, &out);
	gotmpl_push_str(lua, &out);
	return 1;
}

static int f_now(lua_State *lua)
{
	gotmpl_count(lua, "now", 0, 0);
	return push_time(lua, 0);
}

static int f_date(lua_State *lua)
{
	gotmpl_count(lua, "date", 2, 2);
	return formatted(lua, seconds_of(lua, 2), gotmpl_check_string(lua, 1, "date"));
}

/* Zones have no data in a render: every one is UTC. */
static int f_date_in_zone(lua_State *lua)
{
	gotmpl_count(lua, "dateInZone", 3, 3);
	return formatted(lua, seconds_of(lua, 2), gotmpl_check_string(lua, 1, "dateInZone"));
}

static int f_html_date(lua_State *lua)
{
	gotmpl_count(lua, "htmlDate", 1, 2);
	return formatted(lua, seconds_of(lua, 1), SV("2006-01-02"));
}

static int to_date(lua_State *lua, const char *name, bool must)
{
	int64_t seconds;

	gotmpl_count(lua, name, 2, 2);
	struct sv layout = gotmpl_check_string(lua, 1, name), text = gotmpl_check_string(lua, 2, name);
	if (go_time_parse(text, layout, &seconds))
		return push_time(lua, seconds);
	if (must)
		return luaL_error(lua, "error calling %s: parsing time \"%s\" as \"%s\"", name, text.p, layout.p);
	return push_time(lua, ZERO_TIME);
}

static int f_to_date(lua_State *lua) { return to_date(lua, "toDate", false); }
static int f_must_to_date(lua_State *lua) { return to_date(lua, "mustToDate", true); }

static int modified(lua_State *lua, const char *name, bool must)
{
	int64_t ns = 0;

	gotmpl_count(lua, name, 2, 2);
	struct sv text = gotmpl_check_string(lua, 1, name);
	if (!go_duration_parse(text, &ns) && must)
		return luaL_error(lua, "error calling %s: time: invalid duration \"%s\"", name, text.p);
	return push_time(lua, seconds_of(lua, 2) + ns / SECOND);
}

static int f_date_modify(lua_State *lua) { return modified(lua, "dateModify", false); }
static int f_must_date_modify(lua_State *lua) { return modified(lua, "mustDateModify", true); }

static int f_unix_epoch(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "unixEpoch", 1, 1);
	str_addf(&out, "%lld", (long long)seconds_of(lua, 1));
	gotmpl_push_str(lua, &out);
	return 1;
}

/* ---- durations ---- */

static int give_duration(lua_State *lua, int64_t ns)
{
	struct str out = { 0 };

	go_duration_text(ns, &out);
	gotmpl_push_str(lua, &out);
	return 1;
}

/* Since a time, rounded to seconds. */
static int f_ago(lua_State *lua)
{
	gotmpl_count(lua, "ago", 1, 1);
	return give_duration(lua, -seconds_of(lua, 1) * SECOND);
}

/* A text of whole seconds or an int64; Go's int, as literals are, is not taken. */
static int f_duration(lua_State *lua)
{
	int64_t seconds = 0;

	gotmpl_count(lua, "duration", 1, 1);
	if (lua_type(lua, 1) == LUA_TUSERDATA)
		(void)sandbox_int_at(lua, 1, &seconds);
	if (lua_type(lua, 1) == LUA_TSTRING)
		(void)sv_to_i64(gotmpl_check_string(lua, 1, "duration"), &seconds);
	return give_duration(lua, seconds * SECOND);
}

static int f_duration_round(lua_State *lua)
{
	static const struct { int64_t seconds; const char *name; } units[] = {
		{ 365 * 86400, "y" }, { 30 * 86400, "mo" }, { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" },
	};
	struct str out = { 0 };
	int64_t ns = 0;

	gotmpl_count(lua, "durationRound", 1, 1);
	if (lua_type(lua, 1) == LUA_TSTRING)
		(void)go_duration_parse(gotmpl_check_string(lua, 1, "durationRound"), &ns);
	else if (!sandbox_int_at(lua, 1, &ns))
		ns = -seconds_of(lua, 1) * SECOND;
	ns = ns < 0 ? -ns : ns;
	for (size_t i = 0; i < sizeof units / sizeof *units && !out.n; i++)
		if (ns > units[i].seconds * SECOND)
			str_addf(&out, "%lld%s", (long long)(ns / (units[i].seconds * SECOND)), units[i].name);
	if (!out.n)
		str_addc(&out, "0s");
	gotmpl_push_str(lua, &out);
	return 1;
}

/* Numbers are seconds; texts are durations, or numbers of seconds; what is neither is 0. */
static int64_t nanoseconds(lua_State *lua, int index, bool *valid)
{
	int64_t ns;
	double seconds = 0;

	*valid = true;
	if (lua_type(lua, index) == LUA_TNUMBER || lua_type(lua, index) == LUA_TUSERDATA) {
		seconds = value_to_double(lua, index);
	} else if (lua_type(lua, index) == LUA_TSTRING) {
		struct sv text = gotmpl_check_string(lua, index, "duration");

		if (go_duration_parse(sv_trim(text), &ns))
			return ns;
		seconds = value_to_double(lua, index);
		*valid = seconds != 0;
	} else {
		*valid = sandbox_is_null(lua, index);
	}
	return (int64_t)(seconds * (double)SECOND);
}

static const struct { const char *name; double ns; bool whole; } measures[] = {
	{ "durationNanoseconds", 1, true }, { "durationMicroseconds", 1e3, true }, { "durationMilliseconds", 1e6, true },
	{ "durationSeconds", 1e9, false }, { "durationMinutes", 60e9, false }, { "durationHours", 3600e9, false },
	{ "durationDays", 86400e9, false }, { "durationWeeks", 7 * 86400e9, false },
};

static int measured(lua_State *lua, size_t i)
{
	bool valid;

	gotmpl_count(lua, measures[i].name, 1, 1);
	int64_t ns = nanoseconds(lua, 1, &valid);
	if (measures[i].whole)
		sandbox_push_int(lua, ns / (int64_t)measures[i].ns, "int64");
	else
		lua_pushnumber(lua, (double)ns / measures[i].ns);
	return 1;
}

static int f_nanoseconds(lua_State *lua) { return measured(lua, 0); }
static int f_microseconds(lua_State *lua) { return measured(lua, 1); }
static int f_milliseconds(lua_State *lua) { return measured(lua, 2); }
static int f_seconds(lua_State *lua) { return measured(lua, 3); }
static int f_minutes(lua_State *lua) { return measured(lua, 4); }
static int f_hours(lua_State *lua) { return measured(lua, 5); }
static int f_days(lua_State *lua) { return measured(lua, 6); }
static int f_weeks(lua_State *lua) { return measured(lua, 7); }

static int to_multiple(lua_State *lua, const char *name, bool round)
{
	bool valid;

	gotmpl_count(lua, name, 2, 2);
	int64_t ns = nanoseconds(lua, 1, &valid), unit = nanoseconds(lua, 2, &valid);
	if (unit > 0) {
		int64_t rest = ns % unit;

		ns -= rest;
		if (round && rest >= unit - rest)
			ns += unit;
		if (round && -rest >= unit + rest && rest < 0)
			ns -= unit;
	}
	return give_duration(lua, ns);
}

static int f_round_to(lua_State *lua) { return to_multiple(lua, "durationRoundTo", true); }
static int f_truncate_to(lua_State *lua) { return to_multiple(lua, "durationTruncateTo", false); }

static int f_must_to_duration(lua_State *lua)
{
	bool valid;

	gotmpl_count(lua, "mustToDuration", 1, 1);
	int64_t ns = nanoseconds(lua, 1, &valid);
	if (!valid)
		return luaL_error(lua, "error calling mustToDuration: not a duration");
	return give_duration(lua, ns);
}

static int f_to_duration(lua_State *lua)
{
	bool valid;

	gotmpl_count(lua, "toDuration", 1, 1);
	return give_duration(lua, nanoseconds(lua, 1, &valid));
}

const luaL_Reg gotmpl_time[] = {
	{ "now", f_now }, { "date", f_date }, { "dateInZone", f_date_in_zone }, { "date_in_zone", f_date_in_zone },
	{ "htmlDate", f_html_date }, { "htmlDateInZone", f_html_date }, { "toDate", f_to_date }, { "mustToDate", f_must_to_date },
	{ "dateModify", f_date_modify }, { "date_modify", f_date_modify }, { "mustDateModify", f_must_date_modify },
	{ "must_date_modify", f_must_date_modify }, { "unixEpoch", f_unix_epoch }, { "ago", f_ago }, { "duration", f_duration },
	{ "durationRound", f_duration_round }, { "durationNanoseconds", f_nanoseconds }, { "durationMicroseconds", f_microseconds },
	{ "durationMilliseconds", f_milliseconds }, { "durationSeconds", f_seconds }, { "durationMinutes", f_minutes },
	{ "durationHours", f_hours }, { "durationDays", f_days }, { "durationWeeks", f_weeks },
	{ "durationRoundTo", f_round_to }, { "durationTruncateTo", f_truncate_to }, { "mustToDuration", f_must_to_duration },
	{ "toDuration", f_to_duration },
	{ NULL, NULL }
};
