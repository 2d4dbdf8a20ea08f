/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.c: see block.h. Libraries check their input; sizes were checked against the page header's by the caller.
 */
#include "io/parquet/block.h"

#include <brotli/decode.h>
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
           codec == NB_PQ_ZSTD || codec == NB_PQ_LZ4_RAW || codec == NB_PQ_BROTLI;
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
    case NB_PQ_LZ4_RAW:
        return n_in <= INT32_MAX && n_out <= INT32_MAX &&
               LZ4_decompress_safe(in, out, (int)n_in, (int)n_out) == (int)n_out;
    case NB_PQ_BROTLI:
        return BrotliDecoderDecompress(n_in, in, &n, out) == BROTLI_DECODER_RESULT_SUCCESS &&
               n == n_out;
    default: return false;
    }
}

bool
nb_pq_compress(int codec, const void *in, size_t n_in, nb_strbuf *out)
{
    size_t room = codec == NB_PQ_SNAPPY ? snappy_max_compressed_length(n_in)
                  : codec == NB_PQ_ZSTD ? ZSTD_compressBound(n_in)
                  : codec == NB_PQ_GZIP ? compressBound((uLong)n_in) + 32
                  : codec == NB_PQ_LZ4_RAW && n_in <= LZ4_MAX_INPUT_SIZE
                      ? (size_t)LZ4_compressBound((int)n_in)
                      : n_in;
    size_t n = room, at = out->len;
    char *to;

    nb_strbuf_fill(out, 0, room);
    if (out->failed) {
        return false;
    }
    to = out->data + at;
    switch (codec) {
    case NB_PQ_UNCOMPRESSED:
        if (n_in) {
            memcpy(to, in, n_in);
        }
        break;
    case NB_PQ_SNAPPY:
        if (snappy_compress(in, n_in, to, &n) != SNAPPY_OK) {
            return false;
        }
        break;
    case NB_PQ_ZSTD:
        n = ZSTD_compress(to, room, in, n_in, 3);
        if (ZSTD_isError(n)) {
            return false;
        }
        break;
    case NB_PQ_GZIP: {
        z_stream z = {0};
        if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
            Z_OK) {
            return false;
        }
        z.next_in = (Bytef *)in;
        z.avail_in = (uInt)n_in;
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)room;
        int rc = deflate(&z, Z_FINISH);
        n = z.total_out;
        deflateEnd(&z);
        if (rc != Z_STREAM_END) {
            return false;
        }
        break;
    }
    case NB_PQ_LZ4_RAW: {
        int made = LZ4_compress_default(in, to, (int)n_in, (int)room);
        if (made <= 0 && n_in) {
            return false;
        }
        n = (size_t)made;
        break;
    }
    default: return false;
    }
    out->len = at + n;
    out->data[out->len] = 0;
    return true;
}
