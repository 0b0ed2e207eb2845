/* Scripts that mean harm, and scripts that would differ from one start to the next. */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "tests/check.h"
#include "tests/unit/fake_host.h"
#include <sys/resource.h>
#include <unistd.h>

/* Small limits keep the test short; the default ones are tried once below. So few trials that a
 * slow machine meets their limit before the one on time. */
static const bl_planner_limits small = {
    .memory_bytes = 16 << 20, .instructions = 20000000, .cpu_seconds = 0.2, .max_trials = 100};

static bl_status plan(const char *script, const bl_planner_limits *limits, fake_host *f,
                      bl_err *err) {
    bl_config config;
    fake_config(&config, NULL, 0);
    *err = (bl_err){0};
    return fake_plan(script, &config, f, limits, err);
}

static void stopped(const char *body, const char *message, const bl_planner_limits *limits,
                    double seconds) {
    fake_host f = {.s_min = 100, .lr_opt = 1, .target = 0.2, .diverge_above = 100};
    bl_err err;
    char script[1024];
    (void)snprintf(script, sizeof script, "return function(exp)\n%s\nend\n", body);
    const double start = bl_clock_cpu_seconds();
    const bl_status status = plan(script, limits, &f, &err);
    const double took = bl_clock_cpu_seconds() - start;
    if (status == BL_OK) fail_msg("went through: %s", body);
    if (strstr(err.text, message) == NULL)
        fail_msg("%s:\n%s\nexpected: %s", body, err.text, message);
    if (strstr(err.text, "s.lua:") == NULL) fail_msg("no line: %s", err.text);
    if (took > seconds) fail_msg("%s: took %.2f s", body, took);
    bl_buf_free(&f.text);
}

static void bombs(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"local s = ('x'):rep(1e9)",                                                              "MiB of memory"                    },
        {"local s = ('x'):rep(1 << 62)",                                                          "resulting string too large"       },
        {"local s = (''):rep(1 << 62)",                                                           "s of processor time"              },
        {"pcall(string.rep, '', 1 << 62)",                                                        "s of processor time"              },
        {"local s = 'x' while true do s = s .. s end",                                            "MiB of memory"                    },
        {"local t = {} for i = 1, 1e18 do t[i] = i end",                                          "MiB of memory"                    },
        {"local t = {} for i = 1, 1e18 do t[i] = {} end",                                         "MiB of memory"                    },
        {"local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(1e5) .. #t end) end",
         "takes more than"                                                                                                           },
        {"local s = table.concat(setmetatable({}, {__len = function() return 1 << 62 end}))",
         "invalid value"                                                                                                             },
        {"local t = setmetatable({}, {__len = function() return 1 << 62 end, "
         "__index = function() return '' end}) table.concat(t)",                         "takes more than"                  },
        {"table.insert(setmetatable({}, {__len = function() return 1 << 61 end}), 1, 1)",
         "s of processor time"                                                                                                       },
        {"table.move({}, 1, 1 << 61, 2, {})",                                                     "s of processor time"              },
        {"table.unpack({}, 1, 1e7)",                                                              "too many results"                 },
        {"local p = ('a?'):rep(40) .. ('a'):rep(40) string.find(('a'):rep(40), p .. 'b')",
         "s of processor time"                                                                                                       },
        {"pcall(string.find, ('a'):rep(300000), ('.-'):rep(6) .. 'b')",                           "s of processor time"              },
        {"while true do end",                                                                     "takes more than"                  },
        {"while true do pcall(function() while true do end end) end",                             "takes more than"                  },
        {"xpcall(function() while true do end end, function() while true do end end)",
         "takes more than"                                                                                                           },
        {"local function f() return pcall(f) end while true do f() end",                          "takes more than"                  },
        {"local function f() f() end f()",                                                        "MiB of memory"                    },
        {"local function f() return 1 + f() end f()",                                             "MiB of memory"                    },
        {"local t = setmetatable({}, {}) getmetatable(t).__index = t local x = t.a",              "loop"                             },
        {"local t = {} for i = 1, 200 do t = setmetatable({}, {__index = t}) end "
         "for i = 1, 1e9 do local x = t.y end",                                          "takes more than"                  },
        {"string.gsub(('x'):rep(1e6), '', ('y'):rep(1000))",                                      "MiB of memory"                    },
        {"local s = string.format('%99999d', 1)",                                                 "invalid conversion"               },
        {"setmetatable({}, {__gc = function() while true do end end})",
         "'__gc' is not for scripts"                                                                                                 },
        {"setmetatable({}, {__mode = 'k'})",                                                      "'__mode' is not for scripts"      },
        {"table.sort({3, 2, 1}, function() while true do end end)",                               "takes more than"                  },
        {"local t = {} for i = 1, 100 do t[i] = { seed = i } end exp:run(t) for i = 1, 1e9 do "
         "pcall(exp.run, exp, t) end",                                                   "takes more than"                  },
        {"for i = 1, 1e9 do exp:run{ {} } end",                                                   "more trials than a sweep may have"},
        {"local t = {} for i = 1, 1e9 do t[i] = false end exp:run(t)",                            "MiB of memory"                    },
        {"local t = {} for i = 1, 101 do t[i] = {} end exp:run(t)",                               "more trials than"                 },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) stopped(cases[i][0], cases[i][1], &small, 1.0);
}

static long peak_kib(void) {
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void default_limits_hold(void **state) {
    (void)state;
    const long before = peak_kib();
    stopped("pcall(string.rep, '', 1 << 62)", "s.lua:2: the script takes more than 1.5 s", NULL, 2);
    stopped("local s = 'x' while true do s = s .. s end", "takes more than 64 MiB", NULL, 2);
    stopped("local t = {} for i = 1, 1e9 do t[i] = {} end exp:run(t)", "takes more than", NULL, 2);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(peak_kib() - before < 80 * 1024);
#else
    (void)before;
#endif
}

/* The clock of the script stands still while the host works. */
static void host_time_is_free(void **state) {
    (void)state;
    fake_host f = {.s_min = 100, .lr_opt = 1, .target = 0.2, .diverge_above = 100, .busy = 0.15};
    bl_err err;
    if (plan("return function(exp) for i = 1, 4 do exp:run{ {} } end end", &small, &f, &err))
        fail_msg("%s", err.text);
    bl_buf_free(&f.text);
}

static void runs(const char *script, bl_buf *text) {
    fake_host f = {.s_min = 100, .lr_opt = 1, .target = 0.2, .diverge_above = 100};
    bl_err err;
    if (plan(script, NULL, &f, &err) != BL_OK) fail_msg("%s", err.text);
    if (text != NULL) bl_buf_str(text, bl_buf_text(&f.text));
    bl_buf_free(&f.text);
}

static void nothing_is_in_reach(void **state) {
    (void)state;
    runs(
        "for _, name in ipairs { 'os', 'io', 'debug', 'package', 'coroutine', 'load', 'loadfile',\n"
        "  'loadstring', 'dofile', 'print', 'collectgarbage', 'warn', 'utf8' } do\n"
        "  assert(_G[name] == nil, name)\n"
        "end\n"
        "assert(string.dump == nil and math.randomseed == nil and ('').dump == nil)\n"
        "return function(exp)\n"
        "  assert(getmetatable(exp) == 'locked' and getmetatable(exp.config) == 'locked')\n"
        "  assert(not pcall(setmetatable, exp, {}))\n"
        "  assert(not pcall(require, 'os') and not pcall(require, '/etc/passwd'))\n"
        "end\n",
        NULL);
}

static void text_chunks_only(void **state) {
    (void)state;
    fake_host f = {0};
    bl_err err;
    assert_int_equal(plan("\x1bLua", NULL, &f, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "attempt to load a binary chunk"));
}

/* Lua seeds its hashes by clock and addresses: what is written must not show it. */
static void equal_at_every_start(void **state) {
    (void)state;
    static const char script[] =
        "return function(exp)\n"
        "  local t = { [3] = 1, [1] = 1, [2.5] = 1, [-1] = 1 }\n"
        "  for i = 1, 300 do t['k' .. i * 7919 % 1000] = i end\n"
        "  local keys = {}\n"
        "  for k in pairs(t) do keys[#keys + 1] = tostring(k) end\n"
        "  local other, k = {}, nil\n"
        "  repeat k = next(t, k) other[#other + 1] = k ~= nil and tostring(k) or nil until k == "
        "nil\n"
        "  assert(table.concat(keys, ' ') == table.concat(other, ' '))\n"
        "  assert(keys[1] == '-1' and keys[3] == '2.5' and keys[5] < keys[6])\n"
        "  local draws = {}\n"
        "  for i = 1, 20 do draws[i] = math.random(100) end\n"
        "  assert(draws[1] ~= draws[2] or draws[2] ~= draws[3])\n"
        "  draws[21], draws[22], draws[23] = math.random(), math.random(-5, 5), "
        "math.random(0x7fffffffffffffff)\n"
        "  local pairs_ = {}\n"
        "  for i = 1, 500 do pairs_[i] = { i % 7, i } end\n"
        "  table.sort(pairs_, function(a, b) return a[1] < b[1] end)\n"
        "  for i = 2, 500 do\n"
        "    local a, b = pairs_[i - 1], pairs_[i]\n"
        "    assert(a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]))\n"
        "  end\n"
        "  local names = tostring({}) .. tostring(print or pairs) .. tostring(exp)\n"
        "  assert(string.format('%s %d', {}, 5) == 'table 5')\n"
        "  assert(not pcall(string.format, '%p', {}) and not pcall(string.format, '%-5p', 'x'))\n"
        "  assert(tostring(setmetatable({}, { __tostring = function() return 'me' end })) == "
        "'me')\n"
        "  exp:decide { kind = 'x', text = names .. table.concat(keys, ' '), draws = draws }\n"
        "end\n";
    bl_buf one = {0}, two = {0};
    runs(script, &one);
    char *gap = bl_xalloc(12345); /* other addresses */
    runs(script, &two);
    assert_string_equal(bl_buf_text(&one), bl_buf_text(&two));
    assert_null(strstr(bl_buf_text(&one), "0x"));
    free(gap);
    bl_buf_free(&one);
    bl_buf_free(&two);
}

static void pairs_lets_fields_go(void **state) {
    (void)state;
    runs("return function(exp)\n"
         "  local t, n = { a = 1, b = 2, c = 3 }, 0\n"
         "  for k in pairs(t) do t.b = nil n = n + 1 end\n"
         "  assert(n == 2 and next({}) == nil and not pcall(next, {}, 'x'))\n"
         "  assert(not pcall(pairs, { [true] = 1 }) and not pcall(pairs))\n"
         "end\n",
         NULL);
}

static void random_follows_the_seed(void **state) {
    (void)state;
    static const char script[] = "return function(exp) exp:note(table.concat({ math.random(1000), "
                                 "math.random(1000) }, ' ')) "
                                 "end";
    bl_config config;
    bl_err err;
    fake_host one = {0}, two = {0};
    fake_config(&config, NULL, 0);
    assert_int_equal(fake_plan(script, &config, &one, NULL, &err), BL_OK);
    config.train.seed = 2;
    assert_int_equal(fake_plan(script, &config, &two, NULL, &err), BL_OK);
    assert_string_not_equal(bl_buf_text(&one.text), bl_buf_text(&two.text));
    bl_buf_free(&one.text);
    bl_buf_free(&two.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_limits_hold),  cmocka_unit_test(bombs),
        cmocka_unit_test(host_time_is_free),    cmocka_unit_test(nothing_is_in_reach),
        cmocka_unit_test(text_chunks_only),     cmocka_unit_test(equal_at_every_start),
        cmocka_unit_test(pairs_lets_fields_go), cmocka_unit_test(random_follows_the_seed),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
