/* Claims: one owner at a time among threads and processes; the dead and the stale are followed, and
 * write nothing any more. */
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/process.h"
#include "engine/store/claim.h"
#include "engine/store/fsck.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THIEVES = 16 };

typedef struct fixture {
    char dir[BL_PATH]; /* of the run; not there yet */
    bl_claims *mine, *other;
} fixture;

/* The local clock, which may be wrong: the tests set it forward. Times of files are the system's.
 */
static time_t g_ahead;

int clock_gettime(clockid_t clock, struct timespec *out) {
    const int rc = (int)syscall(SYS_clock_gettime, clock, out);
    if (rc == 0 && clock == CLOCK_REALTIME) out->tv_sec += g_ahead;
    return rc;
}

/* While the file server is asked for its time: the claim of this fixture is taken over, once. */
static const struct fixture *g_taker;
static bl_claim *g_taken;

int open(const char *path, int flags, ...) {
    va_list ap;
    va_start(ap, flags);
    const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, int) : 0;
    va_end(ap);
    if ((flags & O_TMPFILE) == O_TMPFILE && g_taker != NULL) {
        const fixture *f = g_taker;
        g_taker = NULL;
        CHECK_OK(bl_claim_acquire(f->other, f->dir, &g_taken, ERR));
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static int setup(void **state) {
    fixture *f = bl_xalloc(sizeof *f);
    CHECK_OK(bl_path(f->dir, ERR, "%s/run", scratch_folder("claim")));
    (void)setenv("BL_CLAIM_BEAT", "0.05", 1);
    (void)setenv("BL_CLAIM_STALE", "30", 1);
    f->mine = bl_claims_open();
    f->other = bl_claims_open();
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    bl_claims_close(f->mine);
    bl_claims_close(f->other);
    free(f);
    return 0;
}

static bl_claim *take(bl_claims *claims, const fixture *f) {
    bl_claim *claim;
    CHECK_OK(bl_claim_acquire(claims, f->dir, &claim, ERR));
    return claim;
}

static bool has(const fixture *f, const char *name) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", f->dir, name));
    return bl_file_exists(path) || bl_dir_exists(path);
}

static size_t names_in(const char *dir) {
    bl_names names;
    CHECK_OK(bl_dir_list(&names, dir, ERR));
    const size_t n = names.count;
    bl_names_free(&names);
    return n;
}

/* The one owner's folder in the claim, and the beat in it. */
static void owner_of(const fixture *f, char owner[256], char beat[BL_PATH]) {
    char path[BL_PATH];
    bl_names names;
    CHECK_OK(bl_path(path, ERR, "%s/claim.d", f->dir));
    CHECK_OK(bl_dir_list(&names, path, ERR));
    assert_int_equal(names.count, 1);
    (void)snprintf(owner, 256, "%s", names.name[0]);
    CHECK_OK(bl_path(beat, ERR, "%s/%s/beat", path, owner));
    bl_names_free(&names);
}

/* Sets the last beat back by so many seconds. */
static void age(const fixture *f, double seconds) {
    char owner[256], beat[BL_PATH];
    struct stat st;
    owner_of(f, owner, beat);
    assert_int_equal(stat(beat, &st), 0);
    st.st_mtim.tv_sec -= (time_t)seconds;
    const struct timespec times[2] = {st.st_mtim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, beat, times, 0), 0);
}

static void test_one_owner_at_a_time(void **state) {
    const fixture *f = *state;
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_NONE);
    bl_claim *first = take(f->mine, f);
    assert_non_null(first);
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_HELD);
    assert_null(take(f->other, f));
    assert_null(take(f->mine, f));
    bl_claim_release(first);
    assert_false(bl_dir_exists(f->dir)); /* nothing was written: nothing is left */
    bl_claim *second = take(f->other, f);
    assert_non_null(second);
    CHECK_OK(bl_claim_write(second, "log", "text", 4, ERR));
    bl_claim_release(second);
    assert_int_equal(names_in(f->dir), 1);
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_NONE);
}

static void test_writes_replace_publishing_does_not(void **state) {
    const fixture *f = *state;
    char path[BL_PATH], to[BL_PATH];
    bl_buf text = {0};
    bool won;
    bl_claim *claim = take(f->mine, f);
    CHECK_OK(bl_claim_publish(claim, "a", "one", 3, &won, ERR));
    assert_true(won);
    CHECK_OK(bl_claim_publish(claim, "a", "two", 3, &won, ERR));
    assert_false(won);
    CHECK_OK(bl_path(path, ERR, "%s/a", f->dir));
    CHECK_OK(bl_file_read(&text, path, 10, ERR));
    assert_string_equal(text.data, "one");
    bl_buf_clear(&text);
    CHECK_OK(bl_claim_write(claim, "a", "three", 5, ERR));
    CHECK_OK(bl_path(to, ERR, "%s/b", f->dir));
    CHECK_OK(bl_claim_move(claim, "a", to, ERR));
    assert_false(has(f, "a"));
    CHECK_OK(bl_file_read(&text, to, 10, ERR));
    assert_string_equal(text.data, "three");
    bl_claim_remove(claim, "b");
    assert_false(has(f, "b"));
    bl_buf_free(&text);
}

static void test_a_wrong_local_clock_makes_no_claim_stale(void **state) {
    const fixture *f = *state;
    bl_claim *claim = take(f->mine, f);
    g_ahead = 100000;
    const bl_claim_state state_ahead = bl_claim_state_of(f->dir);
    age(f, 29);
    const bl_claim_state younger = bl_claim_state_of(f->dir);
    age(f, 2);
    g_ahead = -100000;
    const bl_claim_state older = bl_claim_state_of(f->dir);
    g_ahead = 0;
    assert_int_equal(state_ahead, BL_CLAIM_HELD);
    assert_int_equal(younger, BL_CLAIM_HELD);
    assert_int_equal(older, BL_CLAIM_STALE);
    assert_int_equal(names_in(f->dir), 1); /* asking the server left nothing */
    bl_claim_release(claim);
}

static void test_an_empty_claim_is_seen_and_cleared(void **state) {
    const fixture *f = *state;
    char path[BL_PATH];
    bool cleared;
    CHECK_OK(bl_path(path, ERR, "%s/claim.d", f->dir));
    CHECK_OK(bl_make_dirs(path, ERR));
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_EMPTY);
    CHECK_OK(bl_claim_clear(f->dir, &cleared, ERR));
    assert_true(cleared);
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_NONE);
    bl_claim *claim = take(f->mine, f);
    CHECK_OK(bl_claim_clear(f->dir, &cleared, ERR));
    assert_false(cleared);
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_HELD);
    bl_claim_release(claim);
}

static void test_a_folder_in_a_file_s_place_is_set_aside(void **state) {
    const fixture *f = *state;
    char path[BL_PATH];
    bl_buf text = {0};
    bl_claim *claim = take(f->mine, f);
    CHECK_OK(bl_path(path, ERR, "%s/checkpoint-A/inside", f->dir));
    CHECK_OK(bl_make_dirs(path, ERR));
    CHECK_OK(bl_claim_write(claim, "checkpoint-A", "x", 1, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/checkpoint-A", f->dir));
    CHECK_OK(bl_file_read(&text, path, 10, ERR));
    assert_string_equal(text.data, "x");
    CHECK_OK(bl_path(path, ERR, "%s/checkpoint-A.corrupt-1/inside", f->dir));
    assert_true(bl_dir_exists(path));
    bl_claim_remove(claim, "checkpoint-A.corrupt-1");
    assert_false(has(f, "checkpoint-A.corrupt-1"));
    bl_buf_free(&text);
    bl_claim_release(claim);
}

/* Whoever lost the claim can neither write nor remove nor free what is the next owner's. */
static void test_a_stale_claim_is_taken_and_its_owner_fenced_off(void **state) {
    const fixture *f = *state;
    bool won;
    bl_err err;
    (void)setenv("BL_CLAIM_BEAT", "1000", 1); /* as if it were stopped */
    bl_claims *stopped = bl_claims_open();
    bl_claim *old = take(stopped, f);
    CHECK_OK(bl_claim_write(old, "checkpoint", "old", 3, ERR));
    age(f, 29);
    assert_null(take(f->other, f));
    age(f, 2);
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_STALE);
    bl_claim *new = take(f->other, f);
    assert_non_null(new);
    assert_null(take(f->mine, f));
    assert_false(bl_claim_lost(old));
    assert_int_equal(bl_claim_write(old, "checkpoint", "late", 4, &err), BL_EMISSING);
    assert_non_null(strstr(err.text, "another process took the work over"));
    assert_true(bl_claim_lost(old));
    assert_int_equal(bl_claim_publish(old, "result", "late", 4, &won, &err), BL_EMISSING);
    bl_claim_remove(old, "checkpoint");
    assert_true(has(f, "checkpoint"));
    assert_false(has(f, "result"));
    bl_claim_release(old);
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_HELD);
    CHECK_OK(bl_claim_write(new, "checkpoint", "new", 3, ERR));
    bl_claim_release(new);
    bl_claims_close(stopped);
}

static void pause_a_little(void) {
    const struct timespec t = {.tv_nsec = 20000000};
    (void)nanosleep(&t, NULL);
}

/* The beat comes by itself, and notices by itself that the claim is gone. */
static void test_the_owner_beats(void **state) {
    const fixture *f = *state;
    char owner[256], beat[BL_PATH];
    struct stat before, now;
    bl_claim *claim = take(f->mine, f);
    age(f, 1000);
    owner_of(f, owner, beat);
    assert_int_equal(stat(beat, &before), 0);
    do {
        pause_a_little();
        assert_int_equal(stat(beat, &now), 0);
    } while (now.st_mtim.tv_sec < before.st_mtim.tv_sec + 900);
    assert_null(take(f->other, f));
    CHECK_OK(bl_remove_tree(f->dir, ERR));
    while (!bl_claim_lost(claim)) pause_a_little();
    bl_claim_release(claim);
}

typedef struct race {
    pthread_barrier_t start;
    const fixture *f;
    bl_claims *claims[THIEVES];
    bl_claim *won[THIEVES];
    size_t next;
} race;

static void *steal(void *arg) {
    race *r = arg;
    bl_err err;
    const size_t i = __atomic_fetch_add(&r->next, 1, __ATOMIC_RELAXED);
    (void)pthread_barrier_wait(&r->start);
    if (bl_claim_acquire(r->claims[i], r->f->dir, &r->won[i], &err) != BL_OK) r->won[i] = NULL;
    return NULL;
}

/* All at once at a claim that is free, stale, or half given back: exactly one gets it, and keeps
 * it.
 */
static void test_of_many_exactly_one_wins(void **state) {
    fixture *f = *state;
    enum { ROUNDS = 60 };
    race r = {.f = f};
    assert_int_equal(pthread_barrier_init(&r.start, NULL, THIEVES), 0);
    (void)setenv("BL_CLAIM_BEAT", "1000", 1);
    bl_claims *stopped = bl_claims_open();
    for (size_t i = 0; i < THIEVES; i++) r.claims[i] = bl_claims_open();
    for (int round = 0; round < ROUNDS; round++) {
        char path[BL_PATH];
        pthread_t thread[THIEVES];
        bl_claim *old = NULL;
        if (round % 3 == 1) {
            old = take(stopped, f);
            assert_non_null(old);
            age(f, 1000);
        } else if (round % 3 == 2) {
            CHECK_OK(bl_path(path, ERR, "%s/claim.d", f->dir));
            CHECK_OK(bl_make_dirs(path, ERR));
        }
        r.next = 0;
        for (size_t i = 0; i < THIEVES; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, steal, &r), 0);
        for (size_t i = 0; i < THIEVES; i++) (void)pthread_join(thread[i], NULL);
        size_t winners = 0;
        for (size_t i = 0; i < THIEVES; i++) {
            if (r.won[i] == NULL) continue;
            winners++;
            CHECK_OK(bl_claim_write(r.won[i], "x", "x", 1, ERR));
            bl_claim_remove(r.won[i], "x");
        }
        assert_int_equal(winners, 1);
        for (size_t i = 0; i < THIEVES; i++) bl_claim_release(r.won[i]);
        bl_claim_release(old);
    }
    for (size_t i = 0; i < THIEVES; i++) bl_claims_close(r.claims[i]);
    bl_claims_close(stopped);
    (void)pthread_barrier_destroy(&r.start);
}

/* fsck and gc remove a dead claim. Another process takes it over after they have looked: what is
 * removed then must not be the new one's. */
static void test_clearing_never_meets_the_next_owner(void **state) {
    const fixture *f = *state;
    (void)setenv("BL_CLAIM_BEAT", "1000", 1);
    bl_claims *stopped = bl_claims_open();
    bl_claim *old = take(stopped, f);
    age(f, 1000);
    g_taker = f;
    CHECK_OK(bl_store_remove_leftover(f->dir, "claim.d", ERR));
    assert_null(g_taker); /* the server was asked, and at that moment it was taken over */
    assert_non_null(g_taken);
    assert_int_equal(bl_claim_state_of(f->dir), BL_CLAIM_HELD);
    CHECK_OK(bl_claim_write(g_taken, "x", "x", 1, ERR));
    bl_claim_remove(g_taken, "x");
    bl_claim_release(g_taken);
    bl_claim_release(old);
    bl_claims_close(stopped);
}

/* A process that is dead on this machine is followed at once, and what it was writing is removed;
 * one that is only stopped is waited for. */
static void test_the_dead_are_followed_at_once(void **state) {
    const fixture *f = *state;
    int status;
    char path[BL_PATH];
    const pid_t child = fork();
    if (child == 0) {
        bl_claims *claims = bl_claims_open();
        bl_claim *claim;
        bl_err err;
        if (bl_claim_acquire(claims, f->dir, &claim, &err) != BL_OK || claim == NULL) _exit(1);
        if (bl_claim_write(claim, "log", "text", 4, &err) != BL_OK) _exit(1);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    assert_null(take(f->mine, f));
    CHECK_OK(bl_path(path, ERR, "%s/log.tmp-AAAAAA", f->dir));
    CHECK_OK(bl_file_write(path, "x", 1, ERR));
    (void)kill(child, SIGKILL);
    /* A zombie is dead, too. */
    bl_claim *claim = NULL;
    while (claim == NULL) claim = take(f->mine, f);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(has(f, "log"));
    assert_int_equal(names_in(f->dir), 2); /* log and claim.d */
    bl_claim_release(claim);
}

static void test_tokens_tell_the_dead_from_the_unknown(void **state) {
    (void)state;
    char token[256], other[256];
    bl_process_token(token, sizeof token);
    bl_process_token(other, sizeof other);
    assert_string_not_equal(token, other);
    assert_false(bl_process_is_dead(token));
    char *rest = strchr(token, '-');
    long pid = 0;
    unsigned long long start = 0;
    assert_int_equal(sscanf(rest, "-%ld-%llu-", &pid, &start), 2);
    /* This process's id, but another start: the id was used again. */
    (void)snprintf(other, sizeof other, "%.8s-%ld-%llu-0", token, pid, start + 1);
    assert_true(bl_process_is_dead(other));
    /* A process that ended and was waited for. */
    int status;
    const pid_t child = fork();
    if (child == 0) _exit(0);
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)snprintf(other, sizeof other, "%.8s-%ld-%llu-0", token, (long)child, start);
    assert_true(bl_process_is_dead(other));
    /* The same from another boot or machine: nothing is known. */
    (void)snprintf(other, sizeof other, "%s-%ld-%llu-0",
                   strncmp(token, "00000000", 8) == 0 ? "11111111" : "00000000", pid, start + 1);
    assert_false(bl_process_is_dead(other));
    assert_false(bl_process_is_dead("anything"));
    assert_false(bl_process_is_dead(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_owner_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writes_replace_publishing_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stale_claim_is_taken_and_its_owner_fenced_off, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_wrong_local_clock_makes_no_claim_stale, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_claim_is_seen_and_cleared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_folder_in_a_file_s_place_is_set_aside, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_clearing_never_meets_the_next_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_owner_beats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_many_exactly_one_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_dead_are_followed_at_once, setup, teardown),
        cmocka_unit_test(test_tokens_tell_the_dead_from_the_unknown),
    };
    return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
