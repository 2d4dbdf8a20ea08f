/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.c: see block.h. Libraries check their input; sizes were checked against the page header's by the caller.
 */
#include "io/parquet/block.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <lz4.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include "io/parquet/meta.h"
#include "io/parquet/snappy.h"

bool
nb_pq_codec_known(int codec)
{
    return codec == NB_PQ_UNCOMPRESSED || codec == NB_PQ_SNAPPY || codec == NB_PQ_GZIP ||
           codec == NB_PQ_ZSTD || codec == NB_PQ_LZ4_RAW || codec == NB_PQ_BROTLI ||
           codec == NB_PQ_LZ4;
}

static bool
gunzip(const void *in, size_t n_in, void *out, size_t n_out)
{
    z_stream z = {0};
    int rc;

    if (n_in > UINT32_MAX || n_out > UINT32_MAX || inflateInit2(&z, 15 + 32) != Z_OK) {
        return false;
    }
    z.next_in = (Bytef *)in;
    z.avail_in = (uInt)n_in;
    z.next_out = out;
    z.avail_out = (uInt)n_out;
    rc = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return rc == Z_STREAM_END && z.avail_out == 0;
}

static bool
unlz4(const void *in, size_t n_in, void *out, size_t n_out)
{
    return n_in <= INT32_MAX && n_out <= INT32_MAX &&
           LZ4_decompress_safe(in, out, (int)n_in, (int)n_out) == (int)n_out;
}

static size_t
big_endian(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* Hadoop's framing: blocks after the sizes of what comes out and of what is stored. Some writers left it out, so a page that is not framed is a block. */
static bool
unlz4_framed(const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out)
{
    size_t at = 0, done = 0;

    while (n_in - at >= 8) {
        size_t made = big_endian(in + at), stored = big_endian(in + at + 4);
        if (stored > n_in - at - 8 || made > n_out - done ||
            !unlz4(in + at + 8, stored, out + done, made)) {
            break;
        }
        at += 8 + stored;
        done += made;
    }
    return (at == n_in && done == n_out) || unlz4(in, n_in, out, n_out);
}

const uint8_t *
nb_pq_snappy_in_place(const void *in, size_t n_in, size_t n_out)
{
    const uint8_t *p = in, *end = p + n_in;
    uint64_t length = 0, literal;
    int n_bytes;

    for (int shift = 0; shift < 35; shift += 7) {
        if (p >= end) {
            return NULL;
        }
        length |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p++ & 0x80)) {
            break;
        }
    }
    if (length != n_out || p >= end || (*p & 3) != 0) {
        return NULL;
    }
    literal = *p++ >> 2;
    n_bytes = literal < 60 ? 0 : (int)literal - 59;
    if (n_bytes > end - p) {
        return NULL;
    }
    if (n_bytes) {
        literal = 0;
        for (int i = 0; i < n_bytes; i++) {
            literal |= (uint64_t)*p++ << (8 * i);
        }
    }
    return literal + 1 == n_out && (size_t)(end - p) == n_out ? p : NULL;
}

bool
nb_pq_decompress(int codec, const void *in, size_t n_in, void *out, size_t n_out)
{
    size_t n = n_out;

    switch (codec) {
    case NB_PQ_UNCOMPRESSED:
        if (n_in != n_out) {
            return false;
        }
        memcpy(out, in, n_out);
        return true;
    case NB_PQ_SNAPPY: {
        nb_snappy_block block = {.in = in, .n_in = n_in, .out = out, .n_out = n_out};
        nb_snappy_decompress(&block, NULL);
        return block.ok;
    }
    case NB_PQ_GZIP: return gunzip(in, n_in, out, n_out);
    case NB_PQ_ZSTD: return ZSTD_decompress(out, n_out, in, n_in) == n_out;
    case NB_PQ_LZ4_RAW: return unlz4(in, n_in, out, n_out);
    case NB_PQ_LZ4: return unlz4_framed(in, n_in, out, n_out);
    case NB_PQ_BROTLI:
        return BrotliDecoderDecompress(n_in, in, &n, out) == BROTLI_DECODER_RESULT_SUCCESS &&
               n == n_out;
    default: return false;
    }
}

static int
level_of(int level, int otherwise, int least, int most)
{
    return level == NB_PQ_LEVEL_DEFAULT ? otherwise : NB_MIN(NB_MAX(level, least), most);
}

static bool
gzip(int level, const void *in, size_t n_in, void *to, size_t *n)
{
    z_stream z = {0};
    int rc;

    if (deflateInit2(&z, level_of(level, Z_DEFAULT_COMPRESSION, 0, 9), Z_DEFLATED, 15 + 16, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    z.next_in = (Bytef *)in;
    z.avail_in = (uInt)n_in;
    z.next_out = to;
    z.avail_out = (uInt)*n;
    rc = deflate(&z, Z_FINISH);
    *n = z.total_out;
    deflateEnd(&z);
    return rc == Z_STREAM_END;
}

/* A frame of Hadoop's: both sizes, then the block. */
static bool
lz4_framed(const void *in, size_t n_in, uint8_t *to, size_t *n)
{
    int made = n_in ? LZ4_compress_default(in, (char *)to + 8, (int)n_in, (int)*n - 8) : 0;

    if (made <= 0 && n_in) {
        return false;
    }
    for (int k = 0; k < 4; k++) {
        to[k] = (uint8_t)(n_in >> (24 - 8 * k));
        to[4 + k] = (uint8_t)((uint32_t)made >> (24 - 8 * k));
    }
    *n = n_in ? (size_t)made + 8 : 0;
    return true;
}

/* The most that n_in bytes become; 0: they cannot be compressed. */
static size_t
room_for(int codec, size_t n_in)
{
    if (n_in > INT32_MAX) {
        return 0;
    }
    switch (codec) {
    case NB_PQ_SNAPPY: return snappy_max_compressed_length(n_in);
    case NB_PQ_ZSTD: return ZSTD_compressBound(n_in);
    case NB_PQ_GZIP: return compressBound((uLong)n_in) + 32;
    case NB_PQ_BROTLI: return BrotliEncoderMaxCompressedSize(n_in) + 16;
    case NB_PQ_LZ4:
    case NB_PQ_LZ4_RAW:
        return n_in <= LZ4_MAX_INPUT_SIZE ? (size_t)LZ4_compressBound((int)n_in) + 8 : 0;
    default: return n_in + 1;
    }
}

static bool
compress_block(int codec, int level, const void *in, size_t n_in, char *to, size_t *n)
{
    switch (codec) {
    case NB_PQ_UNCOMPRESSED:
        if (n_in) {
            memcpy(to, in, n_in);
        }
        *n = n_in;
        return true;
    case NB_PQ_SNAPPY: return snappy_compress(in, n_in, to, n) == SNAPPY_OK;
    case NB_PQ_ZSTD:
        *n =
            ZSTD_compress(to, *n, in, n_in, level_of(level, 3, ZSTD_minCLevel(), ZSTD_maxCLevel()));
        return !ZSTD_isError(*n);
    case NB_PQ_GZIP: return gzip(level, in, n_in, to, n);
    case NB_PQ_BROTLI:
        return BrotliEncoderCompress(level_of(level, 4, BROTLI_MIN_QUALITY, BROTLI_MAX_QUALITY),
                                     BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, n_in, in, n,
                                     (uint8_t *)to);
    case NB_PQ_LZ4: return lz4_framed(in, n_in, (uint8_t *)to, n);
    case NB_PQ_LZ4_RAW: {
        int made = LZ4_compress_default(in, to, (int)n_in, (int)*n);
        *n = (size_t)NB_MAX(made, 0);
        return made > 0;
    }
    default: return false;
    }
}

bool
nb_pq_compress(int codec, int level, const void *in, size_t n_in, nb_strbuf *out)
{
    size_t n = room_for(codec, n_in), at = out->len;

    if (n == 0) {
        return false;
    }
    nb_strbuf_fill(out, 0, n);
    if (out->failed || !compress_block(codec, level, in, n_in, out->data + at, &n)) {
        return false;
    }
    out->len = at + n;
    out->data[out->len] = 0;
    return true;
}
