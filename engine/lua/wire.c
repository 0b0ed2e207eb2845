#include "engine/lua/wire.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool send_all(int fd, const char *bytes, size_t length, int flags) {
    while (length > 0) {
        const ssize_t n = send(fd, bytes, length, flags | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

bool bl_wire_send(int fd, bl_wire_kind kind, const bl_buf *fields) {
    const uint64_t head[2] = {(uint64_t)kind, fields->len};
    return send_all(fd, (const char *)head, sizeof head, fields->len > 0 ? MSG_MORE : 0) &&
           send_all(fd, fields->data, fields->len, 0);
}

bool bl_wire_receive(int fd, void *bytes, size_t length) {
    for (char *at = bytes; length > 0;) {
        const ssize_t n = recv(fd, at, length, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

bool bl_wire_receive_head(int fd, bl_wire_kind *kind, size_t *length) {
    uint64_t head[2];
    if (!bl_wire_receive(fd, head, sizeof head)) return false;
    *kind = (bl_wire_kind)head[0];
    *length = head[1];
    return true;
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
