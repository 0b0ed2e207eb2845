/* Messages between a planner and the process of its script; private to the room. They pass over a
 * pair of stream sockets.
 *
 *     script                                 planner
 *     LOAD name ("": the script itself)  ->
 *                                        <-  ANSWER path, text        or REFUSED why
 *     ROUND title, race, slack, count    ->
 *     TRIAL settings, budget, ...        ->  (as many as announced; neither is answered)
 *     RUN                                ->
 *                                        <-  ANSWER result, ...       or REFUSED why
 *     DECIDE json                        ->
 *                                        <-  ANSWER
 *     TIMES sizes                        ->
 *                                        <-  ANSWER seconds
 *     END status, message                ->  and the process ends
 *
 * A message is a kind and a length of eight bytes each, in the machine's own order, and so many
 * bytes of fields: whole numbers and doubles of eight bytes, texts as a length and their bytes.
 * REFUSED becomes an error of the script, which it may catch; a fault of the host never comes back,
 * since the planner ends the process then.
 *
 * Both ends send and read many messages at a time: a system call for each of 100,000 trials would
 * take more of the script's processor time than Lua does. */
#ifndef BL_ENGINE_LUA_WIRE_H
#define BL_ENGINE_LUA_WIRE_H
#include "engine/base/buf.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum bl_wire_kind {
    BL_WIRE_LOAD,
    BL_WIRE_ROUND,
    BL_WIRE_TRIAL,
    BL_WIRE_RUN,
    BL_WIRE_DECIDE,
    BL_WIRE_TIMES,
    BL_WIRE_END,
    BL_WIRE_ANSWER,
    BL_WIRE_REFUSED
} bl_wire_kind;

enum { BL_WIRE_BATCH = 16 << 10 };

/* One of the two ends. All but `fd` begins as zeros. */
typedef struct bl_wire {
    int fd;
    bl_buf out;     /* messages that have not been sent */
    size_t at, end; /* in `in`: what has come and has not been read */
    char in[BL_WIRE_BATCH];
} bl_wire;

/* Each is false when the other side is gone. Messages that were added go out when there are
 * BL_WIRE_BATCH bytes of them, or by bl_wire_send: before an answer is waited for. */
bool bl_wire_add(bl_wire *w, bl_wire_kind kind, const bl_buf *fields);
bool bl_wire_send(bl_wire *w);
bool bl_wire_receive_head(bl_wire *w, bl_wire_kind *kind, size_t *length);
bool bl_wire_receive(bl_wire *w, void *bytes, size_t length);
/* Frees what the end holds; the socket stays open. */
void bl_wire_free(bl_wire *w);

void bl_wire_put_i64(bl_buf *out, int64_t value);
void bl_wire_put_f64(bl_buf *out, double value);
void bl_wire_put_bytes(bl_buf *out, const char *bytes, size_t length);
void bl_wire_put_text(bl_buf *out, const char *text);

/* Reads the fields of one message in order. Past its end, or where a text does not fit, `bad` is
 * set and what is read is 0 or "". */
typedef struct bl_wire_reader {
    const char *at, *end;
    bool bad;
} bl_wire_reader;
int64_t bl_wire_get_i64(bl_wire_reader *in);
double bl_wire_get_f64(bl_wire_reader *in);
/* In the message itself, followed by a 0; *length may be NULL. */
const char *bl_wire_get_text(bl_wire_reader *in, size_t *length);
#endif
