/* Opening a data set: from its name to rows that a net can be trained on.
 *
 *     datasets/NAME.cfg --read--> manifest --look--> variant --open--> sources (hash checked)
 *         |                                                                |
 *         +------------------ SHA-256 of declaration and contents ---------+
 *                                          |
 *              cache file of that SHA-256 --+-- none: read, join, derive, encode -> block
 *                                          |
 *                                     bl_dataset (points into the mapped file or the block)
 *
 * The order matters. The variant is chosen by which files exist, before any of them is read: the
 * best variant whose files are all there, else the generator. A data set of which only some files
 * are there is an error, never a reason to train on generated rows. Each source is then held to its
 * declared SHA-256, and the hash of everything that decides the result is the data set's identity:
 * it is part of a run's identity, and a cache file counts only under the same one. What is read
 * from the cache is checked like any other input, because bytes on a disk change.
 *
 * The caller owns the bl_dataset; its `owner` is the mapping or the block, freed by
 * bl_dataset_free. One call of bl_dataset_open is one struct opening, which owns the manifest and
 * the open sources. */
#include "engine/data/dataset_open.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/base/sha256.h"
#include "engine/config/doc.h"
#include "engine/data/block.h"
#include "engine/data/cache.h"
#include "engine/data/image/picture.h"
#include "engine/data/source.h"
#include "engine/data/synth/random_labels.h"
#include "engine/data/synth/synth.h"
#include "engine/data/table/derive.h"
#include "engine/data/table/encode.h"
#include "engine/data/table/join.h"
#include "engine/data/table/table_read.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Raised when the same declaration and sources give other bytes than before. */
#define ENCODING "batchlab data 1"

#define NONE "none"

/* What a bl_dataset points into. */
typedef struct owner {
    bl_map map;
    unsigned char *block;
} owner;

/* One call of bl_dataset_open. */
typedef struct opening {
    const bl_dataset_options *options;
    bl_manifest manifest;
    const bl_variant_decl *variant;
    bool synthetic;
    bl_source **source; /* (tables)(files): of the variant's tables, else NULL */
    char sha256[65];
    char cache_path[BL_PATH]; /* "": no cache */
} opening;

BL_PRINTF(2, 3)
/* Tells the caller a line of progress; nothing where nobody listens. */
static void narrate(const bl_dataset_options *options, const char *fmt, ...) {
    char text[BL_ERR_TEXT];
    if (options->say == NULL) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    options->say(options->say_ctx, text);
}

/* ---- declaration ---- */

/* Fails with the names of the data sets that there are, and the nearest one. */
static bl_status unknown_dataset(const char *name, const char *folder, bl_err *err) {
    bl_names names;
    bl_buf known = {0};
    BL_TRY(bl_dir_list(&names, folder, err));
    const char **found = bl_xalloc((names.count + 1) * sizeof *found);
    size_t count = 0;
    for (size_t i = 0; i < names.count; i++) {
        const size_t n = strlen(names.name[i]);
        if (n <= 4 || strcmp(names.name[i] + n - 4, ".cfg") != 0) continue;
        names.name[i][n - 4] = '\0';
        bl_buf_printf(&known, "%s%s", count > 0 ? ", " : "", names.name[i]);
        found[count++] = names.name[i];
    }
    const char *near = bl_nearest(name, found, count);
    char hint[BL_NEAREST_HINT];
    (void)BL_ERR(err, BL_EMISSING, "no data set '%s': there is no %s/%s.cfg; data sets here: %s%s",
                 name, folder, name, count > 0 ? bl_buf_text(&known) : "none",
                 bl_nearest_hint(hint, "; ", near));
    free(found);
    bl_buf_free(&known);
    bl_names_free(&names);
    return BL_EMISSING;
}

/* From the project's folder, else from the shipped ones. A name with '/' or a leading '.' leaves
 * the folder and is none. */
static bl_status read_manifest(bl_manifest *m, const char *name, const bl_dataset_options *options,
                               bl_err *err) {
    char path[BL_PATH];
    if (name[0] == '\0' || strchr(name, '/') != NULL || name[0] == '.')
        BL_FAIL(err, BL_EINVAL, "'%s' is no name of a data set", name);
    BL_TRY(bl_path(path, err, "%s/%s.cfg", options->manifest_dir, name));
    if (!bl_file_exists(path) && options->more_manifests != NULL) {
        char shipped[BL_PATH];
        BL_TRY(bl_path(shipped, err, "%s/%s.cfg", options->more_manifests, name));
        if (bl_file_exists(shipped)) return bl_manifest_read(m, shipped, name, err);
    }
    if (!bl_file_exists(path)) return unknown_dataset(name, options->manifest_dir, err);
    return bl_manifest_read(m, path, name, err);
}

/* What the declaration alone says of an example. Rows and cardinalities need the data. */
static void shape_of_declaration(bl_dataset *shape, const bl_manifest *m) {
    const bl_picture_decl *i = &m->image;
    shape->categorical = m->categorical.n;
    shape->continuous = m->continuous.n;
    if (i->node != NULL) {
        shape->height = (size_t)i->height;
        shape->width = (size_t)i->width;
        shape->channels = (size_t)i->channels;
        shape->continuous = shape->height * shape->width * shape->channels;
        shape->classes = (size_t)i->classes;
    }
    if (m->random_labels.node != NULL) {
        shape->continuous = (size_t)m->random_labels.inputs;
        shape->classes = (size_t)m->random_labels.classes;
    }
    if (m->classes.n > 0) shape->classes = m->classes.n;
    shape->target_max = 1.0; /* of the rows, which nobody has looked at */
    (void)snprintf(shape->target_transform, sizeof shape->target_transform, "%s",
                   m->transform != NULL ? m->transform : "none");
}

bl_status bl_dataset_check(bl_dataset *shape, const char *name, const bl_dataset_options *options,
                           bl_err *err) {
    bl_manifest m;
    *shape = (bl_dataset){0};
    (void)snprintf(shape->name, sizeof shape->name, "%s", name);
    if (strcmp(name, NONE) == 0) return BL_OK;
    BL_TRY(read_manifest(&m, name, options, err));
    shape_of_declaration(shape, &m);
    bl_manifest_free(&m);
    return BL_OK;
}

/* ---- which variant is there ---- */

/* The first file of the variant that no data folder holds, or NULL. */
static const bl_source_decl *missing_file(const opening *o, const bl_variant_decl *variant) {
    char path[BL_PATH];
    for (size_t t = 0; t < o->manifest.tables; t++) {
        const bl_table_decl *table = &o->manifest.table[t];
        if (!bl_string_list_contains(&variant->tables, table->name)) continue;
        for (size_t f = 0; f < table->files; f++)
            if (!bl_source_find(path, o->options->data_path, o->manifest.folder,
                                table->file[f].file))
                return &table->file[f];
    }
    return NULL;
}

/* Whether at least one declared file is there, of any variant. */
static bool any_file(const opening *o) {
    char path[BL_PATH];
    for (size_t t = 0; t < o->manifest.tables; t++)
        for (size_t f = 0; f < o->manifest.table[t].files; f++)
            if (bl_source_find(path, o->options->data_path, o->manifest.folder,
                               o->manifest.table[t].file[f].file))
                return true;
    return false;
}

/* Half a data set is a mistake to be told of, no reason to train on generated rows. */
static bl_status fail_incomplete(const opening *o, bl_err *err) {
    const bl_manifest *m = &o->manifest;
    const bl_source_decl *missing = missing_file(o, &m->variant[m->variants - 1]);
    BL_FAIL(err, BL_EMISSING,
            "data set '%s': %s/%s is missing, although other files of it are there\n"
            "  expected SHA-256 %s\n"
            "  get it from %s%s",
            m->name, m->folder, missing->file,
            missing->sha256 != NULL ? missing->sha256 : "(not declared)", m->origin,
            bl_manifest_has_generator(m) ? "\n  or train on generated rows with --synthetic" : "");
}

/* Says where the file was looked for: "shops/days.csv is not in DATA:DATA" or, in a folder of its
 * own, "days.csv is not in /home/me/tables". */
static void describe_absence(bl_buf *out, const opening *o, const bl_source_decl *missing) {
    const char *folder = o->manifest.folder, *data = o->options->data_path;
    if (!bl_source_own_folder(folder)) {
        bl_buf_printf(out, "%s/%s is not in %s", folder, missing->file,
                      data != NULL && data[0] != '\0' ? data : "any data folder (none is set)");
        return;
    }
    bl_buf_printf(out, "%s is not in %s", missing->file, folder);
    if (!bl_dir_exists(folder)) bl_buf_str(out, ", which is not a folder");
}

/* No variant is complete, and there is no generator. */
static bl_status fail_absent(const opening *o, bl_err *err) {
    const bl_manifest *m = &o->manifest;
    bl_buf absent = {0};
    describe_absence(&absent, o, missing_file(o, m->variant));
    (void)BL_ERR(err, BL_EMISSING, "data set '%s': %s; get it from %s", m->name,
                 bl_buf_text(&absent), m->origin);
    bl_buf_free(&absent);
    return BL_EMISSING;
}

/* The first variant whose files are all there, or NULL; says of each that is passed over what it
 * lacks. */
static const bl_variant_decl *first_complete_variant(const opening *o) {
    const bl_manifest *m = &o->manifest;
    for (size_t i = 0; i < m->variants; i++) {
        const bl_source_decl *missing = missing_file(o, &m->variant[i]);
        if (missing == NULL) return &m->variant[i];
        bl_buf absent = {0};
        describe_absence(&absent, o, missing);
        narrate(o->options, "%s: %s%s%s", m->name, m->variants > 1 ? m->variant[i].name : "",
                m->variants > 1 ? ": " : "", bl_buf_text(&absent));
        bl_buf_free(&absent);
    }
    return NULL;
}

/* Sets o->variant and o->synthetic: the first complete variant, else the generator. */
static bl_status choose_variant(opening *o, bl_err *err) {
    const bl_manifest *m = &o->manifest;
    o->synthetic = o->options->synthetic;
    if (!o->synthetic) o->variant = first_complete_variant(o);
    if (o->variant != NULL) {
        if (o->variant != m->variant)
            narrate(o->options, "%s: variant '%s', %s", m->name, o->variant->name,
                    m->image.format != NULL ? "the part of the pictures that is here"
                                            : "without the columns of the absent tables");
        return BL_OK;
    }
    if (!o->options->synthetic && any_file(o)) return fail_incomplete(o, err);
    o->variant = m->variant;
    o->synthetic = true;
    if (bl_manifest_has_generator(m)) {
        narrate(o->options, "%s: SYNTHETIC DATA from the generator; get the real data from %s",
                m->name, m->origin);
        return BL_OK;
    }
    if (o->options->synthetic)
        BL_FAIL(err, BL_EINVAL, "%s: data set '%s' declares no generator", m->doc.root->file,
                m->name);
    return fail_absent(o, err);
}

/* ---- sources and identity ---- */

/* Opens and checks every file of the variant: o->source[table][file], NULL for tables of others. */
static bl_status open_sources(opening *o, bl_err *err) {
    const bl_manifest *m = &o->manifest;
    char path[BL_PATH];
    o->source = bl_xalloc((m->tables + 1) * sizeof *o->source);
    for (size_t t = 0; t < m->tables; t++) {
        const bl_table_decl *table = &m->table[t];
        if (!bl_string_list_contains(&o->variant->tables, table->name)) continue;
        o->source[t] = bl_xalloc(table->files * sizeof **o->source);
        for (size_t f = 0; f < table->files; f++) {
            const char *file = table->file[f].file;
            if (!bl_source_find(path, o->options->data_path, m->folder, file))
                BL_FAIL(err, BL_EMISSING, "%s/%s has just disappeared", m->folder, file);
            BL_TRY(bl_source_open(&o->source[t][f], path, m, &table->file[f], err));
        }
    }
    return BL_OK;
}

static void close_sources(opening *o) {
    for (size_t t = 0; o->source != NULL && t < o->manifest.tables; t++) {
        for (size_t f = 0; o->source[t] != NULL && f < o->manifest.table[t].files; f++)
            bl_source_close(&o->source[t][f]);
        free(o->source[t]);
    }
    free(o->source);
    o->source = NULL;
}

/* Declaration, variant and the content of every source; of generated data, the declaration. */
static void compute_identity(opening *o) {
    bl_buf text = {0};
    bl_buf_printf(&text, "%s\n%s\n%s\n", ENCODING, o->synthetic ? "synthetic" : "real",
                  o->variant->name);
    bl_manifest_canonical(&o->manifest, o->synthetic, &text);
    for (size_t t = 0; !o->synthetic && t < o->manifest.tables; t++)
        for (size_t f = 0; o->source[t] != NULL && f < o->manifest.table[t].files; f++)
            bl_buf_printf(&text, "\n%s %s", o->manifest.table[t].file[f].file,
                          o->source[t][f].content_sha256);
    bl_sha256_of(bl_buf_text(&text), text.len, o->sha256);
    bl_buf_free(&text);
}

/* ---- building ---- */

/* Reads a table's files into one table, closing each source as soon as it was read. */
static bl_status read_table(bl_table *table, opening *o, size_t t, bl_err *err) {
    const bl_table_decl *decl = &o->manifest.table[t];
    bl_table_declare(table, decl);
    for (size_t f = 0; f < decl->files; f++) {
        const char *text;
        size_t n;
        bl_source *source = &o->source[t][f];
        BL_TRY(bl_source_text(source, &text, &n, err));
        BL_TRY(bl_table_append(table, decl, text, n, source->path, decl->file[f].value, err));
        bl_source_close(source);
    }
    return BL_OK;
}

/* The variant's tables and the frame over them. The frame points into `tables`, which must outlive
 * it: views of the first table, then what each join adds. */
static bl_status read_and_join(bl_frame *frame, bl_table *tables, opening *o, bl_err *err) {
    const bl_manifest *m = &o->manifest;
    for (size_t t = 0; t < m->tables; t++)
        if (o->source[t] != NULL) BL_TRY(read_table(&tables[t], o, t, err));
    frame->rows = tables[0].rows;
    for (size_t i = 0; i < tables[0].columns; i++)
        bl_frame_add(frame, tables[0].column[i]->name, tables[0].column[i], NULL);
    for (size_t j = 0; j < m->joins; j++) {
        const size_t t = (size_t)(bl_manifest_table(m, m->join[j].table) - m->table);
        if (o->source[t] != NULL) BL_TRY(bl_join(frame, &tables[t], &m->join[j], err));
    }
    return BL_OK;
}

/* Columns: read or generate, derive, encode. *block is the caller's to free. */
static bl_status build_table(unsigned char **block, bl_block_header *header, opening *o,
                             bl_err *err) {
    const bl_manifest *m = &o->manifest;
    bl_table *tables = bl_xalloc((m->tables + 1) * sizeof *tables);
    bl_frame frame = {0};
    bl_status status;
    if (o->synthetic)
        BL_GOTO(bl_synthesise(&frame, m, err));
    else
        BL_GOTO(read_and_join(&frame, tables, o, err));
    for (size_t i = 0; i < m->derives; i++) BL_GOTO(bl_derive(&frame, &m->derive[i], err));
    BL_GOTO(bl_encode(block, header, &frame, m, err));
done:
    bl_frame_free(&frame);
    for (size_t t = 0; t < m->tables; t++) bl_table_free(&tables[t]);
    free(tables);
    return status;
}

/* The table's files in groups that belong together. */
static bl_status add_image_parts(bl_picture_files *part, size_t *parts, opening *o, size_t t,
                                 bl_err *err) {
    const bl_manifest *m = &o->manifest;
    const size_t group = bl_picture_format_find(m->image.format)->files;
    const bool test = bl_string_list_contains(&m->split.test, m->table[t].name);
    for (size_t f = 0; f + group <= m->table[t].files; f += group) {
        bl_picture_files *p = &part[(*parts)++];
        *p = (bl_picture_files){.test = test};
        for (size_t i = 0; i < group; i++) {
            const char *text;
            BL_TRY(bl_source_text(&o->source[t][f + i], &text, &p->n[i], err));
            p->bytes[i] = (const uint8_t *)text;
            p->path[i] = o->source[t][f + i].path;
        }
    }
    return BL_OK;
}

/* Pictures: training files first, then those for testing, in the order of the declaration. */
static bl_status build_image(unsigned char **block, bl_block_header *header, opening *o,
                             bl_err *err) {
    const bl_manifest *m = &o->manifest;
    bl_status status;
    size_t files = 0, parts = 0;
    if (o->synthetic) return bl_picture_synthesise(block, header, m, err);
    for (size_t t = 0; t < m->tables; t++) files += m->table[t].files;
    bl_picture_files *part = bl_xalloc((files + 1) * sizeof *part);
    for (int test = 0; test < 2; test++)
        for (size_t t = 0; t < m->tables; t++)
            if (o->source[t] != NULL &&
                bl_string_list_contains(&m->split.test, m->table[t].name) == test)
                BL_GOTO(add_image_parts(part, &parts, o, t, err));
    BL_GOTO(bl_picture_encode(block, header, m, part, parts, err));
done:
    free(part);
    return status;
}

/* A block for what was declared, whichever kind it is. *n gets its bytes. */
static bl_status build_block(unsigned char **block, size_t *n, opening *o, bl_err *err) {
    const bl_manifest *m = &o->manifest;
    bl_block_header header = {.synthetic = o->synthetic};
    snprintf(header.name, sizeof header.name, "%s", m->name);
    snprintf(header.variant, sizeof header.variant, "%s", o->variant->name);
    memcpy(header.sha256, o->sha256, sizeof header.sha256);
    if (m->random_labels.node != NULL)
        BL_TRY(bl_synth_random_labels(block, &header, m, err));
    else
        BL_TRY((m->image.node != NULL ? build_image : build_table)(block, &header, o, err));
    *n = header.bytes;
    return BL_OK;
}

/* A cache that cannot be written costs time at the next start and nothing else. */
static void write_cache(const opening *o, const unsigned char *block, size_t n) {
    bl_err err = {0};
    if (!o->cache_path[0]) return;
    bl_status status = bl_make_dirs(o->options->cache_dir, &err);
    if (status == BL_OK) status = bl_cache_write(o->cache_path, block, n, &err);
    if (status != BL_OK) narrate(o->options, "%s: not cached: %s", o->manifest.name, err.text);
}

/* From the cache if it holds this identity, else built and then cached. `own` gets what `out`
 * points into, also after a failure: the caller frees it. */
static bl_status read_cache_or_build(bl_dataset *out, opening *o, owner *own, bl_err *err) {
    bl_err why = {0};
    if (o->cache_path[0]) {
        const bl_status status = bl_cache_read(out, &own->map, o->cache_path, o->sha256, &why);
        if (status == BL_OK) return BL_OK;
        if (status != BL_EMISSING)
            narrate(o->options, "%s: the cache %s is damaged (%s) and is made anew",
                    o->manifest.name, o->cache_path, why.text);
    }
    size_t n = 0;
    narrate(o->options, "%s: %s", o->manifest.name,
            o->synthetic                             ? "generating"
            : o->manifest.random_labels.node != NULL ? "drawing the points"
            : o->manifest.image.node != NULL         ? "reading the pictures"
                                                     : "reading, joining and encoding the tables");
    BL_TRY(build_block(&own->block, &n, o, err));
    BL_TRY(bl_block_open(out, own->block, n, err));
    write_cache(o, own->block, n);
    return BL_OK;
}

/* Everything after the declaration was read. */
static bl_status open_declared(bl_dataset *out, opening *o, bl_err *err) {
    const char *name = o->manifest.name;
    BL_TRY(choose_variant(o, err));
    if (!o->synthetic) BL_TRY(open_sources(o, err));
    compute_identity(o);
    if (o->options->cache_dir != NULL)
        BL_TRY(bl_path(o->cache_path, err, "%s/%s%s%s.cache", o->options->cache_dir, name,
                       o->synthetic || o->variant->name[0] ? "-" : "",
                       o->synthetic ? "synthetic" : o->variant->name));
    owner *own = bl_xalloc(sizeof *own);
    const bl_status status = read_cache_or_build(out, o, own, err);
    if (status == BL_OK) {
        out->owner = own;
    } else {
        bl_file_unmap(&own->map);
        free(own->block);
        free(own);
    }
    return status;
}

/* 2^53 rows: an epoch that no run reaches, and a number that doubles hold exactly. */
void bl_dataset_none(bl_dataset *out) {
    const size_t any = (size_t)1 << 53;
    *out = (bl_dataset){.name = NONE, .rows = any, .train_rows = any, .target_transform = "none"};
    bl_sha256_of("", 0, out->sha256);
}

bl_status bl_dataset_open(bl_dataset *out, const char *name, const bl_dataset_options *options,
                          bl_err *err) {
    opening o = {.options = options};
    *out = (bl_dataset){0};
    if (strcmp(name, NONE) == 0) {
        bl_dataset_none(out);
        return BL_OK;
    }
    BL_TRY(read_manifest(&o.manifest, name, options, err));
    const bl_status status = open_declared(out, &o, err);
    close_sources(&o);
    bl_manifest_free(&o.manifest);
    return status;
}

bl_status bl_dataset_of_block(bl_dataset *out, unsigned char *block, size_t bytes, bl_err *err) {
    const bl_status status = bl_block_open(out, block, bytes, err);
    if (status != BL_OK) {
        free(block);
        return status;
    }
    owner *own = bl_xalloc(sizeof *own);
    own->block = block;
    out->owner = own;
    return BL_OK;
}

void bl_dataset_free(bl_dataset *data) {
    owner *own = data->owner;
    if (own != NULL) {
        bl_file_unmap(&own->map);
        free(own->block);
        free(own);
    }
    bl_block_close(data);
}
