/* libpng reads by its simplified interface, which returns. libjpeg calls error_exit where it
 * gives up, which must not return: it leaps back into read_leaping. What must survive the leap
 * lies in one structure on the heap. */
#include "engine/data/image/photo.h"
#include "engine/base/mem.h"
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#ifdef BL_PHOTOS
#include <png.h>
/* libjpeg's header needs stdio's first. */
#include <jerror.h>
#include <jpeglib.h>
#endif

enum { MOST_SIDE = 30000, MOST_PIXELS = 1 << 27 };

/* A whole picture, to be freed. */
typedef struct whole {
    bl_photo_shape shape;
    uint8_t *pixels;
} whole;

bool bl_photo_named(const char *file) {
    const char *dot = strrchr(file, '.');
    return dot != NULL && (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 ||
                           strcasecmp(dot, ".jpeg") == 0);
}

#ifndef BL_PHOTOS
bool bl_photo_known(void) {
    return false;
}

static bl_status read_whole(whole *out, const bl_photo_shape *wish, const uint8_t *bytes, size_t n,
                            const char *name, bl_err *err) {
    *out = (whole){.pixels = NULL};
    (void)wish, (void)bytes, (void)n;
    BL_FAIL(err, BL_EINVAL,
            "%s: this batchlab was built without libpng and libjpeg; `sh scripts/setup.sh "
            "pictures`, then `make`, and it reads pictures",
            name);
}
#else
bool bl_photo_known(void) {
    return true;
}

/* ---- PNG ---- */

/* Decodes the pixels with the wished number of channels. It frees what `image` holds, also after
 * a failure. */
static bl_status finish_png(whole *out, png_image *image, const bl_photo_shape *wish,
                            const char *name, bl_err *err) {
    static const png_color white = {255, 255, 255};
    out->shape.channels = wish->channels;
    image->format = wish->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    out->pixels = bl_alloc(PNG_IMAGE_SIZE(*image));
    if (out->pixels == NULL) {
        png_image_free(image);
        BL_FAIL(err, BL_ENOMEM, "%s: no memory for its pixels", name);
    }
    if (!png_image_finish_read(image, &white, out->pixels, 0, NULL))
        BL_FAIL(err, BL_EFORMAT, "%s: a damaged PNG file: %s", name, image->message);
    return BL_OK;
}

/* `wish` NULL: only the shape. */
static bl_status read_png(whole *out, const bl_photo_shape *wish, const uint8_t *bytes, size_t n,
                          const char *name, bl_err *err) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&image, bytes, n))
        BL_FAIL(err, BL_EFORMAT, "%s: a damaged PNG file: %s", name, image.message);
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    const bool large = image.width > MOST_SIDE || image.height > MOST_SIDE ||
                       (uint64_t)image.width * image.height > MOST_PIXELS;
    out->shape = (bl_photo_shape){
        {image.height, image.width},
        image.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1
    };
    if (!large && wish != NULL) return finish_png(out, &image, wish, name, err);
    png_image_free(&image);
    if (large) BL_FAIL(err, BL_EFORMAT, "%s: a picture of more than 134 million pixels", name);
    return BL_OK;
}

/* ---- JPEG ---- */

typedef struct reading {
    struct jpeg_error_mgr fault; /* first: libjpeg hands out its address */
    jmp_buf back;
    struct jpeg_decompress_struct jpeg;
    char why[JMSG_LENGTH_MAX];
    uint8_t *pixels;
} reading;

/* libjpeg's error_exit: keeps the message and leaps to read_leaping, whatever lies between. */
static void give_up(j_common_ptr jpeg) {
    reading *r = (reading *)(void *)jpeg->err;
    (*jpeg->err->format_message)(jpeg, r->why);
    longjmp(r->back, 1);
}

/* Warnings are passed over, but for the one that the rest of the picture is missing. */
static void note(j_common_ptr jpeg, int level) {
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF) give_up(jpeg);
}

/* The coarsest scale by 1/2, 1/4 or 1/8 that keeps twice the wanted size: much faster. */
static unsigned coarse(const struct jpeg_decompress_struct *jpeg, const bl_photo_shape *wish) {
    unsigned by = 1;
    while (by < 8 && jpeg->image_height / (2 * by) >= 2 * (unsigned)wish->size.height &&
           jpeg->image_width / (2 * by) >= 2 * (unsigned)wish->size.width)
        by *= 2;
    return by;
}

/* May leap. The pixels lie in r, where they are found after a leap; BL_ENOMEM is the only other
 * failure. */
static bl_status read_lines(reading *r, const bl_photo_shape *wish) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    jpeg->out_color_space = wish->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW; /* whole numbers: the same everywhere */
    jpeg->scale_num = 1;
    jpeg->scale_denom = coarse(jpeg, wish);
    (void)jpeg_start_decompress(jpeg);
    const size_t line = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    r->pixels = bl_alloc(line * jpeg->output_height);
    if (r->pixels == NULL) return BL_ENOMEM;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = r->pixels + line * jpeg->output_scanline;
        (void)jpeg_read_scanlines(jpeg, &row, 1);
    }
    (void)jpeg_finish_decompress(jpeg);
    return BL_OK;
}

/* What may leap: BL_EFORMAT with r->why. */
static bl_status read_leaping(reading *r, whole *out, const bl_photo_shape *wish,
                              const uint8_t *bytes, size_t n) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    jpeg->err = jpeg_std_error(&r->fault);
    r->fault.error_exit = give_up;
    r->fault.emit_message = note;
    if (setjmp(r->back)) return BL_EFORMAT;
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, bytes, n);
    (void)jpeg_read_header(jpeg, TRUE);
    if (jpeg->image_width > MOST_SIDE || jpeg->image_height > MOST_SIDE ||
        (uint64_t)jpeg->image_width * jpeg->image_height > MOST_PIXELS) {
        (void)snprintf(r->why, sizeof r->why, "more than 134 million pixels");
        return BL_EFORMAT;
    }
    if (jpeg->num_components > 3) {
        (void)snprintf(r->why, sizeof r->why, "four colours of print (CMYK); save it as RGB");
        return BL_EFORMAT;
    }
    out->shape = (bl_photo_shape){
        {jpeg->image_height, jpeg->image_width},
        jpeg->num_components == 1 ? 1 : 3
    };
    if (wish == NULL) return BL_OK;
    const bl_status status = read_lines(r, wish);
    out->shape = (bl_photo_shape){
        {jpeg->output_height, jpeg->output_width},
        wish->channels
    };
    return status;
}

static bl_status read_jpeg(whole *out, const bl_photo_shape *wish, const uint8_t *bytes, size_t n,
                           const char *name, bl_err *err) {
    reading *r = bl_xalloc(sizeof *r);
    bl_status status = read_leaping(r, out, wish, bytes, n);
    jpeg_destroy_decompress(&r->jpeg);
    out->pixels = r->pixels;
    if (status == BL_ENOMEM) status = BL_ERR(err, status, "%s: no memory for its pixels", name);
    if (status == BL_EFORMAT)
        status = BL_ERR(err, status, "%s: a JPEG file that cannot be read: %s", name, r->why);
    free(r);
    return status;
}

/* `wish` NULL: only the shape. The caller frees out->pixels, also after a failure. */
static bl_status read_whole(whole *out, const bl_photo_shape *wish, const uint8_t *bytes, size_t n,
                            const char *name, bl_err *err) {
    *out = (whole){.pixels = NULL};
    if (n > 8 && memcmp(bytes, "\x89PNG", 4) == 0) return read_png(out, wish, bytes, n, name, err);
    if (n > 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0)
        return read_jpeg(out, wish, bytes, n, name, err);
    BL_FAIL(err, BL_EFORMAT, "%s: neither a PNG nor a JPEG file", name);
}
#endif

/* ---- to the wanted shape ---- */

/* Means over areas whose borders are those of pixels. */
static void shrink(uint8_t *to, const bl_photo_shape *shape, const uint8_t *from,
                   bl_picture_size size) {
    const int64_t h = shape->size.height, w = shape->size.width;
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            const int64_t y0 = y * size.height / h, y1 = (y + 1) * size.height / h;
            const int64_t x0 = x * size.width / w, x1 = (x + 1) * size.width / w;
            const uint64_t area = (uint64_t)((y1 - y0) * (x1 - x0));
            for (size_t c = 0; c < shape->channels; c++) {
                uint64_t sum = area / 2;
                for (int64_t j = y0; j < y1; j++)
                    for (int64_t i = x0; i < x1; i++)
                        sum += from[(size_t)(j * size.width + i) * shape->channels + c];
                *to++ = (uint8_t)(sum / area);
            }
        }
}

/* Moves the middle of the picture, in the proportions of `shape`, to its beginning. */
static bl_picture_size crop(whole *w, const bl_photo_shape *shape) {
    const int64_t height = w->shape.size.height, width = w->shape.size.width;
    const int64_t th = shape->size.height, tw = shape->size.width;
    bl_picture_size cut = w->shape.size;
    if (width * th > height * tw) cut.width = height * tw / th;
    if (width * th < height * tw) cut.height = width * th / tw;
    if (cut.width < 1) cut.width = 1;
    if (cut.height < 1) cut.height = 1;
    const size_t pixel = shape->channels, line = (size_t)cut.width * pixel;
    const uint8_t *from =
        w->pixels + (size_t)((height - cut.height) / 2 * width + (width - cut.width) / 2) * pixel;
    for (int64_t y = 0; y < cut.height; y++)
        memmove(w->pixels + (size_t)y * line, from + (size_t)(y * width) * pixel, line);
    return cut;
}

bl_status bl_photo_measure(bl_photo_shape *out, const uint8_t *bytes, size_t n, const char *name,
                           bl_err *err) {
    whole w;
    BL_TRY(read_whole(&w, NULL, bytes, n, name, err));
    *out = w.shape;
    return BL_OK;
}

bl_status bl_photo_read(uint8_t *to, const bl_photo_shape *shape, const uint8_t *bytes, size_t n,
                        const char *name, bl_err *err) {
    whole w;
    const bl_status status = read_whole(&w, shape, bytes, n, name, err);
    if (status == BL_OK) {
        const bl_picture_size cut = crop(&w, shape);
        if (cut.height >= shape->size.height && cut.width >= shape->size.width)
            shrink(to, shape, w.pixels, cut);
        else
            bl_picture_resize(to, shape->size, w.pixels, cut, shape->channels);
    }
    free(w.pixels);
    return status;
}
