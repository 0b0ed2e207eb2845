/* What is told from a command line (engine/external/words.h) and from what a program writes
 * (engine/external/guess.h). tests/cli/init_command_test.sh starts programs. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/external/guess.h"
#include "engine/external/words.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <string.h>
#include <unistd.h>

static void join(bl_buf *out, char *const *text, size_t n) {
    bl_buf_clear(out);
    for (size_t i = 0; i < n; i++) bl_buf_printf(out, "%s%s", i > 0 ? "|" : "", text[i]);
}

/* ---- lines ---- */

static const struct {
    const char *line, *word, *start;
    double batch; /* -1: it takes none; -2: it is refused */
} k_lines[] = {
    {"python3 t.py",             "python3|t.py",                                     "python3|t.py",       -1},
    {"a 'b  c' \"d 'e\" f\\ g",  "a|b  c|d 'e|f g",                                  "a|b  c|d 'e|f g",    -1},
    {"a --batch-size 8 --lr=.5", "a|--batch-size|{batch_size}|--lr={learning_rate}",
     "a|--batch-size|8|--lr=.5",                                                                           8 },
    {"a bs=4 lr=x seed=",        "a|bs={batch_size}|lr=x|seed=",                     "a|bs=4|lr=x|seed=",  4 },
    {"a --bs",                   "a|--bs",                                           "a|--bs",             -1},
    {"a bs 4",                   "a|bs|4",                                           "a|bs|4",             -1},
    {"a {batch_size}x",          "a|{batch_size}x",                                  "a|64x",              64},
    {"a | b --bs 4",             "sh|-c|a | b --bs 4",                               "sh|-c|a | b --bs 4", -1},
    {"X=1 a",                    "sh|-c|X=1 a",                                      "sh|-c|X=1 a",        -1},
    {"a '$b|c'",                 "a|$b|c",                                           "a|$b|c",             -1},
    {"  X=1 a",                  "sh|-c|X=1 a",                                      "sh|-c|X=1 a",        -1},
    {"a \"$b\"",                 "sh|-c|a \"$b\"",                                   "sh|-c|a \"$b\"",     -1},
    {"a 'b",                     "",                                                 "",                   -2},
    {"  ",                       "",                                                 "",                   -2},
};

static void a_line_is_split_and_its_options_are_found(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_lines); i++) {
        bl_external_words w;
        bl_err err;
        bl_buf text = {0};
        print_message("%s\n", k_lines[i].line);
        const bl_status status = bl_external_words_read(&w, k_lines[i].line, &err);
        assert_int_equal(status, k_lines[i].batch == -2 ? BL_EINVAL : BL_OK);
        if (status == BL_OK) {
            join(&text, w.word, w.words);
            assert_string_equal(bl_buf_text(&text), k_lines[i].word);
            join(&text, w.start, w.starts);
            assert_string_equal(bl_buf_text(&text), k_lines[i].start);
            assert_int_equal(w.takes[BL_EXTERNAL_BATCH_SIZE], k_lines[i].batch >= 0);
            if (k_lines[i].batch >= 0)
                assert_int_equal((int64_t)w.value[BL_EXTERNAL_BATCH_SIZE],
                                 (int64_t)k_lines[i].batch);
        }
        bl_external_words_free(&w);
        bl_buf_free(&text);
    }
}

/* ---- files ---- */

static void write_text(const char *name, const char *text) {
    CHECK_OK(bl_file_write(name, text, strlen(text), ERR));
}

static void files_are_found(void **state) {
    static const char script[] = "import os, model\n"
                                 "from tools.a import b\n"
                                 "p.add_argument(\"--bs\", type=int, default=128)\n"
                                 "p.add_argument('--lr', type=float)\n"
                                 "p.add_argument('--seed', default=3)\n";
    char before[BL_PATH];
    bl_buf text = {0};
    bl_external_words w;
    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch_folder("words")), 0);
    CHECK_OK(bl_make_dirs("pkg/tools", ERR));
    write_text("pkg/train.py", script);
    write_text("pkg/model.py", "from . import layers\nimport train\n");
    write_text("pkg/layers.py", "");
    CHECK_OK(bl_external_words_read(&w, "python3 -m pkg.train --bs 16", ERR));
    join(&text, w.input, w.inputs);
    assert_string_equal(bl_buf_text(&text), "pkg/train.py|pkg/model.py|pkg/tools|pkg/layers.py");
    join(&text, w.word, w.words);
    assert_string_equal(bl_buf_text(&text), "python3|-m|pkg.train|--bs|{batch_size}|"
                                            "--lr={learning_rate}|--seed={seed}");
    join(&text, w.start, w.starts);
    assert_string_equal(bl_buf_text(&text), "python3|-m|pkg.train|--bs|16");
    assert_int_equal(w.typed, 5);
    assert_true(w.value[BL_EXTERNAL_SEED] == 3.0 && w.value[BL_EXTERNAL_LEARNING_RATE] == 0.001);
    bl_external_words_free(&w);
    CHECK_OK(bl_external_words_read(&w, "X=1 sh pkg/model.py; true", ERR));
    join(&text, w.input, w.inputs);
    assert_string_equal(bl_buf_text(&text), "");
    bl_external_words_free(&w);
    CHECK_OK(bl_external_words_read(&w, "X=1 python3 pkg/train.py", ERR));
    assert_int_equal(w.inputs, 4);
    assert_int_equal(w.words, 3); /* a shell's line gets no options */
    bl_external_words_free(&w);
    bl_buf_free(&text);
    assert_int_equal(chdir(before), 0);
}

/* A long line of something else is no end of the output. */
static void a_long_line_is_passed_over(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_external_guess g;
    bl_buf_str(&text, "step 1 loss 3\n");
    for (int i = 0; i < 1 << 18; i++) bl_buf_str(&text, "x");
    bl_buf_str(&text, "\nstep 2 loss 2\nstep 3 loss 1\n");
    assert_true(bl_external_guess_from(&g, bl_buf_text(&text), text.len, NULL, NULL));
    assert_int_equal(g.points, 3);
    bl_external_guess_free(&g);
    bl_buf_free(&text);
}

/* ---- output ---- */

// clang-format off
static const struct {
    const char *text, *file, *wanted, *scrape, *metric; /* scrape NULL: nothing fits */
    size_t points;
    double last;
} k_outputs[] = {
    {"step 1 loss 2\nstep 2 loss 1\n", NULL, NULL, "step {step} loss {value}", "loss", 2, 1},
    {"step 1 loss 2 val_loss 4\nstep 2 loss 1 val_loss 3\n", NULL, NULL, "step {step} loss {loss} val_loss {value}", "val_loss", 2, 3},
    {"loss 2 at iter: 10, 3.5 s\rloss 1.5 at iter: 20, 3.6 s\r", NULL, NULL, "loss {value} at iter: {step}", "loss", 2, 1.5},
    {"step 1 lr 0.1 acc 0.5\nstep 2 lr 0.2 acc 0.6\n", NULL, NULL, "step {step} lr {any} acc {value}", "acc", 2, 0.6},
    {"step 1 loss 2 ppl 7\nstep 2 loss 1 ppl 6\n", NULL, "PPL", "step {step} loss {loss} ppl {value}", "ppl", 2, 6},
    {"step 1 loss 2\nstep 2 loss nan\n", NULL, NULL, "step {step} loss {value}", "loss", 2, NAN},
    {"step 1 loss 2\nstep 1 loss 1\n", NULL, NULL, NULL, NULL, 0, 0},
    {"step 1 loss 2\n", NULL, NULL, NULL, NULL, 0, 0},
    {"step 1 {a} loss 2\nstep 2 {a} loss 2\n", NULL, NULL, NULL, NULL, 0, 0},
    {"step 1 \"a\" loss 2\nstep 2 \"a\" loss 2\n", NULL, NULL, NULL, NULL, 0, 0},
    {"epoch 1 loss 2\nepoch 2 loss 1\n", NULL, NULL, NULL, NULL, 0, 0},
    {"step,loss,val_rmse\n1,2,3\n2,3,4\n", "m.csv", NULL, "m.csv", "val_rmse", 2, 4},
    {"\"step\",\"best, so far\",\"val_rmse\"\n1,\"2, 3\",4\n2,\"3, 4\",5\n", "m.csv", NULL, "m.csv", "val_rmse", 2, 5},
    {"epoch,loss\n1,2\n2,3\n", "m.csv", NULL, NULL, NULL, 0, 0},
    {"", NULL, NULL, NULL, NULL, 0, 0},
    {"\033[1mstep\033[0m 1 \033[32mloss= 9.5\033[0m\nstep 2 loss=10.5\n", NULL, NULL, "step {step} loss={value}",
     "loss", 2, 10.5},
    {"step 1 loss= 9.5\nstep 2 loss= 8.5\n", NULL, NULL, "step {step} loss={value}", "loss", 2, 8.5},
    {"step [ 9/20] perte\xe9 1 loss 2\nstep [10/20] perte\xe9 1 loss 1\n", NULL, NULL, NULL, NULL, 0, 0},
    {"step [ 9/20]\tperte\xc3\xa9 1 loss 2\nstep [10/20]\tperte\xc3\xa9 3 loss 1\n", NULL, NULL,
     "step [{step}/{any}] perte\xc3\xa9 {any} loss {value}", "loss", 2, 1},
    {"\r  0%|          | 0/200 [00:00<?, ?it/s]\r  5%|#         | 10/200 [00:01<00:19,  9.95it/s, loss=0.9]"
     "\r  5%|#         | 10/200 [00:01<00:19,  9.95it/s, loss=0.8]"
     "\r 10%|#         | 20/200 [1:00:02<00:18, 9.9s/it, loss=0.7]", NULL, NULL,
     "{step}/{} {} {} loss={value}", "loss", 2, 0.7},
    {"7it [00:01,  7.00it/s, lr=0.1, val_loss=2]\r8it [00:01,  7.00it/s, lr=0.1, val_loss=1]", NULL, NULL,
     "{step}it {} {} {} val_loss={value}", "val_loss", 2, 1},
    {"step 1 loss 9\nstep 2 loss 8\nstep 3 loss 8\nstep 1 loss 7\nstep 2 loss 6\n", NULL, NULL, NULL, NULL, 0, 0},
    {"step 1 loss 9\nstep 2 loss 8\nstep 1 loss 7\nstep 2 loss 6\nstep 1 loss 5\n", NULL, NULL, NULL, NULL, 0, 0},
    {"[    9] val logloss = 2\n[   10] val logloss = 1\n", NULL, NULL, "[{step}] val logloss = {value}", "logloss", 2, 1},
    {"9: loss 2\n10: loss 1\n", NULL, NULL, "{step}: loss {value}", "loss", 2, 1},
    {"[1/10] loss 2\n[2/10] loss 1\n", NULL, NULL, NULL, NULL, 0, 0},
    {"12:30 loss 2\n13:30 loss 1\n", NULL, NULL, NULL, NULL, 0, 0},
    {"2026-11-30 loss 2\n2027-11-30 loss 1\n", NULL, NULL, NULL, NULL, 0, 0},
    {"step 1 loss 9\nstep 2 loss 8\nbest: step 1 loss 7\n", NULL, NULL, "step {step} loss {value}", "loss", 2, 8},
};
// clang-format on

static void output_is_understood(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_outputs); i++) {
        bl_external_guess g;
        print_message("%s\n", k_outputs[i].text);
        const bool fits = bl_external_guess_from(&g, k_outputs[i].text, strlen(k_outputs[i].text),
                                                 k_outputs[i].file, k_outputs[i].wanted);
        assert_int_equal(fits, k_outputs[i].scrape != NULL);
        if (fits) {
            const double last = g.point[g.points - 1].value;
            assert_string_equal(g.scrape, k_outputs[i].scrape);
            assert_string_equal(g.metric, k_outputs[i].metric);
            assert_int_equal(g.points, k_outputs[i].points);
            assert_true(isnan(k_outputs[i].last) ? isnan(last) : last == k_outputs[i].last);
        }
        assert_true(g.starts_over == (strstr(k_outputs[i].text, "step 1 loss 7\nstep 2") != NULL));
        assert_true(g.epochs == (strncmp(k_outputs[i].text, "epoch 1", 7) == 0));
        bl_external_guess_free(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_split_and_its_options_are_found),
        cmocka_unit_test(files_are_found),
        cmocka_unit_test(output_is_understood),
        cmocka_unit_test(a_long_line_is_passed_over),
    };
    return cmocka_run_group_tests_name("external_words", tests, NULL, NULL);
}
