/* Scripts that mean harm, and scripts that would differ from one start to the next. */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tests/unit/fake_host.h"
#include <sys/resource.h>
#include <unistd.h>

/* Small limits keep the test short; the default ones are tried once below. So few trials that a
 * slow machine meets their limit before the one on time. */
static const bl_planner_limits small = {.memory_bytes = 16 << 20,
                                        .instructions = 20000000,
                                        .cpu_seconds = 0.2,
                                        .max_trials = 100,
                                        .max_decisions = 1000,
                                        .one_decision_bytes = 4096,
                                        .decision_bytes = 1 << 20,
                                        .trial_bytes = 1 << 20};

static bl_status plan(const char *script, const bl_planner_limits *limits, fake_host *f,
                      bl_err *err) {
    bl_config config;
    fake_config(&config, NULL, 0);
    *err = (bl_err){0};
    return fake_plan(script, &config, f, limits, err);
}

/* Processor time of this process and of the scripts' that ended. */
static double spent(void) {
    double sum = 0;
    static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (size_t i = 0; i < BL_COUNT(whose); i++) {
        struct rusage u;
        assert_int_equal(getrusage(whose[i], &u), 0);
        sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
               1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    }
    return sum;
}

static void stopped(const char *body, const char *message, const bl_planner_limits *limits,
                    double seconds) {
    fake_host f = {.s_min = 100, .lr_opt = 1, .target = 0.2, .diverge_above = 100};
    bl_err err;
    char script[1024];
    (void)snprintf(script, sizeof script, "return function(exp)\n%s\nend\n", body);
    const double start = spent();
    const bl_status status = plan(script, limits, &f, &err);
    const double took = spent() - start;
    if (status == BL_OK) fail_msg("went through: %s", body);
    if (strstr(err.text, message) == NULL)
        fail_msg("%s:\n%s\nexpected: %s", body, err.text, message);
    if (strstr(err.text, "s.lua:") == NULL) fail_msg("no line: %s", err.text);
    if (took > seconds) fail_msg("%s: took %.2f s", body, took);
    bl_buf_free(&f.text);
}

/* A sanitizer makes scripts slow: those that are to run out of memory have the time to get there.
 */
#ifdef __SANITIZE_ADDRESS__
enum { PATIENCE = 20 };
#else
enum { PATIENCE = 1 };
#endif

static void bombs(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"local s = ('x'):rep(1e9)",                                                              "MiB of memory"                              },
        {"local s = ('x'):rep(1 << 62)",                                                          "resulting string too large"                 },
        {"local s = (''):rep(1 << 62)",                                                           "s of processor time"                        },
        {"pcall(string.rep, '', 1 << 62)",                                                        "s of processor time"                        },
        {"local s = 'x' while true do s = s .. s end",                                            "MiB of memory"                              },
        {"local t = {} for i = 1, 1e18 do t[i] = i end",                                          "MiB of memory"                              },
        {"local t = {} for i = 1, 1e18 do t[i] = {} end",                                         "MiB of memory"                              },
        {"local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(1e5) .. #t end) end",
         "takes more than"                                                                                                                     },
        {"local s = table.concat(setmetatable({}, {__len = function() return 1 << 62 end}))",
         "invalid value"                                                                                                                       },
        {"local t = setmetatable({}, {__len = function() return 1 << 62 end, "
         "__index = function() return '' end}) table.concat(t)",                         "takes more than"                            },
        {"table.insert(setmetatable({}, {__len = function() return 1 << 61 end}), 1, 1)",
         "s of processor time"                                                                                                                 },
        {"table.move({}, 1, 1 << 61, 2, {})",                                                     "s of processor time"                        },
        {"table.unpack({}, 1, 1e7)",                                                              "too many results"                           },
        {"local p = ('a?'):rep(40) .. ('a'):rep(40) string.find(('a'):rep(40), p .. 'b')",
         "s of processor time"                                                                                                                 },
        {"pcall(string.find, ('a'):rep(300000), ('.-'):rep(6) .. 'b')",                           "s of processor time"                        },
        {"while true do end",                                                                     "takes more than"                            },
        {"while true do pcall(function() while true do end end) end",                             "takes more than"                            },
        {"xpcall(function() while true do end end, function() while true do end end)",
         "takes more than"                                                                                                                     },
        {"local function f() return pcall(f) end while true do f() end",                          "takes more than"                            },
        {"local function f() f() end f()",                                                        "MiB of memory"                              },
        {"local function f() return 1 + f() end f()",                                             "MiB of memory"                              },
        {"local t = setmetatable({}, {}) getmetatable(t).__index = t local x = t.a",              "loop"                                       },
        {"local t = {} for i = 1, 200 do t = setmetatable({}, {__index = t}) end "
         "for i = 1, 1e9 do local x = t.y end",                                          "takes more than"                            },
        {"string.gsub(('x'):rep(1e6), '', ('y'):rep(1000))",                                      "MiB of memory"                              },
        {"local s = string.format('%99999d', 1)",                                                 "invalid conversion"                         },
        {"setmetatable({}, {__gc = function() while true do end end})",
         "'__gc' is not for scripts"                                                                                                           },
        {"setmetatable({}, {__mode = 'k'})",                                                      "'__mode' is not for scripts"                },
        {"table.sort({3, 2, 1}, function() while true do end end)",                               "takes more than"                            },
        {"local t = {} for i = 1, 100 do t[i] = { seed = i } end exp:run(t) for i = 1, 1e9 do "
         "pcall(exp.run, exp, t) end",                                                   "takes more than"                            },
        {"for i = 1, 1e9 do exp:run{ {} } end",                                                   "more trials than a sweep may have"          },
        {"local t = {} for i = 1, 1e9 do t[i] = false end exp:run(t)",                            "MiB of memory"                              },
        {"local t = {} for i = 1, 101 do t[i] = {} end exp:run(t)",                               "more trials than"                           },
        {"for i = 1, 1e9 do exp:note('x') end",                                                   "more decisions than a sweep may have"       },
        {"exp:note(('x'):rep(1e6))",                                                              "a decision is larger than 4096 bytes"       },
        {"exp:decide{ kind = 'x', text = 'x', [('k'):rep(1e6)] = 1 }",
         "a decision is larger than 4096 bytes"                                                                                                },
        {"local t = {} for i = 1, 9000 do t[i] = 1 end exp:decide{ kind = 'custom', text = 'x', "
         "data = t }",                                                                   "a decision is larger than 4096 bytes"       },
        {"for i = 1, 1e9 do exp:note(('x'):rep(4000)) end",
         "the decisions of the plan take more bytes than a sweep's may"                                                                        },
        {"for i = 1, 1e9 do pcall(exp.note, exp, ('x'):rep(4000)) end",                           "takes more than"                            },
        {"setmetatable({}, { __close = function() end })",                                        "'__close' is not for scripts"               },
        {"local m = {} setmetatable({}, m) m.__mode = 'k' exp:note('x')",
         "'__mode' is not for scripts"                                                                                                         },
        {"local m = {} setmetatable({}, m) rawset(m, '__mode', 'v') exp:note('x')",
         "'__mode' is not for scripts"                                                                                                         },
        {"local m = {} setmetatable({}, m) m.__mode = 'k'\nfor i = 1, 1e9 do local s = "
         "('x'):rep(1000) .. i end",                                                     "'__mode' is not for scripts"                },
        {"print('hello')",                                                                        "a sweep script cannot print: exp:note(text)"},
    };
    bl_planner_limits patient = small;
    patient.cpu_seconds *= PATIENCE;
    for (size_t i = 0; i < BL_COUNT(cases); i++)
        if (strcmp(cases[i][1], "MiB of memory") == 0)
            stopped(cases[i][0], cases[i][1], &patient, 1.0 * PATIENCE);
        else
            stopped(cases[i][0], cases[i][1], &small, 1.0);
}

static void default_limits_hold(void **state) {
    (void)state;
    struct rusage self, scripts;
    assert_int_equal(getrusage(RUSAGE_SELF, &self), 0);
    stopped("pcall(string.rep, '', 1 << 62)", "s.lua:2: the script takes more than 1.5 s", NULL, 2);
    stopped("local s = 'x' while true do s = s .. s end", "takes more than 64 MiB", NULL, 2);
    stopped("local t = {} for i = 1, 1e9 do t[i] = {} end exp:run(t)", "takes more than", NULL, 2);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &scripts), 0);
    assert_true(scripts.ru_maxrss - self.ru_maxrss < 64 * 1024);
#else
    (void)scripts;
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
        "  'loadstring', 'dofile', 'collectgarbage', 'warn', 'utf8' } do\n"
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
        "  local names = tostring({}) .. tostring(pairs) .. tostring(exp)\n"
        "  assert(string.format('%s %d', {}, 5) == 'table 5')\n"
        "  assert(not pcall(string.format, '%p', {}) and not pcall(string.format, '%-5p', 'x'))\n"
        "  assert(tostring(setmetatable({}, { __tostring = function() return 'me' end })) == "
        "'me')\n"
        "  exp:decide { kind = 'custom', text = names .. table.concat(keys, ' '), data = draws }\n"
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

/* 60 MB go through 16 MiB, and what is held stays. */
static void garbage_is_collected(void **state) {
    (void)state;
    fake_host f = {0};
    bl_err err;
    bl_planner_limits patient = small; /* a sanitizer takes its time */
    patient.cpu_seconds = 10;
    if (plan("return function(exp)\n"
             "  local kept = {}\n"
             "  for i = 1, 30000 do\n"
             "    local s = ('x'):rep(1000) .. i\n"
             "    if i % 1000 == 0 then kept[#kept + 1] = s end\n"
             "  end\n"
             "  assert(#kept == 30 and kept[1] == ('x'):rep(1000) .. 1000)\n"
             "end\n",
             &patient, &f, &err) != BL_OK)
        fail_msg("%s", err.text);
    bl_buf_free(&f.text);
}

static void a_byte_order_mark_is_skipped(void **state) {
    (void)state;
    runs("\xEF\xBB\xBFreturn function(exp) exp:note('read') end", NULL);
}

/* Not as one that is being loaded. */
static void a_module_that_fails_fails_again(void **state) {
    (void)state;
    runs("return function(exp)\n"
         "  for _ = 1, 2 do\n"
         "    local found, why = pcall(require, 'nothing')\n"
         "    assert(not found and why:find(\"no module 'nothing'\", 1, true), why)\n"
         "  end\n"
         "end\n",
         NULL);
}

/* A module that fails gives its own error each time, not that it is being loaded. One that requires
 * itself is told so. */
static void a_broken_module_says_why_again(void **state) {
    (void)state;
    static const char *const files[][2] = {
        {"broken.lua",  "error('no such rate')\n"  },
        {"nothing.lua", "return\n"                 },
        {"itself.lua",  "return require 'itself'\n"},
        {"s.lua",
         "return function(exp)\n"
         "  for name, says in pairs { broken = 'no such rate', nothing = 'returns nothing',\n"
         "                            itself = 'while it is being loaded' } do\n"
         "    for _ = 1, 2 do\n"
         "      local found, why = pcall(require, name)\n"
         "      assert(not found and why:find(says, 1, true), why)\n"
         "    end\n"
         "  end\n"
         "end\n"                                   }
    };
    const char *folder = scratch_folder("broken");
    char path[BL_PATH];
    bl_config config;
    bl_err err = {0};
    fake_host fake = {.s_min = 100, .lr_opt = 1, .target = 0.2, .diverge_above = 100};
    const bl_planner_host host = fake_host_of(&fake);
    for (size_t i = 0; i < BL_COUNT(files); i++) {
        CHECK_OK(bl_path(path, ERR, "%s/%s", folder, files[i][0]));
        CHECK_OK(bl_file_write(path, files[i][1], strlen(files[i][1]), ERR));
    }
    fake_config(&config, NULL, 0);
    if (bl_planner_run(path, "scripts/lua", &config, &fake_facts, &host, NULL, &err) != BL_OK)
        fail_msg("%s", err.text);
    bl_buf_free(&fake.text);
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
        cmocka_unit_test(default_limits_hold),
        cmocka_unit_test(bombs),
        cmocka_unit_test(host_time_is_free),
        cmocka_unit_test(nothing_is_in_reach),
        cmocka_unit_test(text_chunks_only),
        cmocka_unit_test(garbage_is_collected),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(a_module_that_fails_fails_again),
        cmocka_unit_test(a_broken_module_says_why_again),
        cmocka_unit_test(equal_at_every_start),
        cmocka_unit_test(pairs_lets_fields_go),
        cmocka_unit_test(random_follows_the_seed),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
