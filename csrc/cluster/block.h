/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block.h: rows on their way between tasks: a header and an Arrow IPC stream.
 *
 *   | magic u32 | partition i32 | n_rows u64 | n_bytes u64 | checksum u64 | zeroes up to 64 | Arrow IPC stream: n_bytes | zeroes |
 *
 * Little-endian; a block takes a multiple of 64 bytes. The checksum (XXH3) is that of the stream. Blocks without columns have no stream. Both sides know the schema from the fragment: a
 * block whose columns differ from it is refused.
 */
#ifndef NB_CLUSTER_BLOCK_H
#define NB_CLUSTER_BLOCK_H

#include "column/arrow.h"

#define NB_BLOCK_ALIGN 64

/* Appends the rows of a chunk. compress: by LZ4. */
nb_status nb_wire_block_write(nb_pool *pool, const nb_type *schema, nb_chunk *chunk, bool compress,
                              nb_strbuf *out, nb_error *err);
/* Appends the rows of all blocks that follow each other in bytes[from, to) to the table, whose schema they must have. The bytes are
 * untrusted, and referenced by what is read. */
nb_status nb_wire_block_read(nb_pool *pool, nb_buffer *bytes, size_t from, size_t to,
                             nb_table *into, nb_error *err);

#endif
