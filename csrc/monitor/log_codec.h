/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_codec.h: the byte streams that event logs are: plain, or compressed as Spark's codecs do.
 *
 *   zstd    frames of Zstandard
 *   lz4     blocks of lz4-java: "LZ4Block", token, sizes, xxHash32, data
 *   snappy  blocks of xerial's snappy: a header of 16 bytes, then size (big endian) and data; read only
 *
 * A decoder is fed what a file has so far and goes on when the file has grown, so that logs of running applications are read
 * as they grow. Declared sizes are checked before anything is allocated for them.
 */
#ifndef NB_MONITOR_LOG_CODEC_H
#define NB_MONITOR_LOG_CODEC_H

#include "base/error.h"
#include "base/str.h"

typedef enum nb_log_codec {
    NB_LOG_PLAIN,
    NB_LOG_ZSTD,
    NB_LOG_LZ4,
    NB_LOG_SNAPPY,
    NB_LOG_UNKNOWN /* lzf and whatever else: named, not read */
} nb_log_codec;

/* By the end of a file's name, ".inprogress" left aside. */
nb_log_codec nb_log_codec_of_name(nb_str file_name);
/* spark.eventLog.compression.codec. */
nb_log_codec nb_log_codec_of_option(nb_str option);
const char *nb_log_codec_extension(nb_log_codec codec); /* ".zstd", "" … */

/* ---- writing ---- */

typedef struct nb_log_encoder nb_log_encoder;
/* NULL when out of memory. Plain, zstd and lz4. */
nb_log_encoder *nb_log_encoder_new(nb_log_codec codec);
void nb_log_encoder_free(nb_log_encoder *e);
/* Adds text; with `flush` what was given so far can be read from what *out has got; `finish` ends the stream. False: out of memory. */
bool nb_log_encode(nb_log_encoder *e, nb_str text, bool flush, bool finish, nb_strbuf *out);

/* ---- reading ---- */

typedef struct nb_log_decoder nb_log_decoder;
nb_log_decoder *nb_log_decoder_new(nb_log_codec codec);
void nb_log_decoder_free(nb_log_decoder *d);
/* Takes *in (which is advanced) and gives up to cap bytes of text. NB_OK with *n 0 and *in empty: wants more input. NB_ERROR: damaged;
 * *why says how. */
nb_status
nb_log_decode(nb_log_decoder *d, nb_str *in, char *out, size_t cap, size_t *n, const char **why);

#endif
