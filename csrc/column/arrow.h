/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrow.h: the door in and out: the Arrow C data interface and Arrow IPC streams.
 *
 * The three structs are the public ABI (Apache Arrow, "The Arrow C data interface"); they are declared here under their own
 * names, guarded as the specification asks for, so that other headers may declare them too.
 *
 *   out   table → ArrowSchema, ArrowArray, ArrowArrayStream: numeric flat columns by reference, all else converted; bool as
 *         bits, decimals 128 bits, strings with offsets (or views on demand), lists with offsets, dictionaries decoded,
 *         UDTs as their storage. An array keeps the table (and what holds the table's pool) alive until it is released.
 *   in    ArrowSchema + ArrowArray → chunk: all layouts that pyarrow, polars, pandas and NumPy make; fixed-width columns and
 *         string bytes by reference.
 *   IPC   the same two structs as an encapsulated stream, and back; the reader trusts no byte of it.
 */
#ifndef NB_COLUMN_ARROW_H
#define NB_COLUMN_ARROW_H

#include "base/buffer.h"
#include "column/table.h"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* --- out --------------------------------------------------------------------------------------- */

typedef struct nb_arrow_options {
    nb_str time_zone; /* of TIMESTAMP columns; empty = UTC */
    const struct ArrowSchema *
        requested; /* borrowed; string columns follow its formats ("u", "U", "vu", ...); NULL = "u" */
    bool large_strings; /* "U" and "Z" where nothing is requested */
    int64_t max_rows;   /* rows per array; 0 = as the table's chunks are */
    /* What keeps the table's pool alive: retained once per array and stream. Any thread may release. NULL = nothing. */
    void *owner;
    void (*retain)(void *owner);
    void (*release)(void *owner);
} nb_arrow_options;

#define NB_ARROW_OPTIONS_INIT ((nb_arrow_options){0})

/* A struct schema, or any type as the schema of one column. *out is owned by its release. */
nb_status nb_arrow_export_schema(const nb_type *type, const nb_arrow_options *options,
                                 struct ArrowSchema *out, nb_error *err);

/* Rows [from, from+n) of a chunk as one struct array. The table owns the chunk and is referenced by the array. */
nb_status
nb_arrow_export_chunk(nb_table *table, const nb_chunk *chunk, int64_t from, int64_t n,
                      const nb_arrow_options *options, struct ArrowArray *out, nb_error *err);

/* All rows. At least one array comes, also for an empty table. options are copied, deeply. */
nb_status nb_arrow_export_table(nb_table *table, const nb_arrow_options *options,
                                struct ArrowArrayStream *out, nb_error *err);

/* --- in ---------------------------------------------------------------------------------------- */

typedef struct nb_arrow_import_options {
    bool
        naive_as_ltz; /* timestamps without zone become TIMESTAMP (as UTC: the caller localises); else TIMESTAMP_NTZ */
} nb_arrow_import_options;

/* The type of a column or, for a struct at the top, of a table. Spark's mapping (pyspark's from_arrow_type), extended by unsigned
 * integers (next wider signed type; uint64 → decimal(20,0)), half floats, views and dictionaries. options may be NULL. */
nb_status
nb_arrow_import_type(const struct ArrowSchema *schema, const nb_arrow_import_options *options,
                     const nb_type **out, nb_error *err);

/* One struct array becomes a chunk whose columns have the types of nb_arrow_import_type. The array is moved (also on failure).
 * Borrowed for the call: schema. */
nb_status
nb_arrow_import_chunk(nb_pool *pool, const struct ArrowSchema *schema, const nb_type *type,
                      struct ArrowArray *array, nb_chunk **out, nb_error *err);

/* All arrays of a stream; the stream is moved (also on failure). */
nb_status
nb_arrow_import_stream(nb_pool *pool, struct ArrowArrayStream *stream,
                       const nb_arrow_import_options *options, nb_table **out, nb_error *err);

/* --- IPC --------------------------------------------------------------------------------------- */

typedef enum nb_arrow_codec {
    NB_ARROW_PLAIN = -1,
    NB_ARROW_LZ4 = 0,
    NB_ARROW_ZSTD = 1
} nb_arrow_codec;

/* Messages of the stream format, appended to out (whose `failed` is checked): schema, batches, end. */
nb_status
nb_arrow_ipc_write_schema(const struct ArrowSchema *schema, nb_strbuf *out, nb_error *err);
nb_status nb_arrow_ipc_write_batch(const struct ArrowSchema *schema, const struct ArrowArray *array,
                                   nb_arrow_codec codec, nb_strbuf *out, nb_error *err);
nb_status nb_arrow_ipc_write_end(nb_strbuf *out);

/* A whole stream: schema, all rows of the table, end. */
nb_status nb_arrow_ipc_write_table(nb_table *table, const nb_arrow_options *options,
                                   nb_arrow_codec codec, nb_strbuf *out, nb_error *err);

/* Reads a stream. The bytes are untrusted; the table refers to them where it can (bytes is referenced). */
nb_status nb_arrow_ipc_read(nb_pool *pool, nb_buffer *bytes, const nb_arrow_import_options *options,
                            nb_table **out, nb_error *err);

#endif
