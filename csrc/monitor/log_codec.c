/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_codec.c: see log_codec.h.
 *
 * Block formats keep one block: input is gathered until a block is whole, decoded, and handed out in pieces.
 *
 *   lz4     |LZ4Block| token | packed size LE | size LE | checksum LE | data |     token: method (0x10 raw, 0x20 lz4) | level;
 *            a block holds at most 2^(10 + level) bytes; one of size 0 ends the stream
 *   snappy  |\x82SNAPPY\0| version BE | least version BE |   then   | packed size BE | data | …
 */
#include "monitor/log_codec.h"

#include <lz4.h>
#include <snappy-c.h>
#include <stdint.h>
#include <xxhash.h>
#include <zstd.h>
#include "base/pool.h"

#define LZ4_HEADER    21
#define LZ4_SEED      0x9747b28cU
#define LZ4_BLOCK     ((size_t)32 * 1024) /* as Spark's default */
#define LZ4_LEVEL     5                   /* 2^(10 + 5) = LZ4_BLOCK */
#define LZ4_RAW       0x10
#define LZ4_PACKED    0x20
#define SNAPPY_HEADER 16
#define BLOCK_MOST    ((size_t)32 << 20)
#define ZSTD_WINDOW   25 /* log2 of what a frame may want as history */
#define ZSTD_OUT      ((size_t)64 * 1024)

static const struct {
    const char *option, *extension;
} CODECS[] = {
    [NB_LOG_PLAIN] = {"none", ""},      [NB_LOG_ZSTD] = {"zstd", ".zstd"},
    [NB_LOG_LZ4] = {"lz4", ".lz4"},     [NB_LOG_SNAPPY] = {"snappy", ".snappy"},
    [NB_LOG_UNKNOWN] = {"lzf", ".lzf"},
};

nb_log_codec
nb_log_codec_of_name(nb_str name)
{
    nb_str in_progress = NB_STR(".inprogress");

    if (nb_str_ends_with(name, in_progress)) {
        name.len -= in_progress.len;
    }
    for (int c = NB_LOG_ZSTD; c <= NB_LOG_UNKNOWN; c++) {
        if (nb_str_ends_with(name, nb_str_of(CODECS[c].extension))) {
            return (nb_log_codec)c;
        }
    }
    return NB_LOG_PLAIN;
}

nb_log_codec
nb_log_codec_of_option(nb_str option)
{
    for (int c = NB_LOG_PLAIN; c < NB_LOG_UNKNOWN; c++) {
        if (nb_str_equal_nocase(option, nb_str_of(CODECS[c].option))) {
            return (nb_log_codec)c;
        }
    }
    return NB_LOG_UNKNOWN;
}

const char *
nb_log_codec_extension(nb_log_codec codec)
{
    return CODECS[codec].extension;
}

static uint32_t
le32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

static uint32_t
be32(const char *p)
{
    return __builtin_bswap32(le32(p));
}

static void
put_le32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (char)(v >> (8 * i));
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

struct nb_log_encoder {
    nb_pool *pool;
    nb_log_codec codec;
    ZSTD_CCtx *zstd;
    nb_strbuf pending; /* lz4: text of the block under way */
};

nb_log_encoder *
nb_log_encoder_new(nb_log_codec codec)
{
    nb_pool *pool = nb_pool_new(NULL, "event log", 0);
    nb_log_encoder *e = pool ? nb_pool_zalloc(pool, sizeof(*e)) : NULL;

    if (e == NULL) {
        nb_pool_free(pool);
        return NULL;
    }
    e->pool = pool;
    e->codec = codec;
    if (codec == NB_LOG_ZSTD) {
        e->zstd = ZSTD_createCCtx();
        if (e->zstd == NULL) {
            nb_log_encoder_free(e);
            return NULL;
        }
        ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, 1);
    }
    return e;
}

void
nb_log_encoder_free(nb_log_encoder *e)
{
    nb_pool *pool;

    if (e == NULL) {
        return;
    }
    pool = e->pool;
    ZSTD_freeCCtx(e->zstd);
    nb_strbuf_free(&e->pending);
    nb_pool_dealloc(pool, e, sizeof(*e));
    nb_pool_free(pool);
}

static bool
encode_zstd(nb_log_encoder *e, nb_str text, ZSTD_EndDirective end, nb_strbuf *out)
{
    ZSTD_inBuffer in = {text.data, text.len, 0};
    char piece[ZSTD_OUT / 8];
    size_t left;

    do {
        ZSTD_outBuffer to = {piece, sizeof(piece), 0};

        left = ZSTD_compressStream2(e->zstd, &to, &in, end);
        if (ZSTD_isError(left)) {
            return false;
        }
        nb_strbuf_add(out, (nb_str){piece, to.pos});
    } while (end == ZSTD_e_continue ? in.pos < in.size : left > 0);
    return !out->failed;
}

static void
lz4_block(const char *text, size_t n, nb_strbuf *out)
{
    char block[LZ4_HEADER + LZ4_COMPRESSBOUND(LZ4_BLOCK)] = "LZ4Block";
    int packed = n > 0 ? LZ4_compress_default(text, block + LZ4_HEADER, (int)n,
                                              (int)sizeof(block) - LZ4_HEADER)
                       : 0;
    bool raw = packed <= 0 || (size_t)packed >= n;
    uint32_t size = raw ? (uint32_t)n : (uint32_t)packed;

    if (raw && n > 0) {
        memcpy(block + LZ4_HEADER, text, n);
    }
    block[8] = (char)((raw ? LZ4_RAW : LZ4_PACKED) | LZ4_LEVEL);
    put_le32(block + 9, size);
    put_le32(block + 13, (uint32_t)n);
    /* lz4-java keeps 28 bits of the hash */
    put_le32(block + 17, n > 0 ? XXH32(text, n, LZ4_SEED) & 0x0FFFFFFF : 0);
    nb_strbuf_add(out, (nb_str){block, LZ4_HEADER + size});
}

static bool
encode_lz4(nb_log_encoder *e, nb_str text, bool flush, bool finish, nb_strbuf *out)
{
    size_t at = 0;

    nb_strbuf_add(&e->pending, text);
    if (e->pending.failed) {
        return false;
    }
    while (e->pending.len - at >= LZ4_BLOCK || ((flush || finish) && e->pending.len > at)) {
        size_t n = NB_MIN(e->pending.len - at, LZ4_BLOCK);

        lz4_block(e->pending.data + at, n, out);
        at += n;
    }
    if (at > 0) {
        memmove(e->pending.data, e->pending.data + at, e->pending.len - at);
        e->pending.len -= at;
    }
    if (finish) {
        lz4_block("", 0, out);
    }
    return !out->failed;
}

bool
nb_log_encode(nb_log_encoder *e, nb_str text, bool flush, bool finish, nb_strbuf *out)
{
    switch (e->codec) {
    case NB_LOG_ZSTD:
        return encode_zstd(e, text,
                           finish  ? ZSTD_e_end
                           : flush ? ZSTD_e_flush
                                   : ZSTD_e_continue,
                           out);
    case NB_LOG_LZ4: return encode_lz4(e, text, flush, finish, out);
    default: nb_strbuf_add(out, text); return !out->failed;
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

struct nb_log_decoder {
    nb_pool *pool;
    nb_log_codec codec;
    ZSTD_DCtx *zstd;
    bool started;    /* snappy: the header was seen */
    nb_strbuf block; /* input of the block under way */
    nb_strbuf text;  /* of the last block */
    size_t text_at;  /* handed out of it */
};

nb_log_decoder *
nb_log_decoder_new(nb_log_codec codec)
{
    nb_pool *pool = nb_pool_new(NULL, "event log", 0);
    nb_log_decoder *d = pool ? nb_pool_zalloc(pool, sizeof(*d)) : NULL;

    if (d == NULL) {
        nb_pool_free(pool);
        return NULL;
    }
    d->pool = pool;
    d->codec = codec;
    if (codec == NB_LOG_ZSTD) {
        d->zstd = ZSTD_createDCtx();
        if (d->zstd == NULL) {
            nb_log_decoder_free(d);
            return NULL;
        }
        ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW);
    }
    return d;
}

void
nb_log_decoder_free(nb_log_decoder *d)
{
    nb_pool *pool;

    if (d == NULL) {
        return;
    }
    pool = d->pool;
    ZSTD_freeDCtx(d->zstd);
    nb_strbuf_free(&d->block);
    nb_strbuf_free(&d->text);
    nb_pool_dealloc(pool, d, sizeof(*d));
    nb_pool_free(pool);
}

static nb_status
damaged(const char **why, const char *text)
{
    *why = text;
    return NB_ERROR;
}

/* Gathers input until the block has n bytes; false: wants more. */
static bool
gather(nb_log_decoder *d, nb_str *in, size_t n)
{
    size_t take = d->block.len < n ? NB_MIN(n - d->block.len, in->len) : 0;

    nb_strbuf_add(&d->block, (nb_str){in->data, take});
    in->data += take;
    in->len -= take;
    return d->block.len >= n;
}

/* Room for the text of a block. */
static nb_status
prepare_text(nb_log_decoder *d, size_t n)
{
    d->text.len = 0;
    d->text_at = 0;
    nb_strbuf_fill(&d->text, 0, n);
    return d->text.failed || d->block.failed ? NB_NOMEM : NB_OK;
}

/* Decodes the next block; NB_DONE: wants more input. */
static nb_status
next_lz4(nb_log_decoder *d, nb_str *in, const char **why)
{
    uint32_t packed, n, level;
    const char *data;

    if (!gather(d, in, LZ4_HEADER)) {
        return NB_DONE;
    }
    level = (uint32_t)d->block.data[8] & 0x0f;
    packed = le32(d->block.data + 9);
    n = le32(d->block.data + 13);
    if (memcmp(d->block.data, "LZ4Block", 8) != 0) {
        return damaged(why, "no LZ4 block where one should begin");
    }
    if (n > (size_t)1 << (10 + level) || packed > LZ4_COMPRESSBOUND(BLOCK_MOST)) {
        return damaged(why, "the sizes of an LZ4 block contradict each other");
    }
    if (!gather(d, in, LZ4_HEADER + packed)) {
        return NB_DONE;
    }
    NB_TRY(prepare_text(d, n));
    data = d->block.data + LZ4_HEADER;
    switch (d->block.data[8] & 0xf0) {
    case LZ4_RAW:
        if (packed != n) {
            return damaged(why, "the sizes of an LZ4 block contradict each other");
        }
        memcpy(d->text.data, data, n);
        break;
    case LZ4_PACKED:
        if (LZ4_decompress_safe(data, d->text.data, (int)packed, (int)n) != (int)n) {
            return damaged(why, "an LZ4 block is damaged");
        }
        break;
    default: return damaged(why, "an LZ4 block of unknown kind");
    }
    if (n > 0 && (XXH32(d->text.data, n, LZ4_SEED) & 0x0FFFFFFF) != le32(d->block.data + 17)) {
        return damaged(why, "an LZ4 block does not match its checksum");
    }
    d->block.len = 0;
    return NB_OK;
}

static nb_status
next_snappy(nb_log_decoder *d, nb_str *in, const char **why)
{
    size_t n, packed;

    if (!d->started) {
        if (!gather(d, in, SNAPPY_HEADER)) {
            return NB_DONE;
        }
        if (memcmp(d->block.data, "\x82SNAPPY\0", 8) != 0) {
            return damaged(why, "it does not begin as a Snappy stream");
        }
        d->block.len = 0;
        d->started = true;
    }
    if (!gather(d, in, 4)) {
        return NB_DONE;
    }
    packed = be32(d->block.data);
    if (packed > BLOCK_MOST) {
        return damaged(why, "a Snappy block is too large");
    }
    if (!gather(d, in, 4 + packed)) {
        return NB_DONE;
    }
    if (snappy_uncompressed_length(d->block.data + 4, packed, &n) != SNAPPY_OK || n > BLOCK_MOST ||
        n / 64 > packed + 64) { /* no snappy stream packs better than 64 to 3 */
        return damaged(why, "a Snappy block is damaged");
    }
    NB_TRY(prepare_text(d, n));
    if (snappy_uncompress(d->block.data + 4, packed, d->text.data, &n) != SNAPPY_OK) {
        return damaged(why, "a Snappy block is damaged");
    }
    d->block.len = 0;
    return NB_OK;
}

static nb_status
decode_zstd(nb_log_decoder *d, nb_str *in, char *out, size_t cap, size_t *n, const char **why)
{
    ZSTD_inBuffer from = {in->data, in->len, 0};
    ZSTD_outBuffer to = {out, cap, 0};

    do {
        size_t left = ZSTD_decompressStream(d->zstd, &to, &from);

        if (ZSTD_isError(left)) {
            return damaged(why, ZSTD_getErrorName(left));
        }
        if (to.pos == to.size || (from.pos == from.size)) {
            break;
        }
    } while (true);
    in->data += from.pos;
    in->len -= from.pos;
    *n = to.pos;
    return NB_OK;
}

nb_status
nb_log_decode(nb_log_decoder *d, nb_str *in, char *out, size_t cap, size_t *n, const char **why)
{
    *n = 0;
    if (d->codec == NB_LOG_UNKNOWN) {
        return damaged(why, "its compression is not one of zstd, lz4 and snappy");
    }
    if (d->codec == NB_LOG_ZSTD) {
        return decode_zstd(d, in, out, cap, n, why);
    }
    if (d->codec == NB_LOG_PLAIN) {
        *n = NB_MIN(cap, in->len);
        memcpy(out, in->data, *n);
        in->data += *n;
        in->len -= *n;
        return NB_OK;
    }
    while (d->text_at == d->text.len) {
        nb_status st = d->codec == NB_LOG_LZ4 ? next_lz4(d, in, why) : next_snappy(d, in, why);

        if (st != NB_OK) {
            return st == NB_DONE ? NB_OK : st;
        }
    }
    *n = NB_MIN(cap, d->text.len - d->text_at);
    memcpy(out, d->text.data + d->text_at, *n);
    d->text_at += *n;
    return NB_OK;
}
