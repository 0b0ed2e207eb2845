/* What is read, and what becomes of it:
 *
 *     X.npy y.npy, DATA.npz   pictures or a table, by shape and values (engine/data/array/arrays.h)
 *     FOLDER/CLASS/1.jpg ...  pictures of one size, read by engine/data/image/photo.h
 *
 * Held-out pictures are chosen here, since pictures are split by their order. */
#include "engine/cli/given_arrays.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/base/zip.h"
#include "engine/data/array/arrays.h"
#include "engine/data/dataset.h"
#include "engine/data/table/csv.h"
#include <string.h>
#include <strings.h>

enum { SMALL = 1000, LEAST_ROWS = 20 };
/* Bytes of an array of an archive, which is unpacked in memory. */
static const uint64_t MOST_UNPACKED = (uint64_t)4 << 30;

/* Of any case: .NPZ is one, too. */
static bool ends_in(const char *path, const char *end) {
    const size_t n = strlen(path), m = strlen(end);
    return n >= m && strcasecmp(path + n - m, end) == 0;
}

bool bl_given_are_arrays(const bl_args *args) {
    const char *path = args->operand;
    return ends_in(path, ".npy") || ends_in(path, ".npz") || bl_dir_exists(path);
}

/* ---- arrays ---- */

/* Two arrays by their names, and the bytes behind them. */
typedef struct pair {
    bl_map map[2];
    bl_zip zip;
    bl_buf unpacked[2];
    bl_buf name[2]; /* as in messages: a path, or a path and a member */
    bl_arrays arrays;
} pair;

static void close_pair(pair *p) {
    for (int i = 0; i < 2; i++) {
        if (p->map[i].data != NULL) bl_file_unmap(&p->map[i]);
        bl_buf_free(&p->unpacked[i]);
        bl_buf_free(&p->name[i]);
    }
    bl_zip_close(&p->zip);
}

/* "data/X_train.npy" is called "X_train". */
static void stem_of(bl_buf *out, const char *path) {
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    const size_t n = strlen(base);
    bl_buf_clear(out);
    bl_buf_add(out, base, n > 4 && ends_in(base, ".npy") ? n - 4 : n);
}

/* How much a name sounds like the target: 2 for y_train, 1 for another y, 0 for an X. */
static int sounds_like_y(const char *name) {
    static const char *const words[] = {"y",       "label",  "labels", "target",
                                        "targets", "output", "class",  "classes"};
    for (size_t i = 0; i < BL_COUNT(words); i++) {
        const size_t n = strlen(words[i]);
        if (strncasecmp(name, words[i], n) != 0) continue;
        if (name[n] == '\0' || strcasecmp(name + n, "_train") == 0) return 2;
        if (name[n] == '_' || name[n] == '.') return 1;
    }
    return 0;
}

/* Is one of the words between "_", "-" and "." in it that of held-out rows, as in X_test? */
static bool of_the_test(const char *name) {
    static const char *const words[] = {"test",  "val",   "valid", "validation",
                                        "Xtest", "ytest", "Xval",  "yval"};
    for (size_t n; *name != '\0'; name += n + (name[n] != '\0')) {
        n = strcspn(name, "_-.");
        for (size_t i = 0; i < BL_COUNT(words); i++)
            if (strlen(words[i]) == n && strncasecmp(name, words[i], n) == 0) return true;
    }
    return false;
}

/* The places of X and y among `n` names; those for testing are passed over, unless there are only
 * two, or y is one. A name that the user gave is y. X is the first that is left. */
static bl_status choose_pair(size_t place[2], char *const *name, size_t n, const char *target,
                             const char *path, bl_err *err) {
    size_t best = n, x = n;
    bl_buf names = {0};
    const bool both = n == 2; /* the user, or who made the archive, chose both */
    for (size_t i = 0; i < n; i++) {
        bl_buf_printf(&names, "%s%s", i > 0 ? ", " : "", name[i]);
        if (target != NULL ? strcmp(name[i], target) != 0
                           : (of_the_test(name[i]) && !both) || sounds_like_y(name[i]) == 0)
            continue;
        if (best == n || sounds_like_y(name[i]) > sounds_like_y(name[best])) best = i;
    }
    if (best == n && target == NULL && n == 2) best = 1; /* X comes first */
    const bool tested = best < n && of_the_test(name[best]);
    for (size_t i = n; i-- > 0;)
        if (i != best && (both || of_the_test(name[i]) == tested) &&
            ((both && target != NULL) || sounds_like_y(name[i]) == 0))
            x = i;
    bl_status status = BL_OK;
    if (n < 2)
        status = BL_ERR(err, BL_EINVAL,
                        "%s: %s array; two are needed, the inputs and the target: batchlab init "
                        "X.npy y.npy",
                        path, n == 0 ? "no" : "one");
    else if (best == n && target != NULL)
        status = BL_ERR(err, BL_EINVAL, "%s: no array '%s'; there are %s", path, target,
                        bl_buf_text(&names));
    else if (best == n || x == n)
        status = BL_ERR(err, BL_EINVAL,
                        "%s: the arrays are %s; which one is learnt is said by --target, and "
                        "inputs are called X or x",
                        path, bl_buf_text(&names));
    bl_buf_free(&names);
    place[0] = x;
    place[1] = best;
    return status;
}

/* Unpacks the two arrays and no other. */
static bl_status open_npz(pair *p, const char *path, const char *target, bl_err *err) {
    size_t place[2];
    BL_TRY(bl_file_map(&p->map[0], path, err));
    BL_TRY(bl_zip_open(&p->zip, p->map[0].data, p->map[0].size, path, err));
    char **name = bl_xalloc((p->zip.members + 1) * sizeof *name);
    bl_buf stem = {0};
    for (size_t i = 0; i < p->zip.members; i++) {
        stem_of(&stem, p->zip.member[i].name);
        name[i] = bl_xstrdup(bl_buf_text(&stem));
    }
    const bl_status status = choose_pair(place, name, p->zip.members, target, path, err);
    for (size_t i = 0; i < p->zip.members; i++) free(name[i]);
    free(name);
    bl_buf_free(&stem);
    BL_TRY(status);
    bl_npy *const array[2] = {&p->arrays.x, &p->arrays.y};
    for (int i = 0; i < 2; i++) {
        const bl_zip_member *m = &p->zip.member[place[i]];
        bl_buf_printf(&p->name[i], "%s: %s", path, m->name);
        if (m->bytes > MOST_UNPACKED)
            BL_FAIL(err, BL_EINVAL,
                    "%s unpacks to %.0f GB; at most %.0f GB are unpacked. Save it as .npy",
                    bl_buf_text(&p->name[i]), (double)m->bytes / 1e9, (double)MOST_UNPACKED / 1e9);
        BL_TRY(bl_zip_read(&p->unpacked[i], &p->zip, m, err));
        BL_TRY(bl_npy_read(array[i], bl_buf_text(&p->unpacked[i]), p->unpacked[i].len,
                           bl_buf_text(&p->name[i]), err));
    }
    return BL_OK;
}

/* Each array is a file, and its values are read where they are mapped. */
static bl_status open_npy(pair *p, const bl_args *args, const char *target, bl_err *err) {
    const char *path[2] = {args->operand, args->mores > 0 ? args->more[0] : NULL};
    size_t place[2];
    bl_buf stem[2] = {{0}, {0}};
    if (args->mores > 1)
        BL_FAIL(err, BL_EINVAL, "two arrays are needed, the inputs and the target; %zu are given",
                args->mores + 1);
    for (int i = 0; i < 2 && path[i] != NULL; i++) stem_of(&stem[i], path[i]);
    char *name[2] = {(char *)(uintptr_t)bl_buf_text(&stem[0]),
                     (char *)(uintptr_t)bl_buf_text(&stem[1])};
    const bl_status status = choose_pair(place, name, args->mores + 1, target, args->operand, err);
    for (int i = 0; i < 2; i++) bl_buf_free(&stem[i]);
    BL_TRY(status);
    bl_npy *const array[2] = {&p->arrays.x, &p->arrays.y};
    for (int i = 0; i < 2; i++) {
        bl_buf_str(&p->name[i], path[place[i]]);
        BL_TRY(bl_file_map(&p->map[i], path[place[i]], err));
        BL_TRY(bl_npy_read(array[i], p->map[i].data, p->map[i].size, path[place[i]], err));
    }
    return BL_OK;
}

/* Pictures or the text of a table, with lines on what was understood. */
static bl_status take_pair(bl_given_arrays *out, pair *p, bl_err *err) {
    p->arrays.x_name = bl_buf_text(&p->name[0]);
    p->arrays.y_name = bl_buf_text(&p->name[1]);
    BL_TRY(bl_arrays_check(&p->arrays, err));
    const bl_npy *const array[2] = {&p->arrays.x, &p->arrays.y};
    for (int i = 0; i < 2; i++) {
        bl_buf_printf(&out->said, "  %s %s: ", i == 0 ? "inputs" : "target",
                      bl_buf_text(&p->name[i]));
        bl_npy_describe(&out->said, array[i]);
        bl_buf_str(&out->said, "\n");
    }
    out->classes = bl_arrays_indicate(&p->arrays);
    out->pictures = bl_arrays_pictures(&out->pack, &p->arrays);
    if (out->pictures) return BL_OK;
    const size_t width = p->arrays.x.count / p->arrays.x.shape[0];
    if (width >= BL_CSV_FIELDS)
        BL_FAIL(err, BL_EINVAL, "%s has %zu values a row; a table has at most %d inputs",
                p->arrays.x_name, width, BL_CSV_FIELDS - 1);
    bl_arrays_table(&out->bytes, &p->arrays);
    return BL_OK;
}

static bl_status read_pair(bl_given_arrays *out, const bl_args *args, const char *target,
                           bl_err *err) {
    pair p = {.zip = {0}};
    if (ends_in(args->operand, ".npz") && args->mores > 0)
        BL_FAIL(err, BL_EINVAL, "%s is an archive of arrays: it is given alone", args->operand);
    bl_status status = ends_in(args->operand, ".npz") ? open_npz(&p, args->operand, target, err)
                                                      : open_npy(&p, args, target, err);
    if (status == BL_OK) status = take_pair(out, &p, err);
    close_pair(&p);
    return status;
}

/* ---- a folder of pictures ---- */

/* A file of a class's folder. */
typedef struct found {
    char *path;
    uint8_t class;
    bl_photo_shape shape;
} found;

typedef struct album {
    found *file; /* (files) */
    size_t files, room, others;
    size_t damaged;
    bl_buf first_damage;
} album;

static void free_album(album *a) {
    for (size_t i = 0; i < a->files; i++) free(a->file[i].path);
    free(a->file);
    bl_buf_free(&a->first_damage);
}

/* The pictures of one class. */
static bl_status list_class(album *a, const char *folder, size_t class, bl_err *err) {
    bl_names names = {0};
    bl_status status = bl_dir_list(&names, folder, err);
    for (size_t i = 0; i < names.count && status == BL_OK; i++) {
        char path[BL_PATH];
        if (!bl_photo_named(names.name[i])) {
            a->others++;
            continue;
        }
        status = bl_path(path, err, "%s/%s", folder, names.name[i]);
        if (a->files == a->room) {
            a->room = 2 * a->room + 64;
            a->file = bl_xrealloc(a->file, a->room * sizeof *a->file);
        }
        if (status == BL_OK)
            a->file[a->files++] = (found){.path = bl_xstrdup(path), .class = (uint8_t) class};
    }
    bl_names_free(&names);
    return status;
}

/* Every folder in `folder` that holds pictures is a class. */
static bl_status list_classes(album *a, bl_pack *pack, const char *folder, bl_err *err) {
    bl_names names = {0};
    char below[BL_PATH];
    bl_status status = bl_dir_list(&names, folder, err);
    pack->class = bl_xalloc(BL_PACK_CLASSES * sizeof *pack->class);
    for (size_t i = 0; i < names.count && status == BL_OK; i++) {
        const size_t before = a->files;
        status = bl_path(below, err, "%s/%s", folder, names.name[i]);
        if (status != BL_OK || !bl_dir_exists(below)) continue;
        if (pack->classes == BL_PACK_CLASSES)
            status = BL_ERR(err, BL_EINVAL, "%s: more than %d folders of pictures", folder,
                            BL_PACK_CLASSES);
        if (status == BL_OK) status = list_class(a, below, pack->classes, err);
        if (status == BL_OK && a->files > before)
            pack->class[pack->classes++] = bl_xstrdup(names.name[i]);
    }
    bl_names_free(&names);
    return status;
}

static bl_status map_file(bl_map *map, const found *f, bl_err *err) {
    *map = (bl_map){.data = NULL};
    return bl_file_map(map, f->path, err);
}

/* Is it the file that is at fault? What cannot be opened, such as a folder that is called x.png,
 * counts as damaged. */
static bool is_damaged(bl_status status, bool opened) {
    return status == BL_EFORMAT || (status != BL_OK && status != BL_ENOMEM && !opened);
}

/* A damaged picture is counted, and the first one told. */
static void drop(album *a, found *f, const bl_err *why) {
    if (a->damaged++ == 0) bl_buf_str(&a->first_damage, why->text);
    free(f->path);
    f->path = NULL;
}

/* Picture i, whose bytes are in `map`. BL_EFORMAT: it is damaged. */
typedef bl_status look_at(void *ctx, album *a, size_t i, const bl_map *map, bl_err *err);

/* Looks at what is now picture i. *damaged: it is to leave the album. */
static bl_status look_at_one(album *a, size_t i, look_at *look, void *ctx, bool *damaged,
                             bl_err *err) {
    bl_err why = {0};
    bl_map map;
    bl_status status = map_file(&map, &a->file[i], &why);
    if (status == BL_OK) status = look(ctx, a, i, &map, &why);
    const bool opened = status == BL_OK || map.data != NULL;
    if (map.data != NULL) bl_file_unmap(&map);
    *damaged = is_damaged(status, opened);
    if (*damaged) drop(a, &a->file[i], &why);
    if (*damaged || status == BL_OK) return BL_OK;
    if (err != NULL) *err = why;
    return status;
}

/* Each picture in turn; one that is damaged leaves the album, and the next has its number. */
static bl_status each_picture(album *a, look_at *look, void *ctx, bl_err *err) {
    size_t kept = 0;
    bl_status status = BL_OK;
    for (size_t i = 0; i < a->files && status == BL_OK; i++) {
        bool damaged;
        const found f = a->file[i];
        a->file[i].path = NULL;
        a->file[kept] = f;
        status = look_at_one(a, kept, look, ctx, &damaged, err);
        kept += !damaged;
    }
    if (status == BL_OK) a->files = kept; /* else all are freed as they stand */
    return status;
}

static bl_status measure_one(void *ctx, album *a, size_t i, const bl_map *map, bl_err *err) {
    (void)ctx;
    return bl_photo_measure(&a->file[i].shape, map->data, map->size, a->file[i].path, err);
}

/* Grey if all are; of the size of all, if they have one and it is small, else square. */
static bl_status choose_shape(bl_photo_shape *out, bool *same, const album *a, const char *size,
                              bl_err *err) {
    enum { SIDE = 32, SMALL_SIDE = 64 };
    *out = a->file[0].shape;
    *same = true;
    for (size_t i = 1; i < a->files; i++) {
        const bl_photo_shape *s = &a->file[i].shape;
        *same = *same && s->size.height == out->size.height && s->size.width == out->size.width;
        if (s->channels > out->channels) out->channels = s->channels;
    }
    if (size != NULL) {
        char *end;
        const long side = strtol(size, &end, 10);
        if (*end != '\0' || side < 5 || side > 512 ||
            side * side * (long)out->channels > BL_PICTURE_BYTES)
            BL_FAIL(err, BL_EINVAL,
                    "--size is the side of a picture in pixels, from 5 to %d; not "
                    "'%s'",
                    out->channels > 1 ? 295 : 512, size);
        out->size = (bl_picture_size){side, side};
    } else if (!*same || out->size.height > SMALL_SIDE || out->size.width > SMALL_SIDE ||
               out->size.height < 5 || out->size.width < 5) {
        out->size = (bl_picture_size){SIDE, SIDE};
    } else {
        return BL_OK;
    }
    *same = false;
    return BL_OK;
}

static bl_status read_one(void *ctx, album *a, size_t i, const bl_map *map, bl_err *err) {
    bl_pack *pack = ctx;
    const bl_picture_size *size = &pack->shape.size;
    const size_t each = (size_t)(size->height * size->width) * pack->shape.channels;
    pack->label[i] = a->file[i].class;
    return bl_photo_read(pack->pixels + i * each, &pack->shape, map->data, map->size,
                         a->file[i].path, err);
}

/* Memory for all pictures is asked for once, so pictures that are too many are refused before
 * any is read. */
static bl_status read_all(bl_pack *pack, album *a, bl_err *err) {
    const size_t each =
        (size_t)(pack->shape.size.height * pack->shape.size.width) * pack->shape.channels;
    pack->pixels = bl_alloc(a->files * each + 1);
    pack->label = bl_xalloc(a->files + 1);
    if (pack->pixels == NULL)
        BL_FAIL(err, BL_ENOMEM, "no memory for %zu pictures; --size makes them smaller", a->files);
    BL_TRY(each_picture(a, read_one, pack, err));
    pack->rows = a->files;
    return BL_OK;
}

/* Most of the pictures can be read, and every class has two. */
static bl_status check_album(const album *a, const bl_pack *pack, const char *folder, bl_err *err) {
    size_t rows[BL_PACK_CLASSES] = {0};
    if (a->damaged > 0 && a->damaged * 10 > a->files + a->damaged)
        BL_FAIL(err, BL_EFORMAT, "%s: %zu of %zu pictures cannot be read; the first: %s", folder,
                a->damaged, a->files + a->damaged, bl_buf_text(&a->first_damage));
    for (size_t i = 0; i < a->files; i++) rows[a->file[i].class]++;
    for (size_t k = 0; k < pack->classes; k++)
        if (rows[k] < 2)
            BL_FAIL(err, BL_EINVAL, "%s/%s: a class needs two pictures, %zu can be read", folder,
                    pack->class[k], rows[k]);
    return BL_OK;
}

static void tell_album(bl_given_arrays *out, const album *a, const char *folder, bool same) {
    const bl_pack *p = &out->pack;
    bl_buf_printf(&out->said, "  pictures  %s: %zu of %lld x %lld, %s", folder, p->rows,
                  (long long)p->shape.size.height, (long long)p->shape.size.width,
                  p->shape.channels == 1 ? "grey" : "in colour");
    if (!same) bl_buf_str(&out->said, ", scaled to that; --size makes them larger");
    bl_buf_str(&out->said, "\n");
    if (a->others > 0)
        bl_buf_printf(&out->said, "warning: %zu file%s left out: not called .png, .jpg or .jpeg\n",
                      a->others, a->others == 1 ? " is" : "s are");
    if (a->damaged > 0)
        bl_buf_printf(&out->said, "warning: %zu picture%s left out; the first: %s\n", a->damaged,
                      a->damaged == 1 ? " is" : "s are", bl_buf_text(&a->first_damage));
}

/* FOLDER, or FOLDER/train where the classes lie below that. */
static bl_status read_album(bl_given_arrays *out, album *a, const char *folder, const char *size,
                            bl_err *err) {
    bool same;
    char train[BL_PATH];
    BL_TRY(list_classes(a, &out->pack, folder, err));
    BL_TRY(bl_path(train, err, "%s/train", folder));
    if (a->files == 0 && bl_dir_exists(train)) {
        bl_pack_free(&out->pack);
        BL_TRY(list_classes(a, &out->pack, train, err));
        bl_buf_printf(&out->said, "  the pictures in %s are used, others are left out\n", train);
        folder = train;
    }
    if (out->pack.classes < 2)
        BL_FAIL(err, BL_EINVAL,
                "%s: %s of pictures in it; each class has a folder of its own there, with files "
                ".png, .jpg or .jpeg",
                folder, out->pack.classes == 0 ? "there are no folders" : "there is one folder");
    BL_TRY(each_picture(a, measure_one, NULL, err));
    BL_TRY(check_album(a, &out->pack, folder, err));
    BL_TRY(choose_shape(&out->pack.shape, &same, a, size, err));
    BL_TRY(read_all(&out->pack, a, err));
    BL_TRY(check_album(a, &out->pack, folder, err));
    tell_album(out, a, folder, same);
    return BL_OK;
}

static bl_status read_folder(bl_given_arrays *out, const char *path, const char *size,
                             bl_err *err) {
    album a = {.files = 0};
    char folder[BL_PATH];
    BL_TRY(bl_path(folder, err, "%s", path));
    for (size_t n = strlen(folder); n > 1 && folder[n - 1] == '/';) folder[--n] = '\0';
    const bl_status status = read_album(out, &a, folder, size, err);
    free_album(&a);
    out->pictures = true;
    return status;
}

/* ---- all ---- */

/* Packs the pictures and lets go of them. */
static bl_status pack_pictures(bl_given_arrays *out, bl_err *err) {
    bl_pack *p = &out->pack;
    if (p->rows < LEAST_ROWS)
        BL_FAIL(err, BL_EINVAL, "%zu pictures; at least %d are needed", p->rows, LEAST_ROWS);
    bl_pack_write(&out->bytes, p, p->rows < SMALL ? 0.2 : 0.1);
    free(p->pixels);
    p->pixels = NULL;
    if (p->valid == 0) BL_FAIL(err, BL_EINVAL, "no picture is left to be held out");
    size_t rows[BL_PACK_CLASSES] = {0};
    for (size_t i = 0; i < p->rows; i++) rows[p->label[i]]++;
    bl_buf_printf(&out->said, "  target    %zu classes:", p->classes);
    for (size_t k = 0; k < p->classes && k < 5; k++) {
        bl_buf name = {0};
        bl_text_show_line(&name, p->class[k]);
        bl_buf_printf(&out->said, "%s '%.24s' %.0f %%", k > 0 ? "," : "", bl_buf_text(&name),
                      100.0 * (double)rows[k] / (double)p->rows);
        bl_buf_free(&name);
    }
    bl_buf_str(&out->said, p->classes > 5 ? ", ...\n" : "\n");
    return BL_OK;
}

bl_status bl_given_arrays_read(bl_given_arrays *out, const bl_args *args, const char *name,
                               const char *size, const char *target, bl_err *err) {
    *out = (bl_given_arrays){.pictures = false};
    const bool folder = bl_dir_exists(args->operand);
    if (folder && args->mores > 0)
        BL_FAIL(err, BL_EINVAL, "%s is a folder: it is given alone", args->operand);
    BL_TRY(folder ? read_folder(out, args->operand, size, err) : read_pair(out, args, target, err));
    if (out->pictures) BL_TRY(pack_pictures(out, err));
    (void)snprintf(out->file, sizeof out->file, "%s.%s", name, out->pictures ? "bin" : "csv");
    return BL_OK;
}

void bl_given_arrays_free(bl_given_arrays *g) {
    bl_pack_free(&g->pack);
    bl_buf_free(&g->bytes);
    bl_buf_free(&g->said);
}
