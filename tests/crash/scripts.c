/* Sweep scripts that would take the machine if they were let: each is refused or ended within 2 s
 * of processor time and 64 MiB above what a harmless script takes, and the program says where. */
#include "engine/base/mem.h"
#include "tests/crash/crash.h"
#include <stdio.h>
#include <string.h>

enum { MOST_MIB = 64, MOST_SECONDS = 2 };

typedef struct bomb {
    const char *name, *script, *says;
    bool quick; /* in the short selection */
} bomb;

static const bomb k_bombs[] = {
    {"string",                    "local s = 'x' while true do s = s .. s end",                                 "MiB of memory",                        true },
    {"string.rep",                "local s = ('x'):rep(1 << 40)",
     "resulting string too large|not enough memory|MiB of memory",                                                                                      true },
    {"string.rep of nothing",     "pcall(string.rep, '', 1 << 62)",                                             "s of processor time",                  false},
    {"string.format",             "local s = ('%99d'):rep(1e5) string.format(s, 1)",                            "bad argument",                         true },
    {"gsub",                      "string.gsub(('x'):rep(1e6), '', ('y'):rep(1000))",                           "MiB of memory",                        true },
    {"table",                     "local t = {} for i = 1, 1e18 do t[i] = {} end",                              "takes more than",                      true },
    {"table of numbers",          "local t = {} for i = 1, 1e18 do t[i] = i end",                               "MiB of memory",                        true },
    {"table by name",             "local t = {} for i = 1, 1e18 do t['k' .. i] = i end",                        "takes more than",
     true                                                                                                                                                    },
    {"fragments",
     "local pins, size = {}, 200 while true do local t = {} for i = 1, 36e6 // size do t[i] = "
     "('x'):rep(size) .. i if i % 16 == 0 then pins[#pins + 1] = {} end end size = size * 3 // 2 "
     "end",                                                                                                     "takes more than",                      true },
    {"100,001 runs at once",      "local t = {} for i = 1, 100001 do t[i] = {seed = i} end exp:run(t)",
     "more trials than a sweep may have",                                                                                                               true },
    {"table.move",                "table.move({}, 1, 1 << 61, 2, {})",                                          "s of processor time",                  false},
    {"table.sort",                "table.sort({3, 2, 1}, function() while true do end end)",                    "takes more than",
     false                                                                                                                                                   },
    {"concat",
     "local t = setmetatable({}, {__len = function() return 1 << 62 end, __index = function() "
     "return '' end}) table.concat(t)",                                                                         "takes more than",                      false},
    {"concat of long strings",
     "local s, t = ('x'):rep(1e6), {} for i = 1, 1e4 do t[i] = s end table.concat(t)",                          "MiB of memory",                        true },
    {"coroutine",                 "while true do coroutine.wrap(function() coroutine.yield() end)() end",
     "coroutine",                                                                                                                                       true },
    {"pattern",                   "string.find(('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
     "s of processor time",                                                                                                                             false},
    {"pattern under pcall",       "pcall(string.find, ('a'):rep(300000), ('.-'):rep(6) .. 'b')",
     "s of processor time",                                                                                                                             false},
    {"pcall",                     "while true do pcall(function() while true do end end) end",                  "takes more than",
     false                                                                                                                                                   },
    {"pcall of memory",
     "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(1e5) .. #t end) end",                   "takes more than",                      false},
    {"xpcall",                    "xpcall(function() while true do end end, function() while true do end end)",
     "takes more than",                                                                                                                                 false},
    {"error handlers",            "local function f() return xpcall(error, f) end while true do f() end",
     "takes more than|stack overflow|C stack|in error handling|MiB of memory",                                                                          false},
    {"bytecode",                  "load(string.dump(function() end))",                                          "dump|load",                            true },
    {"loop",                      "while true do end",                                                          "takes more than",                      false},
    {"recursion",                 "local function f() return 1 + f() end f()",                                  "MiB of memory|stack overflow",
     true                                                                                                                                                    },
    {"recursion under pcall",     "local function f() return pcall(f) end while true do f() end",
     "takes more than",                                                                                                                                 false},
    {"recursion of metamethods",
     "local t = setmetatable({}, {__index = function(t, k) return t[k .. 'x'] end}) local x = t.a",             "stack overflow|C stack|MiB of memory", true },
    {"finalizers",                "setmetatable({}, {__gc = function() while true do end end})",                "__gc",                                 true },
    {"10^9 runs at once",         "local t = {} for i = 1, 1e9 do t[i] = {} end exp:run(t)",
     "MiB of memory|takes more than",                                                                                                                   true },
    {"10^9 holes",                "exp:run(setmetatable({}, {__len = function() return 1e9 end}))",             "",                                     true },
    {"1,000,000 runs, one table", "local e, t = {}, {} for i = 1, 1e6 do t[i] = e end exp:run(t)",
     "more trials than a sweep may have",                                                                                                               true },
};

static const char k_path[] = "experiments/crash/sweep.lua";

static void write_script(const char *body) {
    FILE *f = fopen(k_path, "wb");
    if (f == NULL || fprintf(f, "return function(exp)\n%s\nend\n", body) < 0 || fclose(f) != 0)
        abort();
}

/* One of the words that `says` has between bars. */
static bool said(const char *text, const char *says) {
    char word[128];
    for (const char *at = says; *at != '\0';) {
        const size_t n = strcspn(at, "|");
        (void)snprintf(word, sizeof word, "%.*s", (int)n, at);
        if (strstr(text, word) != NULL) return true;
        at += n + (at[n] == '|');
    }
    return says[0] == '\0';
}

static void explode(lab *l, const char *const *words, const bomb *b, const ending *harmless) {
    write_script(b->script);
    const ending e = lab_run(l, words, NULL);
    const double mib = (double)(e.peak_kib - harmless->peak_kib) / 1024.0;
    l->scripts++;
    if (e.exit != 2 || strstr(e.said, k_path) == NULL || !said(e.said, b->says))
        lab_fail(l, "%s %s: exit %d, signal %d: %s", words[0], b->name, e.exit, e.signal, e.said);
    /* A sanitizer's shadow and guards are no memory of the script's. */
    if (!l->sanitized && (mib > MOST_MIB || e.cpu_seconds > MOST_SECONDS))
        lab_fail(l, "%s %s: %.1f MiB, %.2f s of processor time", words[0], b->name, mib,
                 e.cpu_seconds);
    if (mib > l->most_mib) l->most_mib = mib;
    if (e.cpu_seconds > l->most_seconds) l->most_seconds = e.cpu_seconds;
}

/* A source that nests deeper than any parser's stack. */
static char *nested(const char *open, size_t times) {
    const size_t n = strlen(open);
    char *text = bl_xalloc(n * times + 1);
    for (size_t i = 0; i < times; i++) memcpy(text + i * n, open, n);
    return text;
}

/* Decisions without end, by every command that runs a script: they hold the same limits, and what
 * gets into the plan is bounded. */
static void flood_plans(lab *l) {
    static const char *const commands[][5] = {
        {"check",       lab_experiment},
        { "run",  lab_experiment,         "--progress", "none"},
        { "work", lab_experiment,         "--progress", "none"}
    };
    static const bomb floods[] = {
        {"decisions",       "while true do exp:note('x') end",                          "more decisions than a sweep may have",
         true                                                                                                                       },
        {"large decisions", "local s = ('x'):rep(16000) while true do exp:note(s) end",
         "the decisions of the plan take more bytes",                                                                           true},
    };
    for (size_t c = 0; c < BL_COUNT(commands); c++) {
        write_script("error('harmless')");
        const ending harmless = lab_run(l, commands[c], NULL);
        for (size_t i = 0; i < BL_COUNT(floods); i++)
            explode(l, commands[c], &floods[i], &harmless);
    }
}
void part_scripts(lab *l) {
    static const char *const words[] = {"check", lab_experiment, NULL};
    bl_buf kept = {0};
    bl_err err;
    if (bl_file_read(&kept, k_path, 1 << 20, &err) != BL_OK) lab_fail(l, "%s", err.text);
    write_script("exp:run { {} }");
    const ending harmless = lab_run(l, words, NULL);
    if (harmless.exit != 0)
        lab_fail(l, "a harmless script: exit %d: %s", harmless.exit, harmless.said);
    for (size_t i = 0; i < BL_COUNT(k_bombs) && l->failures <= LAB_MOST_FAILURES; i++)
        if (l->full || k_bombs[i].quick) explode(l, words, &k_bombs[i], &harmless);
    static const char *const opens[] = {"local x = ((((((((", "local t = {{{{{{{{", "do do do do "};
    for (size_t i = 0; i < BL_COUNT(opens); i++) {
        char *text = nested(opens[i] + (i < 2 ? 10 : 0), 50000);
        explode(l, words, &(bomb){"nesting", text, "", true}, &harmless);
        free(text);
    }
    flood_plans(l);
    if (bl_file_write(k_path, bl_buf_text(&kept), kept.len, &err) != BL_OK)
        lab_fail(l, "%s", err.text);
    bl_buf_free(&kept);
}
