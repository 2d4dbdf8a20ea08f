/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec.c: compression and character sets as streams.
 *
 * gzip files may hold several members one after the other, and so may bzip2 and zstd: the decoder starts again until the input is used up.
 */
#include "io/codec.h"

#include <bzlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define IN_BYTES  (256 * 1024)
#define OUT_BYTES (256 * 1024)

static const struct {
    const char *extension, *option;
} CODECS[] = {
    [NB_CODEC_NONE] = {"", "none"},
    [NB_CODEC_GZIP] = {".gz", "gzip"},
    [NB_CODEC_ZLIB] = {".deflate", "deflate"},
    [NB_CODEC_BZIP2] = {".bz2", "bzip2"},
    [NB_CODEC_ZSTD] = {".zst", "zstd"},
};

static const struct {
    const char *name;
    nb_charset charset;
} CHARSETS[] = {
    {"utf-8", NB_CHARSET_UTF8},        {"utf8", NB_CHARSET_UTF8},
    {"us-ascii", NB_CHARSET_ASCII},    {"ascii", NB_CHARSET_ASCII},
    {"iso-8859-1", NB_CHARSET_LATIN1}, {"iso8859-1", NB_CHARSET_LATIN1},
    {"latin1", NB_CHARSET_LATIN1},     {"iso_8859_1", NB_CHARSET_LATIN1},
    {"iso8859_1", NB_CHARSET_LATIN1},  {"windows-1252", NB_CHARSET_CP1252},
    {"cp1252", NB_CHARSET_CP1252},     {"utf-16", NB_CHARSET_UTF16},
    {"utf16", NB_CHARSET_UTF16},       {"utf-16le", NB_CHARSET_UTF16LE},
    {"utf-16be", NB_CHARSET_UTF16BE},  {"utf-32", NB_CHARSET_UTF32},
};

/* Windows-1252 0x80..0x9F; 0 = undefined, read as U+FFFD */
static const uint16_t CP1252[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

nb_codec
nb_codec_of_path(nb_str path)
{
    for (int i = NB_CODEC_GZIP; i <= NB_CODEC_ZSTD; i++) {
        if (nb_str_ends_with(path, nb_str_of(CODECS[i].extension))) {
            return (nb_codec)i;
        }
    }
    return nb_str_ends_with(path, NB_STR(".gzip")) ? NB_CODEC_NONE : NB_CODEC_NONE;
}

const char *
nb_codec_extension(nb_codec codec)
{
    return CODECS[codec].extension;
}

nb_status
nb_codec_of_option(nb_str name, nb_codec *out, nb_error *err)
{
    nb_strbuf b = {0};
    nb_status st;

    if (nb_str_equal_nocase(name, NB_STR("snappy")) || nb_str_equal_nocase(name, NB_STR("lz4"))) {
        return nb_raise_unsupported(err, "The codec %.*s of text files", (int)name.len, name.data);
    }
    for (int i = NB_CODEC_NONE; i <= NB_CODEC_ZSTD; i++) {
        if (nb_str_equal_nocase(name, nb_str_of(CODECS[i].option))) {
            *out = (nb_codec)i;
            return NB_OK;
        }
    }
    if (nb_str_equal_nocase(name, NB_STR("uncompressed"))) {
        *out = NB_CODEC_NONE;
        return NB_OK;
    }
    nb_strbuf_add(&b, name);
    st = nb_raise(err, NB_COND_CODEC_NOT_AVAILABLE, "codecName", b.data ? b.data : "",
                  "availableCodecs", "bzip2, deflate, uncompressed, snappy, none, lz4, gzip", NULL);
    nb_strbuf_free(&b);
    return st;
}

nb_status
nb_charset_of_option(nb_str name, const char *function, nb_charset *out, nb_error *err)
{
    nb_strbuf b = {0};
    nb_status st;

    for (size_t i = 0; i < NB_COUNT_OF(CHARSETS); i++) {
        if (nb_str_equal_nocase(name, nb_str_of(CHARSETS[i].name))) {
            *out = CHARSETS[i].charset;
            return NB_OK;
        }
    }
    nb_strbuf_add(&b, name);
    st = nb_raise(err, NB_COND_INVALID_CHARSET, "parameter", "`charset`", "functionName", function,
                  "charset", b.data ? b.data : "", "charsets",
                  "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8", NULL);
    nb_strbuf_free(&b);
    return st;
}

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------------------------ */

/* Length of the well-formed sequence at p, or 0. *bad is then the number of bytes that one U+FFFD stands for. */
static size_t
utf8_sequence(const unsigned char *p, size_t left, size_t *bad)
{
    unsigned char c = p[0];
    unsigned char lo = 0x80, hi = 0xBF;
    size_t need;

    *bad = 1;
    if (c < 0x80) {
        return 1;
    }
    if (c >= 0xC2 && c <= 0xDF) {
        need = 2;
    } else if (c >= 0xE0 && c <= 0xEF) {
        need = 3;
        lo = c == 0xE0 ? 0xA0 : 0x80;
        hi = c == 0xED ? 0x9F : 0xBF;
    } else if (c >= 0xF0 && c <= 0xF4) {
        need = 4;
        lo = c == 0xF0 ? 0x90 : 0x80;
        hi = c == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if (i >= left || p[i] < lo || p[i] > hi) {
            *bad = i;
            return 0;
        }
        lo = 0x80;
        hi = 0xBF;
    }
    return need;
}

bool
nb_utf8_is_valid(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t i = 0, bad;

    while (i < n) {
        uint64_t w;
        if (i + 8 <= n) {
            memcpy(&w, p + i, 8);
            if ((w & 0x8080808080808080u) == 0) {
                i += 8;
                continue;
            }
        }
        size_t k = utf8_sequence(p + i, n - i, &bad);
        if (k == 0) {
            return false;
        }
        i += k;
    }
    return true;
}

size_t
nb_utf8_repair(const char *text, size_t n, char *out)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t i = 0, m = 0, bad;

    while (i < n) {
        size_t k = utf8_sequence(p + i, n - i, &bad);
        if (k) {
            memcpy(out + m, p + i, k);
            m += k;
            i += k;
        } else {
            memcpy(out + m, "\xEF\xBF\xBD", 3);
            m += 3;
            i += bad;
        }
    }
    return m;
}

static size_t
put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------------- */

struct nb_reader {
    nb_pool *pool;
    nb_file *file;
    nb_codec codec;
    nb_charset charset;
    int64_t offset;     /* in the file */
    bool file_end, end; /* of the file; of the decompressed bytes */
    bool fresh;         /* the decoder stands between two members */
    bool started;       /* the byte order mark has been looked for */
    bool little;        /* UTF-16 */
    uint8_t *in;        /* compressed bytes */
    size_t in_pos, in_len;
    uint8_t *raw; /* decompressed bytes that wait for the transcoder */
    size_t raw_pos, raw_len;
    z_stream z;
    bz_stream bz;
    ZSTD_DStream *zs;
    bool z_open, bz_open;
};

nb_status
nb_reader_new(nb_pool *pool, nb_file *file, nb_codec codec, nb_charset charset, nb_reader **out,
              nb_error *err)
{
    nb_reader *r = nb_pool_zalloc(pool, sizeof(*r));
    bool ok = true;

    if (r == NULL) {
        nb_file_close(file);
        return NB_NOMEM;
    }
    r->pool = pool;
    r->file = file;
    r->codec = codec;
    r->charset = charset;
    r->fresh = true;
    if (codec != NB_CODEC_NONE) {
        ok = (r->in = nb_pool_alloc(pool, IN_BYTES)) != NULL;
    }
    if (ok && charset != NB_CHARSET_UTF8) {
        ok = (r->raw = nb_pool_alloc(pool, OUT_BYTES)) != NULL;
    }
    switch (ok ? codec : NB_CODEC_NONE) {
    case NB_CODEC_NONE: break;
    case NB_CODEC_GZIP:
    case NB_CODEC_ZLIB:
        ok = r->z_open = inflateInit2(&r->z, codec == NB_CODEC_GZIP ? 15 + 16 : 15 + 32) == Z_OK;
        break;
    case NB_CODEC_BZIP2: ok = r->bz_open = BZ2_bzDecompressInit(&r->bz, 0, 0) == BZ_OK; break;
    case NB_CODEC_ZSTD:
        r->zs = ZSTD_createDStream();
        ok = r->zs != NULL && !ZSTD_isError(ZSTD_DCtx_setParameter(r->zs, ZSTD_d_windowLogMax, 27));
        break;
    }
    if (!ok) {
        nb_reader_free(r);
        return NB_NOMEM;
    }
    *out = r;
    return NB_OK;
}

void
nb_reader_free(nb_reader *r)
{
    if (r == NULL) {
        return;
    }
    if (r->z_open) {
        inflateEnd(&r->z);
    }
    if (r->bz_open) {
        BZ2_bzDecompressEnd(&r->bz);
    }
    ZSTD_freeDStream(r->zs);
    if (r->in) {
        nb_pool_dealloc(r->pool, r->in, IN_BYTES);
    }
    if (r->raw) {
        nb_pool_dealloc(r->pool, r->raw, OUT_BYTES);
    }
    nb_file_close(r->file);
    nb_pool_dealloc(r->pool, r, sizeof(*r));
}

static nb_status
damaged(nb_reader *r, const char *what, nb_error *err)
{
    return nb_raise_unreadable(err, nb_file_path(r->file), what);
}

static nb_status
fill_in(nb_reader *r, nb_error *err)
{
    size_t got;

    if (r->in_pos < r->in_len || r->file_end) {
        return NB_OK;
    }
    NB_TRY(nb_file_read_at(r->file, r->offset, r->in, IN_BYTES, &got, err));
    r->offset += (int64_t)got;
    r->in_pos = 0;
    r->in_len = got;
    r->file_end = got == 0;
    return NB_OK;
}

/* One step of the decoder: consumes from in, writes to buf. *member_end when a member is complete. */
static nb_status
decode_step(nb_reader *r, uint8_t *buf, size_t n, size_t *put, bool *member_end, nb_error *err)
{
    size_t left = r->in_len - r->in_pos;

    *put = 0;
    *member_end = false;
    if (r->codec == NB_CODEC_ZSTD) {
        ZSTD_inBuffer in = {r->in + r->in_pos, left, 0};
        ZSTD_outBuffer out = {buf, n, 0};
        size_t code = ZSTD_decompressStream(r->zs, &out, &in);
        if (ZSTD_isError(code)) {
            return damaged(r, ZSTD_getErrorName(code), err);
        }
        r->in_pos += in.pos;
        *put = out.pos;
        *member_end = code == 0;
    } else if (r->codec == NB_CODEC_BZIP2) {
        r->bz.next_in = (char *)r->in + r->in_pos;
        r->bz.avail_in = (unsigned)left;
        r->bz.next_out = (char *)buf;
        r->bz.avail_out = (unsigned)n;
        int code = BZ2_bzDecompress(&r->bz);
        if (code != BZ_OK && code != BZ_STREAM_END) {
            return damaged(r, "the bzip2 data is damaged", err);
        }
        r->in_pos += left - r->bz.avail_in;
        *put = n - r->bz.avail_out;
        if (code == BZ_STREAM_END) {
            *member_end = true;
            BZ2_bzDecompressEnd(&r->bz);
            memset(&r->bz, 0, sizeof(r->bz));
            r->bz_open = BZ2_bzDecompressInit(&r->bz, 0, 0) == BZ_OK;
            if (!r->bz_open) {
                return NB_NOMEM;
            }
        }
    } else {
        r->z.next_in = r->in + r->in_pos;
        r->z.avail_in = (unsigned)left;
        r->z.next_out = buf;
        r->z.avail_out = (unsigned)n;
        int code = inflate(&r->z, Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            return damaged(r, r->z.msg ? r->z.msg : "the compressed data is damaged", err);
        }
        r->in_pos += left - r->z.avail_in;
        *put = n - r->z.avail_out;
        if (code == Z_STREAM_END) {
            *member_end = true;
            inflateReset(&r->z);
        }
    }
    return NB_OK;
}

/* Decompressed bytes; *n_read 0 at the end. */
static nb_status
read_raw(nb_reader *r, uint8_t *buf, size_t n, size_t *n_read, nb_error *err)
{
    if (r->codec == NB_CODEC_NONE) {
        NB_TRY(nb_file_read_at(r->file, r->offset, buf, n, n_read, err));
        r->offset += (int64_t)*n_read;
        return NB_OK;
    }
    *n_read = 0;
    while (*n_read == 0 && !r->end) {
        bool member_end;
        size_t had;
        NB_TRY(fill_in(r, err));
        had = r->in_len - r->in_pos;
        if (had == 0 && r->fresh) {
            r->end = true;
            break;
        }
        if (r->fresh && r->offset > (int64_t)r->in_len && r->codec != NB_CODEC_ZSTD &&
            r->in[r->in_pos] == 0) {
            r->in_pos++; /* zero padding behind the last member */
            continue;
        }
        NB_TRY(decode_step(r, buf, n, n_read, &member_end, err));
        r->fresh = member_end;
        if (!member_end && *n_read == 0 && r->file_end && had == r->in_len - r->in_pos) {
            return damaged(r, "Unexpected end of input stream", err);
        }
    }
    return NB_OK;
}

static void
skip_mark(nb_reader *r)
{
    const uint8_t *p = r->raw + r->raw_pos;
    size_t n = r->raw_len - r->raw_pos;

    r->started = true;
    if (r->charset == NB_CHARSET_UTF16LE) {
        r->little = true;
    }
    if (r->charset == NB_CHARSET_UTF32) {
        if (n >= 4 && memcmp(p, "\xFF\xFE\0\0", 4) == 0) {
            r->little = true;
            r->raw_pos += 4;
        } else if (n >= 4 && memcmp(p, "\0\0\xFE\xFF", 4) == 0) {
            r->raw_pos += 4;
        }
    } else if (r->charset >= NB_CHARSET_UTF16 && n >= 2) {
        if (r->charset != NB_CHARSET_UTF16BE && p[0] == 0xFF && p[1] == 0xFE) {
            r->little = true;
            r->raw_pos += 2;
        } else if (r->charset != NB_CHARSET_UTF16LE && p[0] == 0xFE && p[1] == 0xFF) {
            r->raw_pos += 2;
        }
    }
}

NB_INLINE uint32_t
get16(const uint8_t *p, bool little)
{
    return little ? (uint32_t)(p[0] | p[1] << 8) : (uint32_t)(p[0] << 8 | p[1]);
}

nb_status
nb_reader_read(nb_reader *r, void *buf, size_t n, size_t *n_read, nb_error *err)
{
    char *out = buf;
    size_t m = 0;
    size_t unit = r->charset == NB_CHARSET_UTF32 ? 4 : r->charset >= NB_CHARSET_UTF16 ? 2 : 1;

    if (r->charset == NB_CHARSET_UTF8) {
        return read_raw(r, buf, n, n_read, err);
    }
    while (m == 0) {
        bool at_end;
        size_t got, kept = r->raw_len - r->raw_pos;
        if (kept < (unit == 2 ? 4 : unit)) {
            memmove(r->raw, r->raw + r->raw_pos, kept);
            r->raw_pos = 0;
            do { /* at least four bytes, so that a pair of surrogates is never split */
                NB_TRY(read_raw(r, r->raw + kept, OUT_BYTES - kept, &got, err));
                kept += got;
            } while (got > 0 && kept < 4);
            r->raw_len = kept;
        }
        at_end = r->raw_len < 4;
        if (!r->started) {
            skip_mark(r);
        }
        if (r->raw_pos == r->raw_len) {
            break;
        }
        while (m + 4 <= n && r->raw_pos < r->raw_len) {
            const uint8_t *p = r->raw + r->raw_pos;
            size_t left = r->raw_len - r->raw_pos;
            uint32_t c;
            if (left < unit) {
                if (!at_end && r->raw_pos > 0) {
                    break;
                }
                c = 0xFFFD; /* a cut unit at the end */
                r->raw_pos = r->raw_len;
            } else if (unit == 1) {
                c = p[0];
                if (c >= 0x80 && r->charset == NB_CHARSET_ASCII) {
                    c = 0xFFFD;
                } else if (c >= 0x80 && c < 0xA0 && r->charset == NB_CHARSET_CP1252) {
                    c = CP1252[c - 0x80] ? CP1252[c - 0x80] : 0xFFFD;
                }
                r->raw_pos++;
            } else if (unit == 4) {
                c = r->little ? get16(p + 2, true) << 16 | get16(p, true)
                              : get16(p, false) << 16 | get16(p + 2, false);
                c = c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? 0xFFFD : c;
                r->raw_pos += 4;
            } else {
                c = get16(p, r->little);
                if (c >= 0xD800 && c < 0xDC00 && left < 4 && r->raw_pos > 0 && !at_end) {
                    break;
                }
                r->raw_pos += 2;
                if (c >= 0xD800 && c < 0xE000) {
                    uint32_t low = c < 0xDC00 && left >= 4 ? get16(p + 2, r->little) : 0;
                    if (low >= 0xDC00 && low < 0xE000) {
                        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                        r->raw_pos += 2;
                    } else { /* Java takes what follows half a pair for the other half, damaged */
                        r->raw_pos += c < 0xDC00 && left >= 4 ? 2 : 0;
                        c = 0xFFFD;
                    }
                }
            }
            m += put_utf8(c, out + m);
        }
    }
    *n_read = m;
    return NB_OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------------- */

struct nb_writer {
    nb_pool *pool;
    nb_file *file;
    nb_codec codec;
    nb_charset charset;
    int64_t n_text;
    bool started;
    uint8_t *text; /* bytes in the target's charset, before compression */
    size_t text_len;
    uint8_t *out;
    z_stream z;
    bz_stream bz;
    ZSTD_CStream *zs;
    bool z_open, bz_open;
};

static void
writer_free(nb_writer *w)
{
    if (w->z_open) {
        deflateEnd(&w->z);
    }
    if (w->bz_open) {
        BZ2_bzCompressEnd(&w->bz);
    }
    ZSTD_freeCStream(w->zs);
    if (w->text) {
        nb_pool_dealloc(w->pool, w->text, OUT_BYTES);
    }
    if (w->out) {
        nb_pool_dealloc(w->pool, w->out, OUT_BYTES);
    }
    nb_file_close(w->file);
    nb_pool_dealloc(w->pool, w, sizeof(*w));
}

nb_status
nb_writer_new(nb_pool *pool, const char *path, nb_codec codec, nb_charset charset, nb_writer **out,
              nb_error *err)
{
    nb_writer *w = nb_pool_zalloc(pool, sizeof(*w));
    nb_status st;
    bool ok;

    if (w == NULL) {
        return NB_NOMEM;
    }
    w->pool = pool;
    st = nb_file_create(pool, path, &w->file, err);
    if (st < 0) {
        nb_pool_dealloc(pool, w, sizeof(*w));
        return st;
    }
    w->codec = codec;
    w->charset = charset;
    ok = (w->text = nb_pool_alloc(pool, OUT_BYTES)) != NULL;
    if (ok && codec != NB_CODEC_NONE) {
        ok = (w->out = nb_pool_alloc(pool, OUT_BYTES)) != NULL;
    }
    switch (ok ? codec : NB_CODEC_NONE) {
    case NB_CODEC_NONE: break;
    case NB_CODEC_GZIP:
    case NB_CODEC_ZLIB:
        ok = w->z_open =
            deflateInit2(&w->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                         codec == NB_CODEC_GZIP ? 15 + 16 : 15, 8, Z_DEFAULT_STRATEGY) == Z_OK;
        break;
    case NB_CODEC_BZIP2: ok = w->bz_open = BZ2_bzCompressInit(&w->bz, 9, 0, 0) == BZ_OK; break;
    case NB_CODEC_ZSTD: ok = (w->zs = ZSTD_createCStream()) != NULL; break;
    }
    if (!ok) {
        writer_free(w);
        return NB_NOMEM;
    }
    *out = w;
    return NB_OK;
}

/* Sends the collected bytes through the compressor; ends the stream when last. */
static nb_status
writer_flush(nb_writer *w, bool last, nb_error *err)
{
    size_t pos = 0;
    bool more = true;

    if (w->codec == NB_CODEC_NONE) {
        NB_TRY(nb_file_write(w->file, w->text, w->text_len, err));
        w->text_len = 0;
        return NB_OK;
    }
    while (more) {
        size_t put;
        if (w->codec == NB_CODEC_ZSTD) {
            ZSTD_inBuffer in = {w->text, w->text_len, pos};
            ZSTD_outBuffer out = {w->out, OUT_BYTES, 0};
            size_t left =
                ZSTD_compressStream2(w->zs, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
            if (ZSTD_isError(left)) {
                return NB_NOMEM;
            }
            pos = in.pos;
            put = out.pos;
            more = last ? left != 0 : pos < w->text_len;
        } else if (w->codec == NB_CODEC_BZIP2) {
            if (!last && pos == w->text_len) {
                break;
            }
            w->bz.next_in = (char *)w->text + pos;
            w->bz.avail_in = (unsigned)(w->text_len - pos);
            w->bz.next_out = (char *)w->out;
            w->bz.avail_out = OUT_BYTES;
            int code = BZ2_bzCompress(&w->bz, last ? BZ_FINISH : BZ_RUN);
            pos = w->text_len - w->bz.avail_in;
            put = OUT_BYTES - w->bz.avail_out;
            more = last ? code != BZ_STREAM_END : pos < w->text_len;
        } else {
            w->z.next_in = w->text + pos;
            w->z.avail_in = (unsigned)(w->text_len - pos);
            w->z.next_out = w->out;
            w->z.avail_out = OUT_BYTES;
            int code = deflate(&w->z, last ? Z_FINISH : Z_NO_FLUSH);
            pos = w->text_len - w->z.avail_in;
            put = OUT_BYTES - w->z.avail_out;
            more = last ? code != Z_STREAM_END : pos < w->text_len || w->z.avail_out == 0;
        }
        if (put) {
            NB_TRY(nb_file_write(w->file, w->out, put, err));
        }
    }
    w->text_len = 0;
    return NB_OK;
}

static void
put16(nb_writer *w, uint32_t unit)
{
    bool little = w->charset == NB_CHARSET_UTF16LE;

    w->text[w->text_len++] = (uint8_t)(little ? unit : unit >> 8);
    w->text[w->text_len++] = (uint8_t)(little ? unit >> 8 : unit);
}

static void
put_char(nb_writer *w, uint32_t c)
{
    switch (w->charset) {
    case NB_CHARSET_UTF16:
    case NB_CHARSET_UTF16LE:
    case NB_CHARSET_UTF16BE:
        if (c >= 0x10000) {
            put16(w, 0xD800 + ((c - 0x10000) >> 10));
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        put16(w, c);
        return;
    case NB_CHARSET_UTF32:
        w->text[w->text_len++] = 0;
        w->text[w->text_len++] = (uint8_t)(c >> 16);
        w->text[w->text_len++] = (uint8_t)(c >> 8);
        w->text[w->text_len++] = (uint8_t)c;
        return;
    case NB_CHARSET_CP1252:
        if (c >= 0x80 && (c < 0xA0 || c > 0xFF)) {
            uint32_t found = '?';
            for (uint32_t i = 0; i < 32; i++) {
                if (CP1252[i] == c) {
                    found = 0x80 + i;
                }
            }
            c = found;
        }
        break;
    default: c = c > (w->charset == NB_CHARSET_ASCII ? 0x7Fu : 0xFFu) ? '?' : c; break;
    }
    w->text[w->text_len++] = (uint8_t)c;
}

nb_status
nb_writer_write(nb_writer *w, const void *text, size_t n, nb_error *err)
{
    const unsigned char *p = text;
    size_t i = 0, bad;

    w->n_text += (int64_t)n;
    if (w->charset == NB_CHARSET_UTF8) {
        if (w->codec == NB_CODEC_NONE && w->text_len == 0 && n >= OUT_BYTES) {
            return nb_file_write(w->file, text, n, err);
        }
        while (n > 0) {
            size_t k = NB_MIN(n, OUT_BYTES - w->text_len);
            memcpy(w->text + w->text_len, p, k);
            w->text_len += k;
            p += k;
            n -= k;
            if (w->text_len == OUT_BYTES) {
                NB_TRY(writer_flush(w, false, err));
            }
        }
        return NB_OK;
    }
    if (!w->started) {
        w->started = true;
        if (w->charset == NB_CHARSET_UTF16) {
            put_char(w, 0xFEFF);
        }
    }
    while (i < n) {
        size_t k = utf8_sequence(p + i, n - i, &bad);
        uint32_t c = 0xFFFD;
        if (k == 1) {
            c = p[i];
        } else if (k == 2) {
            c = (uint32_t)(p[i] & 31) << 6 | (p[i + 1] & 63);
        } else if (k == 3) {
            c = (uint32_t)(p[i] & 15) << 12 | (uint32_t)(p[i + 1] & 63) << 6 | (p[i + 2] & 63);
        } else if (k == 4) {
            c = (uint32_t)(p[i] & 7) << 18 | (uint32_t)(p[i + 1] & 63) << 12 |
                (uint32_t)(p[i + 2] & 63) << 6 | (p[i + 3] & 63);
        }
        i += k ? k : bad;
        if (w->text_len + 8 > OUT_BYTES) {
            NB_TRY(writer_flush(w, false, err));
        }
        put_char(w, c);
    }
    return NB_OK;
}

nb_status
nb_writer_finish(nb_writer *w, nb_error *err)
{
    nb_status st = writer_flush(w, true, err);

    if (st == NB_OK) {
        nb_file *file = w->file;
        w->file = NULL;
        st = nb_file_finish(file, err);
    }
    writer_free(w);
    return st;
}

void
nb_writer_abort(nb_writer *w)
{
    if (w != NULL) {
        writer_free(w);
    }
}

int64_t
nb_writer_bytes(const nb_writer *w)
{
    return w->n_text;
}
