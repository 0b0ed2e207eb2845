/* Columns, tables of columns, and the frame over joined tables: memory only, no file formats.
 *
 *     dictionary    text  ""  "red"  "blue"          code 0 is missing, others by first sight
 *     column        code   1    2      0      1      red, blue, missing, red
 *     hash table    slot   .   (h, 2)  .   (h, 1)    twice as many as there is room for texts
 *
 * So at least half of the slots are free, and a search for a text ends soon. */
#include "engine/data/table/column.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <string.h>

/* ---- dictionary ---- */

static uint32_t hash_text(const char *text, size_t n) {
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

void bl_dict_init(bl_dict *dict) {
    *dict = (bl_dict){.count = 1, .capacity = 16, .slots = 32};
    dict->text = bl_xalloc(dict->capacity * sizeof *dict->text);
    dict->text[0] = bl_xstrdup("");
    dict->slot = bl_xalloc(dict->slots * sizeof *dict->slot);
}

void bl_dict_free(bl_dict *dict) {
    for (uint32_t i = 0; i < dict->count; i++) free(dict->text[i]);
    free(dict->text);
    free(dict->slot);
    *dict = (bl_dict){0};
}

/* The slot of a text: where it is, or where it would be put. */
static bl_dict_slot *find_slot(const bl_dict *dict, const char *text, size_t n, uint32_t hash) {
    for (uint32_t at = hash;; at++) {
        bl_dict_slot *slot = &dict->slot[at & (dict->slots - 1)];
        if (slot->code == 0) return slot;
        if (slot->hash != hash) continue;
        const char *other = dict->text[slot->code];
        if (strncmp(other, text, n) == 0 && other[n] == '\0') return slot;
    }
}

uint32_t bl_dict_find(const bl_dict *dict, const char *text, size_t n) {
    return n == 0 ? 0 : find_slot(dict, text, n, hash_text(text, n))->code;
}

/* Twice the room. The texts differ, so each takes the first slot that is free. */
static void grow_dict(bl_dict *dict) {
    const uint32_t slots = 2 * dict->slots;
    bl_dict_slot *grown = bl_xalloc(slots * sizeof *grown);
    for (uint32_t i = 0; i < dict->slots; i++) {
        uint32_t at = dict->slot[i].hash;
        if (dict->slot[i].code == 0) continue;
        while (grown[at & (slots - 1)].code != 0) at++;
        grown[at & (slots - 1)] = dict->slot[i];
    }
    free(dict->slot);
    dict->slot = grown;
    dict->slots = slots;
    dict->capacity *= 2;
    dict->text = bl_xrealloc(dict->text, dict->capacity * sizeof *dict->text);
}

/* Copies a text that is new. The empty text is code 0, as a missing value is. */
uint32_t bl_dict_add(bl_dict *dict, const char *text, size_t n) {
    if (n == 0) return 0;
    const uint32_t hash = hash_text(text, n);
    bl_dict_slot *slot = find_slot(dict, text, n, hash);
    if (slot->code != 0) return slot->code;
    if (dict->count == dict->capacity) {
        grow_dict(dict);
        slot = find_slot(dict, text, n, hash);
    }
    char *copy = bl_xalloc(n + 1);
    memcpy(copy, text, n);
    dict->text[dict->count] = copy;
    *slot = (bl_dict_slot){hash, dict->count};
    return dict->count++;
}

/* ---- table ---- */

/* The table owns it. Its cells come with bl_table_reserve. */
bl_column *bl_table_add(bl_table *table, const char *name, bl_column_type type) {
    bl_column *column = bl_xalloc(sizeof *column);
    column->name = bl_xstrdup(name);
    column->type = type;
    if (type == BL_COLUMN_TEXT) bl_dict_init(&column->dict);
    *BL_PUSH(table->column, table->columns, "columns of a table") = column;
    return column;
}

bl_column *bl_table_find(const bl_table *table, const char *name) {
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->column[i]->name, name) == 0) return table->column[i];
    return NULL;
}

/* False when memory ran out; the column then keeps its old cells. */
static bool resize_column(bl_column *column, size_t rows) {
    const bool text = column->type == BL_COLUMN_TEXT;
    size_t bytes;
    if (!bl_mul_size(&bytes, rows, text ? sizeof(uint32_t) : sizeof(double))) return false;
    void *grown = realloc(text ? (void *)column->code : (void *)column->number, bytes);
    if (grown == NULL) return false;
    if (text)
        column->code = grown;
    else
        column->number = grown;
    return true;
}

bl_status bl_table_reserve(bl_table *table, size_t rows, bl_err *err) {
    if (rows <= table->capacity) return BL_OK;
    if (rows >= BL_NO_ROW)
        BL_FAIL(err, BL_EINVAL, "table '%s' has more than %u rows", table->name, BL_NO_ROW - 1);
    for (size_t i = 0; i < table->columns; i++)
        if (!resize_column(table->column[i], rows))
            BL_FAIL(err, BL_ENOMEM, "no memory for %zu rows of table '%s'", rows, table->name);
    table->capacity = rows;
    return BL_OK;
}

void bl_table_free(bl_table *table) {
    for (size_t i = 0; i < table->columns; i++) {
        bl_column *column = table->column[i];
        free(column->name);
        free(column->number);
        free(column->code);
        if (column->type == BL_COLUMN_TEXT) bl_dict_free(&column->dict);
        free(column);
    }
    free(table->column);
    *table = (bl_table){0};
}

/* ---- frame ---- */

/* Copies nothing: name, column and map have to outlive the frame. A second view of the same name
 * is never found. */
void bl_frame_add(bl_frame *frame, const char *name, const bl_column *column, const uint32_t *map) {
    *BL_PUSH(frame->view, frame->views, "columns of a data set") = (bl_view){name, column, map};
}

const bl_view *bl_frame_find(const bl_frame *frame, const char *name) {
    for (size_t i = 0; i < frame->views; i++)
        if (strcmp(frame->view[i].name, name) == 0) return &frame->view[i];
    return NULL;
}

bl_column *bl_frame_compute(bl_frame *frame, const char *name, bl_column_type type) {
    bl_column *column = bl_table_add(&frame->derived, name, type);
    if (!resize_column(column, bl_size_max(frame->rows, 1))) return NULL;
    bl_frame_add(frame, column->name, column, NULL);
    return column;
}

void bl_frame_free(bl_frame *frame) {
    bl_table_free(&frame->derived);
    for (size_t i = 0; i < frame->map_count; i++) free(frame->maps[i]);
    free(frame->maps);
    free(frame->view);
    free(frame->order);
    free(frame->group_of);
    *frame = (bl_frame){0};
}
