/* The base room: JSON both ways, files, digests, arena. */
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/format.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/numerics.h"
#include "engine/base/philox.h"
#include "engine/base/sha256.h"
#include "engine/base/text.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void shortest_text_reads_back(void **state) {
    (void)state;
    static const struct {
        float value;
        const char *text;
    } known[] = {
        {0.1f,          "0.1"          },
        {1.0f,          "1"            },
        {-0.0f,         "-0"           },
        {1e-45f,        "1e-45"        },
        {3.4028235e38f, "3.4028235e+38"},
        {0.3f,          "0.3"          }
    };
    bl_buf out = {0};
    for (size_t i = 0; i < BL_COUNT(known); i++) {
        bl_buf_clear(&out);
        bl_json_f32(&out, known[i].value);
        assert_string_equal(out.data, known[i].text);
    }
    for (uint32_t i = 0; i < 20000; i++) {
        const bl_u32x4 w = bl_random4(1, BL_STREAM_SYNTH, 9, i);
        double d;
        const uint64_t bits = (uint64_t)w.v[0] << 32 | w.v[1];
        memcpy(&d, &bits, sizeof d);
        if (!isfinite(d)) continue;
        bl_buf_clear(&out);
        bl_json_f64(&out, d);
        const double back = strtod(out.data, NULL);
        assert_memory_equal(&back, &d, sizeof d);
    }
    bl_buf_clear(&out);
    bl_json_f64(&out, (double)NAN);
    assert_string_equal(out.data, "null");
    bl_buf_free(&out);
}

/* What bl_json_f64_text writes is the first of the shortest that printf writes and strtod reads
 * back. */
static void is_shortest(double value) {
    char got[32], best[64] = "";
    bl_json_f64_text(got, value);
    for (int digits = 1; digits <= DBL_DECIMAL_DIG; digits++) {
        char other[64];
        (void)snprintf(other, sizeof other, "%.*g", digits, value);
        if (strtod(other, NULL) != value) continue;
        if (best[0] == '\0' || strlen(other) < strlen(best)) memcpy(best, other, sizeof best);
    }
    assert_string_equal(got, best);
}

/* n / 10^k, which has a way of its own, with its neighbours, which have not. */
static void decimals_are_as_short(void **state) {
    (void)state;
    uint64_t random = 88172645463325252u; /* xorshift64 (Marsaglia 2003) */
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        double scale = 1.0;
        for (int k = i / 31 % 12; k > 0; k--) scale *= 10.0;
        const double value = (double)((random >> 16) % (1u << (1 + i % 31))) / scale;
        is_shortest(value);
        is_shortest(nextafter(value, 1e9));
        is_shortest(-value);
        is_shortest((double)(random >> 40) / 0x1p20);
    }
}

/* Those with a way of their own, and what lies beside them. */
static void whole_numbers_are_as_short(void **state) {
    (void)state;
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -10, -1, 0, 9, 10, INT64_MAX};
    bl_buf out = {0};
    char text[64];
    for (size_t i = 0; i < BL_COUNT(ends); i++) {
        bl_buf_clear(&out);
        bl_json_i64(&out, ends[i]);
        (void)snprintf(text, sizeof text, "%lld", (long long)ends[i]);
        assert_string_equal(bl_buf_text(&out), text);
    }
    bl_buf_free(&out);
    for (int i = -12000; i <= 12000; i++) is_shortest((double)i);
    char zero[32];
    bl_json_f64_text(zero, -0.0);
    assert_string_equal(zero, "-0");
    bl_json_f64_text(zero, 0.5);
    assert_string_equal(zero, "0.5");
}

/* One text in quotes, to be read. */
static void check_read(const char *text, bool good) {
    bl_buf json = {0};
    bl_json_doc doc;
    bl_err err;
    bl_buf_printf(&json, "\"%s\"", text);
    if (good) {
        CHECK_OK(bl_json_parse(&doc, json.data, json.len, "t", 1, ERR));
        assert_string_equal(doc.root->string, text);
        bl_json_free(&doc);
    } else {
        assert_int_equal(bl_json_parse(&doc, json.data, json.len, "t", 1, &err), BL_EFORMAT);
        assert_string_equal(err.text, "t:1: not valid JSON: a text that is not UTF-8");
    }
    bl_buf_free(&json);
}

/* The edges of RFC 3629: each byte that belongs to no character is replaced when written, and
 * refused when read. */
static void json_is_utf8(void **state) {
    (void)state;
#define X "\357\277\275"
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"~\xc2\xa0\xdf\xbf\xe0\xa0\x80",        "~\xc2\xa0\xdf\xbf\xe0\xa0\x80"       },
        {"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",     "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"    },
        {"a\x80z",                               "a" X "z"                             },
        {"\xc0\x80\xc1\xbf",                     X X X X                               },
        {"\xe0\x9f\xbf",                         X X X                                 },
        {"\xed\xa0\x80",                         X X X                                 },
        {"\xf0\x8f\xbf\xbf\xf4\x90\x80\x80",     X X X X X X X X                       },
        {"\xf5\x80\x80\x80",                     X X X X                               },
        {"\xc3(\xe2\x82",                        X "(" X X                             },
        {"\xf1\x80\x80",                         X X X                                 },
        {"\xe2\x82\xff",                         X X X                                 },
    };
#undef X
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_buf out = {0}, wanted = {0};
        bl_json_string(&out, cases[i].text);
        bl_buf_printf(&wanted, "\"%s\"", cases[i].written);
        assert_string_equal(bl_buf_text(&out), bl_buf_text(&wanted));
        check_read(cases[i].text, strcmp(cases[i].text, cases[i].written) == 0);
        check_read(cases[i].written, true);
        bl_buf_free(&out);
        bl_buf_free(&wanted);
    }
}

static bool is_plain(uint32_t code) {
    char text[5] = "";
    (void)bl_text_encode(text, code);
    return bl_text_is_plain(text);
}

/* Each range that acts, with the plain characters beside it (0: the neighbour acts, too). */
static void ranges_that_act(void **state) {
    (void)state;
    static const uint32_t edges[][4] = {
        {0,       0x0001,  0x001f,  0x0020 },
        {0x007e,  0x007f,  0x009f,  0x00a0 },
        {0x061b,  0x061c,  0x061c,  0x061d },
        {0x200a,  0x200b,  0x200b,  0x200c },
        {0x200d,  0x200e,  0x200f,  0x2010 },
        {0x2027,  0x2028,  0x202e,  0x202f },
        {0x205f,  0x2060,  0x2064,  0x2065 },
        {0x2065,  0x2066,  0x206f,  0x2070 },
        {0xfefe,  0xfeff,  0xfeff,  0xff00 },
        {0xfff8,  0xfff9,  0xfffb,  0xfffc },
        {0xdffff, 0xe0000, 0xe007f, 0xe0080},
    };
    size_t acting = 0, listed = 0;
    for (uint32_t code = 1; code <= 0x10ffff; code++)
        if (code < 0xd800 || code > 0xdfff) acting += !is_plain(code);
    for (size_t i = 0; i < BL_COUNT(edges); i++) {
        listed += edges[i][2] - edges[i][1] + 1;
        assert_true(edges[i][0] == 0 || is_plain(edges[i][0]));
        assert_false(is_plain(edges[i][1]) || is_plain(edges[i][2]));
        assert_true(is_plain(edges[i][3]));
    }
    assert_int_equal(acting, listed);
}

/* Written text is plain and reads back as `wanted`. */
static void check_written(const char *text, const char *wanted) {
    bl_buf json = {0};
    bl_json_doc doc;
    bl_json_string(&json, text);
    assert_true(bl_text_is_plain(bl_buf_text(&json)));
    CHECK_OK(bl_json_parse(&doc, json.data, json.len, "t", 1, ERR));
    assert_string_equal(doc.root->string, wanted);
    bl_json_free(&doc);
    bl_buf_free(&json);
}

/* What acts on a terminal leaves the program as an escape, and is read as what it was. */
static void json_escapes_what_acts(void **state) {
    (void)state;
    static const char acting[] = "\x1b|\x7f|\xc2\x80|\xc2\x9b|\xc2\x9f|\xd8\x9c|\xe2\x80\xa8|"
                                 "\xe2\x80\xae|\xe2\x81\xa9|\xe2\x80\x8b|\xf3\xa0\x80\x81";
    bl_buf text = {0};
    bl_json_string(&text, acting);
    assert_string_equal(bl_buf_text(&text),
                        "\"\\u001b|\\u007f|\\u0080|\\u009b|\\u009f|\\u061c|\\u2028|\\u202e|\\u2069|"
                        "\\u200b|\\udb40\\udc01\"");
    check_written(acting, acting);
    bl_buf_free(&text);
}

enum { MOST_CODE = 0x10ffff, FIRST_HALF = 0xd800, LAST_HALF = 0xdfff, TOGETHER = 1024 };

/* Every character there is, written and read, and read as an escape. */
static void json_reads_every_character(void **state) {
    (void)state;
    bl_buf text = {0}, escaped = {0};
    for (uint32_t code = 1; code <= MOST_CODE; code++) {
        char bytes[4];
        if (code >= FIRST_HALF && code <= LAST_HALF) continue;
        const uint32_t beyond = code - 0x10000;
        bl_buf_add(&text, bytes, bl_text_encode(bytes, code));
        if (code <= 0xffff)
            bl_buf_printf(&escaped, "\\u%04X", code);
        else
            bl_buf_printf(&escaped, "\\u%04x\\u%04X", 0xd800 + (beyond >> 10),
                          0xdc00 + (beyond & 0x3ff));
        if (code % TOGETHER != 0 && code < MOST_CODE) continue;
        bl_json_doc doc;
        bl_buf quoted = {0};
        bl_buf_printf(&quoted, "\"%s\"", bl_buf_text(&escaped));
        CHECK_OK(bl_json_parse(&doc, quoted.data, quoted.len, "t", 1, ERR));
        assert_string_equal(doc.root->string, bl_buf_text(&text));
        check_written(bl_buf_text(&text), bl_buf_text(&text));
        bl_json_free(&doc);
        bl_buf_free(&quoted);
        bl_buf_clear(&text);
        bl_buf_clear(&escaped);
    }
    bl_buf_free(&text);
    bl_buf_free(&escaped);
}

/* Any bytes: written, they are plain; what is read from that is written and read as the same. */
static void json_writes_any_bytes(void **state) {
    (void)state;
    for (uint32_t t = 0; t < 20000; t++) {
        char bytes[16] = "";
        const bl_u32x4 words = bl_random4(5, BL_STREAM_SYNTH, 0, t);
        memcpy(bytes, words.v, 15);
        if (t % 2 == 0) bytes[1] = (char)(t % 4 == 0 ? 0xe2 : 0xf3), bytes[2] = (char)0x80;
        bl_buf json = {0};
        bl_json_doc doc;
        bl_json_string(&json, bytes);
        assert_true(bl_text_is_plain(bl_buf_text(&json)));
        CHECK_OK(bl_json_parse(&doc, json.data, json.len, "t", 1, ERR));
        check_written(bytes, doc.root->string);
        check_written(doc.root->string, doc.root->string);
        bl_json_free(&doc);
        bl_buf_free(&json);
    }
}

static void json_reads_what_it_writes(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_buf_str(&text, "{\"s\":");
    bl_json_string(&text, "a\"b\\c\nd\x01");
    bl_buf_str(&text,
               ",\"n\":-12.5e2,\"i\":9007199254740993,\"l\":[1,[],{}],\"t\":true,\"z\":null}");
    bl_json_doc doc;
    CHECK_OK(bl_json_parse(&doc, text.data, text.len, "t", 1, ERR));
    assert_string_equal(bl_json_text(doc.root, "s", ""), "a\"b\\c\nd\x01");
    assert_true(bl_json_number(doc.root, "n", 0) == -1250.0);
    assert_true(bl_json_int(doc.root, "i", 0) == 9007199254740993); /* not a double */
    assert_int_equal(bl_json_get(doc.root, "l")->count, 3);
    assert_true(bl_json_bool(doc.root, "t", false));
    assert_true(bl_json_number(doc.root, "z", 7) == 7);
    bl_json_free(&doc);
    bl_buf_free(&text);
}

static void json_refuses_damage(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "{\"a\":1,}",
        "[1 2]",
        "{\"a\":1}x",
        "nul",
        "01",
        "1.",
        "\"a",
        "\"\\q\"",
        "{\"a\" 1}",
        "1e999",
        "{\"a\":1,\"a\":2}",
        "[1,]",
        "-",
        "\"\\u0000\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud800\\n\"",
        "\"\\ud800x\"",
        "\"\\udbff\\u\"",
        "\"\\udbff\\ue000\"",
        "\"\\ud83d\\ude0\"",
        "\"\\ud83d\\",
        "\"\\u",
    };
    for (size_t i = 0; i < BL_COUNT(bad); i++) {
        bl_json_doc doc;
        bl_err err;
        if (bl_json_parse(&doc, bad[i], strlen(bad[i]), "x.json", 5, &err) != BL_EFORMAT)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(err.text, "x.json:5"));
    }
    char deep[200];
    memset(deep, '[', sizeof deep);
    bl_json_doc doc;
    assert_int_equal(bl_json_parse(&doc, deep, sizeof deep, "x", 1, NULL), BL_EFORMAT);
}

static void files_are_written_whole(void **state) {
    (void)state;
    char path[BL_PATH];
    const char *dir = scratch_folder("base");
    CHECK_OK(bl_path(path, ERR, "%s/a/b", dir));
    CHECK_OK(bl_make_dirs(path, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/a/b/f", dir));
    CHECK_OK(bl_file_write(path, "one", 3, ERR));
    CHECK_OK(bl_file_write(path, "four", 4, ERR));
    bool won = true;
    CHECK_OK(bl_file_publish(path, "five5", 5, &won, ERR));
    assert_false(won);
    bl_buf text = {0};
    CHECK_OK(bl_file_read(&text, path, 100, ERR));
    assert_string_equal(text.data, "four");
    bl_err err;
    assert_int_equal(bl_file_read(&text, path, 3, &err), BL_EFORMAT);
    assert_int_equal(bl_file_read(&text, "/nonexistent/x", 3, &err), BL_EMISSING);
    assert_int_equal(bl_file_write("/nonexistent/x", "a", 1, &err), BL_EIO);
    /* Nothing but the file is left behind. */
    bl_names names;
    CHECK_OK(bl_path(path, ERR, "%s/a/b", dir));
    CHECK_OK(bl_dir_list(&names, path, ERR));
    assert_int_equal(names.count, 1);
    bl_names_free(&names);
    bl_buf_free(&text);
}

/* ---- several processes in one folder ---- */

enum { ASIDE_THREADS = 4, ASIDE_ROUNDS = 150 };

static const char *g_aside; /* the folder */

/* Puts a file at the shared place whenever that is free, and sets aside what is there. */
static void *make_and_set_aside(void *made) {
    char own[BL_PATH], shared[BL_PATH];
    size_t *count = made;
    if (bl_path(own, NULL, "%s/own-%p", g_aside, made) != BL_OK ||
        bl_path(shared, NULL, "%s/shared", g_aside) != BL_OK)
        return NULL;
    for (int i = 0; i < ASIDE_ROUNDS; i++) {
        if (bl_file_write(own, "x", 1, NULL) != BL_OK) break;
        *count += link(own, shared) == 0;
        (void)!bl_file_set_aside(shared, NULL); /* another thread may have done it */
    }
    (void)unlink(own);
    return NULL;
}

static void nothing_set_aside_is_overwritten(void **state) {
    (void)state;
    pthread_t thread[ASIDE_THREADS];
    size_t made[ASIDE_THREADS] = {0}, all = 0, aside = 0;
    bl_names names;
    g_aside = scratch_folder("aside");
    for (size_t i = 0; i < ASIDE_THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, make_and_set_aside, &made[i]), 0);
    for (size_t i = 0; i < ASIDE_THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        all += made[i];
    }
    CHECK_OK(bl_dir_list(&names, g_aside, ERR));
    for (size_t i = 0; i < names.count; i++) aside += strstr(names.name[i], ".corrupt-") != NULL;
    bl_names_free(&names);
    assert_int_equal(aside, all);
    assert_true(all >= ASIDE_ROUNDS);
}

static void full_disks_and_lost_folders_are_told(void **state) {
    (void)state;
    bl_err err;
    CHECK_OK(bl_file_disk_full("/tmp/figure.svg", 1, ERR));
    assert_int_equal(bl_file_disk_full("/tmp/figure.svg", SIZE_MAX, &err), BL_EIO);
    assert_non_null(strstr(err.text, "disk full writing /tmp/figure.svg (need "));
    CHECK_OK(bl_dir_sync("/tmp", ERR));
    CHECK_OK(bl_dir_sync_above("/tmp/nothing", ERR));
    assert_int_equal(bl_dir_sync("/tmp/nothing/here", &err), BL_EIO);
    assert_int_equal(bl_dir_sync_above("/tmp/nothing/here/x", &err), BL_EIO);
}

static void sha256_known_answers(void **state) {
    (void)state;
    char hex[BL_SHA256_HEX];
    bl_sha256_of("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    bl_sha256 ctx;
    bl_sha256_init(&ctx);
    bl_sha256_update(&ctx, "a", 1);
    bl_sha256_hex(&ctx, hex); /* a digest in between changes nothing */
    bl_sha256_update(&ctx, "bc", 2);
    bl_sha256_hex(&ctx, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void arena_counts_before_it_exists(void **state) {
    (void)state;
    bl_arena dry = {0}, arena;
    (void)bl_arena_alloc(&dry, 100);
    (void)bl_arena_alloc(&dry, 1);
    CHECK_OK(bl_arena_init(&arena, dry.used, ERR));
    char *a = bl_arena_alloc(&arena, 100);
    const size_t mark = bl_arena_mark(&arena);
    char *b = bl_arena_alloc(&arena, 1);
    assert_true((uintptr_t)a % BL_ALIGN == 0 && (uintptr_t)b % BL_ALIGN == 0);
    assert_int_equal(arena.used, dry.used);
    bl_arena_reset(&arena, mark);
    assert_ptr_equal(bl_arena_alloc(&arena, 1), b);
    bl_arena_free(&arena);
    assert_int_equal(bl_arena_init(&arena, SIZE_MAX / 4, NULL), BL_ENOMEM);
}

static void floating_point_is_ieee(void **state) {
    (void)state;
    assert_true(bl_fpenv_ok());
}

static const char *shown(const char *text) {
    static bl_buf out;
    bl_buf_clear(&out);
    bl_text_show(&out, text);
    return bl_buf_text(&out);
}

static void what_acts_on_a_terminal_is_shown(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"a\033[31mb",               "a\\x1b[31mb"       },
        {"\a\r\177",                 "\\x07\\x0d\\x7f"   },
        {"\302\200 \302\237",        "\\u{80} \\u{9f}"   },
        {"\342\200\256x",            "\\u{202e}x"        },
        {"\342\201\246\342\201\251", "\\u{2066}\\u{2069}"},
        {"\330\234\342\200\250",     "\\u{61c}\\u{2028}" },
        {"\303(\377",                "\\xc3(\\xff"       },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        assert_string_equal(shown(cases[i].text), cases[i].shown);
        assert_false(bl_text_is_plain(cases[i].text));
    }
    static const char *const plain[] = {"", "a b",
                                        "\302\240\303\244 \342\202\254 \360\237\230\200"};
    for (size_t i = 0; i < BL_COUNT(plain); i++) {
        assert_true(bl_text_is_plain(plain[i]));
        assert_string_equal(shown(plain[i]), plain[i]);
    }
    assert_string_equal(shown("two\n\tlines"), "two\n\tlines");
    assert_false(bl_text_is_plain("two\nlines"));
}

/* A line too wide goes on behind an indent; a word too wide stays whole; nothing else changes. */
static void wide_lines_are_folded(void **state) {
    (void)state;
    static const struct {
        const char *text, *folded;
    } cases[] = {
        {"",                                     ""                                        },
        {"\n\n",                                 "\n\n"                                    },
        {"exactly 12 c",                         "exactly 12 c"                            },
        {"exactly 12 c\n",                       "exactly 12 c\n"                          },
        {"exactly 12 co",                        "exactly 12\n   co"                       },
        {"one two   three four\nfive",           "one two\n   three\n   four\nfive"        },
        {"two blanks    behind",                 "two blanks\n   behind"                   },
        {"blanks at the   ",                     "blanks at\n   the   "                    },
        {"    indented line",                    "    indented\n   line"                   },
        {"averylongwordindeed and",              "averylongwordindeed\n   and"             },
        {"an averylongwordindeed",               "an\n   averylongwordindeed"              },
        {"\303\244\303\266\303\274 34 789 1 45", "\303\244\303\266\303\274 34 789 1\n   45"},
    };
    bl_buf out = {0};
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_buf_clear(&out);
        bl_format_folded(&out, cases[i].text, 12, 3);
        assert_string_equal(bl_buf_text(&out), cases[i].folded);
    }
    bl_buf_free(&out);
}

static void cells_are_no_formulas(void **state) {
    (void)state;
    static const struct {
        const char *text, *cell;
    } cases[] = {
        {"=1+1", "\"'=1+1\"" },
        {"+x",   "\"'+x\""   },
        {"-x",   "\"'-x\""   },
        {"@x",   "\"'@x\""   },
        {"\tx",  "\"'\tx\""  },
        {"a=b",  "\"a=b\""   },
        {"a\"b", "\"a\"\"b\""},
        {"",     "\"\""      },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_buf out = {0};
        bl_text_csv_cell(&out, cases[i].text);
        assert_string_equal(out.data, cases[i].cell);
        bl_buf_free(&out);
    }
}

/* What the host took is the eighth number of the first line of /proc/stat. */
static void stolen_ticks(void **state) {
    (void)state;
    assert_true(bl_clock_stolen_ticks(
                    "cpu  5311971 1871245 1183709 1743911 36299 0 21515 14171 9 0\n") == 14171);
    assert_true(isnan(bl_clock_stolen_ticks("cpu  1 2 3 4 5 6 7\n"))); /* an old kernel */
    assert_true(isnan(bl_clock_stolen_ticks("")));
    assert_true(isnan(bl_clock_stolen_seconds()) || bl_clock_stolen_seconds() >= 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stolen_ticks),
        cmocka_unit_test(what_acts_on_a_terminal_is_shown),
        cmocka_unit_test(cells_are_no_formulas),
        cmocka_unit_test(wide_lines_are_folded),
        cmocka_unit_test(shortest_text_reads_back),
        cmocka_unit_test(decimals_are_as_short),
        cmocka_unit_test(whole_numbers_are_as_short),
        cmocka_unit_test(ranges_that_act),
        cmocka_unit_test(json_escapes_what_acts),
        cmocka_unit_test(json_reads_every_character),
        cmocka_unit_test(json_writes_any_bytes),
        cmocka_unit_test(json_reads_what_it_writes),
        cmocka_unit_test(json_is_utf8),
        cmocka_unit_test(json_refuses_damage),
        cmocka_unit_test(files_are_written_whole),
        cmocka_unit_test(nothing_set_aside_is_overwritten),
        cmocka_unit_test(full_disks_and_lost_folders_are_told),
        cmocka_unit_test(sha256_known_answers),
        cmocka_unit_test(arena_counts_before_it_exists),
        cmocka_unit_test(floating_point_is_ieee),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
