/* The declaration of a data set, datasets/NAME.cfg, as structures (docs/data.md explains each
 * part). Strings and nodes point into the parsed document, which the manifest owns. */
#ifndef BL_ENGINE_DATA_MANIFEST_MANIFEST_H
#define BL_ENGINE_DATA_MANIFEST_MANIFEST_H
#include "engine/config/doc.h"
#include "engine/data/table/field_format.h"
#include <stdint.h>

typedef struct bl_string_list {
    const char **v;
    size_t n;
    const bl_node *node; /* the list, for messages */
} bl_string_list;

typedef struct bl_source_decl {
    const char *file;          /* below the data set's folder, without .gz */
    const char *sha256;        /* of the uncompressed content; NULL: not checked */
    const char *stored_sha256; /* of FILE.gz; NULL: the content is checked */
    const char *value;         /* of the table's file_column */
    const bl_node *node;
} bl_source_decl;

typedef struct bl_table_decl {
    const char *name;
    const char *separator;
    const char *file_column; /* a text column that is constant within each file */
    const char *encoding;    /* of the file's text: a name of bl_csv_encoding_name; NULL: UTF-8 */
    bool trim;               /* blanks round fields do not count */
    const char *decimal, *thousands, *dates;           /* as in `format`; NULL: not declared */
    bl_string_list missing, units;                     /* likewise */
    bl_field_format format;                            /* of these five */
    bl_string_list number, date, time, text, interval; /* columns that are read, by type */
    const bl_node *rename_node;
    bl_string_list rename; /* old, new, old, new, ... */
    bl_source_decl *file;
    size_t files;
    const bl_node *files_node, *node;
} bl_table_decl;

/* Each row of the frame gets the row of `table` with equal `key` columns and, with `interval`,
 * whose interval holds the frame's `date`. */
typedef struct bl_join_decl {
    const char *table, *interval, *date;
    bl_string_list key;
    const bl_node *node;
} bl_join_decl;

typedef struct bl_derive_decl {
    const char *op, *name;
    const char *of, *group, *date, *part, *year, *month, *week;
    int64_t max, window, first_year;
    const bl_node *node;
} bl_derive_decl;

/* Rows stay when above < value < below and, for texts, when the value equals. */
typedef struct bl_row_filter_decl {
    const char *column, *equals;
    double above, below;
    const bl_node *node;
} bl_row_filter_decl;

typedef struct bl_variant_decl {
    const char *name;
    bl_string_list tables;
    const bl_node *node;
} bl_variant_decl;

/* One column of the generator: drawn once for each combination of its `per` columns. */
typedef struct bl_synth_decl {
    const char *name;
    bl_string_list per;
    const bl_node *values_node; /* texts or numbers */
    const bl_node *weights_node;
    int64_t count;    /* or the numbers 1 .. count */
    double low, high; /* or numbers in a range, rounded to `step` */
    double step;
    double missing; /* share of missing values */
    double effect;  /* how far the column moves the log target */
    const bl_node *node;
} bl_synth_decl;

typedef struct bl_synthetic_decl {
    int64_t seed;
    const char *group; /* the grid: every group on every date, latest date first */
    int64_t groups;
    const char *date, *first, *last;
    double level, noise, group_effect, weekday_effect, season_effect;
    double closed; /* share of rows whose target is 0 */
    const bl_node *columns_node;
    bl_synth_decl *column;
    size_t columns;
    const bl_node *node; /* NULL: the data set has no generator */
} bl_synthetic_decl;

typedef struct bl_split_decl {
    const char *by;      /* date column: the latest rows are for validation; NULL: the last rows */
    int64_t valid;       /* rows, or */
    double share;        /* of the rows */
    int64_t seed;        /* 1 or more: rows are drawn at random; 0: they are not */
    const char *group;   /* rows of one value of this column are on one side */
    bool stratify;       /* with a seed: each class has the same share of the held-out rows */
    bl_string_list test; /* images: the tables that hold test rows */
    const bl_node *node;
} bl_split_decl;

/* Pictures instead of tables of columns: the tables only list files. */
typedef struct bl_picture_decl {
    const char *format;                       /* a row of bl_picture_format_table */
    int64_t height, width, channels, classes; /* as the files have them */
    int64_t resize_height, resize_width;      /* what a net gets; 0: the same */
    const bl_node *node;                      /* NULL: the data set is a table */
} bl_picture_decl;

/* Its generator: each class has a smooth picture, each example a shifted, noisy copy. */
typedef struct bl_picture_synth_decl {
    int64_t seed, rows, test_rows;
    double noise; /* deviation, in parts of the picture's range */
    const bl_node *node;
} bl_picture_synth_decl;

/* A data set that is a definition (random_labels.h): nothing else is declared. */
typedef struct bl_synth_labels_decl {
    int64_t seed, rows, inputs, classes;
    int64_t valid;       /* further rows, for evaluations; 0: they look at the training rows */
    const char *rule;    /* of labels: "linear"; NULL: none */
    double noise;        /* share of the labels that do not follow it */
    const bl_node *node; /* NULL: the data set has files */
} bl_synth_labels_decl;

typedef struct bl_manifest {
    bl_doc doc;
    char name[64];
    const char *title, *terms, *origin, *folder;
    bl_table_decl *table; /* table[0] is the one that is joined to */
    size_t tables;
    bl_join_decl *join;
    size_t joins;
    bl_derive_decl *derive;
    size_t derives;
    bl_row_filter_decl *filter;
    size_t filters;
    bl_variant_decl *variant; /* at least one */
    size_t variants;
    bl_string_list categorical, continuous, ignored;
    const char *target, *transform;
    const char *scale;      /* of the target: "none" or "standard" */
    bl_string_list classes; /* labels of the target, a column of texts; none: it is a number */
    bl_split_decl split;
    bl_synthetic_decl synthetic;
    bl_picture_decl image;
    bl_picture_synth_decl image_synthetic;
    bl_synth_labels_decl random_labels;
} bl_manifest;

/* Reads and checks PATH as the declaration of `name`: keys, types, names of columns, tables and
 * operations. No data file is opened. */
bl_status bl_manifest_read(bl_manifest *out, const char *path, const char *name,
                           bl_err *err) BL_CHECKED;
bl_status bl_manifest_parse(bl_manifest *out, const char *text, size_t n, const char *path,
                            const char *name, bl_err *err) BL_CHECKED;
void bl_manifest_free(bl_manifest *manifest);

/* What the declaration means, apart from layout, comments, key order and prose; with or without the
 * generator. Input of the data set's SHA-256. */
void bl_manifest_canonical(const bl_manifest *manifest, bool synthetic, bl_buf *out);

bool bl_manifest_has_generator(const bl_manifest *manifest);
bool bl_string_list_contains(const bl_string_list *texts, const char *text);
const bl_table_decl *bl_manifest_table(const bl_manifest *manifest, const char *name);
/* The name a table's column gets in the frame. */
const char *bl_table_renamed(const bl_table_decl *table, const char *name);
#endif
