/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec.h: streams of bytes through compression and character sets.
 *
 * A reader chain is file → decompressor (by the name's extension, as Hadoop) → transcoder to UTF-8; a writer chain runs the other way. Only blocks of bounded
 * size are held: 1 kB that inflates to 10 GB costs time and no memory.
 */
#ifndef NB_IO_CODEC_H
#define NB_IO_CODEC_H

#include "io/file.h"

typedef enum nb_codec {
    NB_CODEC_NONE,
    NB_CODEC_GZIP,
    NB_CODEC_ZLIB,
    NB_CODEC_BZIP2,
    NB_CODEC_ZSTD
} nb_codec;

typedef enum nb_charset {
    NB_CHARSET_UTF8,
    NB_CHARSET_ASCII,
    NB_CHARSET_LATIN1,
    NB_CHARSET_CP1252,
    NB_CHARSET_UTF16, /* byte order mark decides, else big endian; written big endian with a mark */
    NB_CHARSET_UTF16LE,
    NB_CHARSET_UTF16BE,
    NB_CHARSET_UTF32,
} nb_charset;

nb_codec nb_codec_of_path(nb_str path);         /* .gz .deflate .bz2 .zst, else NONE */
const char *nb_codec_extension(nb_codec codec); /* ".gz", "" */
/* Spark's names of the compression option: none, uncompressed, gzip, deflate, bzip2, zstd. Raises CODEC_NOT_AVAILABLE. */
nb_status nb_codec_of_option(nb_str name, nb_codec *out, nb_error *err);
/* Java's names in any case. Raises INVALID_PARAMETER_VALUE.CHARSET. */
nb_status nb_charset_of_option(nb_str name, const char *function, nb_charset *out, nb_error *err);

typedef struct nb_reader nb_reader;
/* The file is moved into the reader. */
nb_status nb_reader_new(nb_pool *pool, nb_file *file, nb_codec codec, nb_charset charset,
                        nb_reader **out, nb_error *err);
/* Up to n (≥ 16) bytes of UTF-8 (for NB_CHARSET_UTF8: bytes as they are); *n_read 0 at the end. Raises on damaged input. */
nb_status nb_reader_read(nb_reader *r, void *buf, size_t n, size_t *n_read, nb_error *err);
void nb_reader_free(nb_reader *r);

typedef struct nb_writer nb_writer;
/* Of a new file at path. */
nb_status nb_writer_new(nb_pool *pool, const char *path, nb_codec codec, nb_charset charset,
                        nb_writer **out, nb_error *err);
nb_status nb_writer_write(nb_writer *w, const void *text, size_t n,
                          nb_error *err); /* whole UTF-8 characters */
/* Ends the stream and closes the file. Frees the writer, also on failure. */
nb_status nb_writer_finish(nb_writer *w, nb_error *err);
void nb_writer_abort(nb_writer *w);
int64_t nb_writer_bytes(const nb_writer *w); /* text given so far */

/* Copies text with every malformed UTF-8 sequence replaced by U+FFFD, as Java decodes; out has room for 3 n bytes. Returns bytes written. */
size_t nb_utf8_repair(const char *text, size_t n, char *out);
/* Is it well-formed UTF-8? Eight ASCII bytes at a time. */
bool nb_utf8_is_valid(const char *text, size_t n);

#endif
