#include "engine/lua/wire.h"
#include "engine/base/mem.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A head of two numbers, then the fields. What is added lies in `out` until there is enough of
 * it. */
bool bl_wire_add(bl_wire *w, bl_wire_kind kind, const bl_buf *fields) {
    const uint64_t head[2] = {(uint64_t)kind, fields->len};
    bl_buf_add(&w->out, head, sizeof head);
    bl_buf_add(&w->out, fields->data, fields->len);
    return w->out.len < BL_WIRE_BATCH || bl_wire_send(w);
}

/* MSG_NOSIGNAL: an end that is gone is an answer here, and no signal that ends the process. */
bool bl_wire_send(bl_wire *w) {
    for (size_t sent = 0; sent < w->out.len;) {
        const ssize_t n = send(w->fd, w->out.data + sent, w->out.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        sent += (size_t)n;
    }
    bl_buf_clear(&w->out);
    return true;
}

/* Waits until something has come; returns how many bytes, 0 when the other side is gone. */
static size_t receive(int fd, char *bytes, size_t room) {
    for (;;) {
        const ssize_t n = recv(fd, bytes, room, 0);
        if (n >= 0) return (size_t)n;
        if (errno != EINTR) return 0;
    }
}

/* Short messages come out of `in`, many of them by one call. A long one that finds `in` empty
 * goes straight to its place, without a copy between. */
bool bl_wire_receive(bl_wire *w, void *bytes, size_t length) {
    for (char *to = bytes; length > 0;) {
        const bool far = w->at == w->end && length >= sizeof w->in;
        size_t n;
        if (far) {
            n = receive(w->fd, to, length);
        } else {
            if (w->at == w->end) {
                w->end = receive(w->fd, w->in, sizeof w->in);
                w->at = 0;
            }
            n = bl_size_min(length, w->end - w->at);
            memcpy(to, w->in + w->at, n);
            w->at += n;
        }
        if (n == 0) return false;
        to += n;
        length -= n;
    }
    return true;
}

bool bl_wire_receive_head(bl_wire *w, bl_wire_kind *kind, size_t *length) {
    uint64_t head[2];
    if (!bl_wire_receive(w, head, sizeof head)) return false;
    *kind = (bl_wire_kind)head[0];
    *length = head[1];
    return true;
}

void bl_wire_free(bl_wire *w) {
    bl_buf_free(&w->out);
}

void bl_wire_put_i64(bl_buf *out, int64_t value) {
    bl_buf_add(out, &value, sizeof value);
}

void bl_wire_put_f64(bl_buf *out, double value) {
    bl_buf_add(out, &value, sizeof value);
}

/* The 0 behind a text is sent as well, so that the reader need not copy it. */
void bl_wire_put_bytes(bl_buf *out, const char *bytes, size_t length) {
    bl_wire_put_i64(out, (int64_t)length);
    bl_buf_add(out, bytes, length);
    bl_buf_add(out, "", 1);
}

void bl_wire_put_text(bl_buf *out, const char *text) {
    bl_wire_put_bytes(out, text, strlen(text));
}

/* The next bytes of the message, where they lie; NULL, and `bad` for good, where there are not
 * so many. */
static const char *take(bl_wire_reader *in, size_t length) {
    if (in->bad || length > (size_t)(in->end - in->at)) {
        in->bad = true;
        return NULL;
    }
    const char *bytes = in->at;
    in->at += length;
    return bytes;
}

int64_t bl_wire_get_i64(bl_wire_reader *in) {
    int64_t value = 0;
    const char *bytes = take(in, sizeof value);
    if (bytes != NULL) memcpy(&value, bytes, sizeof value);
    return value;
}

double bl_wire_get_f64(bl_wire_reader *in) {
    double value = 0;
    const char *bytes = take(in, sizeof value);
    if (bytes != NULL) memcpy(&value, bytes, sizeof value);
    return value;
}

const char *bl_wire_get_text(bl_wire_reader *in, size_t *length) {
    const int64_t n = bl_wire_get_i64(in);
    const char *text = n < 0 || n >= INT64_MAX ? NULL : take(in, (size_t)n + 1);
    if (text != NULL && text[n] != '\0') text = NULL;
    in->bad = in->bad || text == NULL;
    if (length != NULL) *length = text != NULL ? (size_t)n : 0;
    return text != NULL ? text : "";
}
