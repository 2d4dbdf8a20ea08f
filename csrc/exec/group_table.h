/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_table.h: rows found by their key: the groups of an aggregate as one thread sees them.
 *
 *   slot   | hash, upper 32 bits | row number + 1 |   0 = empty; home is the hash's top `bits`, linear probing
 *   row    | key image | states … |                    row_width bytes, numbered from 0 in order of arrival
 *
 * Because homes are the top bits of the hash, walking the slots visits rows almost in the order of their hashes. That order depends
 * on the keys alone, not on threads or table sizes: merging, spilling and output all use it (nb_group_table_entries).
 */
#ifndef NB_EXEC_GROUP_TABLE_H
#define NB_EXEC_GROUP_TABLE_H

#include "base/pool.h"
#include "exec/key_image.h"

typedef struct nb_group_table {
    nb_pool *pool;
    const nb_key_layout *layout;
    int row_width; /* a multiple of 8 */
    int bits;
    uint32_t
        spread; /* homes are the top bits of the hash times this; 1 unless keys came in the order of their hashes */
    uint64_t *slots; /* 2^bits */
    uint8_t *rows;   /* moves when it grows */
    uint32_t n_rows, cap_rows;
    nb_arena *heap; /* strings of more than 12 bytes */
} nb_group_table;

/* layout is borrowed. */
nb_status
nb_group_table_init(nb_group_table *t, nb_pool *pool, const nb_key_layout *layout, int row_width);
void nb_group_table_free(nb_group_table *t);
/* Forgets all rows; small again. */
nb_status nb_group_table_clear(nb_group_table *t);
/* Forgets all rows, but neither its memory nor the strings that they have. */
void nb_group_table_empty(nb_group_table *t);

/* The row number of each of n images (at most NB_BATCH_ROWS), made where it is new: new rows have the key and zeroes behind it.
 * On NB_NOMEM rows that were made before stay; the call may be repeated. */
nb_status nb_group_table_find(nb_group_table *t, const uint8_t *images, const uint64_t *hashes,
                              int64_t n, uint32_t *rows);

NB_INLINE uint8_t *
nb_group_row(const nb_group_table *t, uint32_t row)
{
    return t->rows + (size_t)row * (size_t)t->row_width;
}

/* Puts slots into the order of the hashes; before entries are asked for, and while nobody else looks at the table. */
nb_status nb_group_table_settle(nb_group_table *t);
/* An entry is hash32 << 32 | row. Those with low <= hash32 <= high in ascending order; *out (of *cap entries, in the given pool) grows
 * as needed. */
nb_status nb_group_table_entries(const nb_group_table *t, nb_pool *pool, uint32_t low,
                                 uint32_t high, uint64_t **out, size_t *cap, size_t *n);
size_t nb_group_table_bytes(const nb_group_table *t);
/* Will it grow when so many more rows come? Then to about twice its bytes, and for a moment it has both. */
bool nb_group_table_is_full(const nb_group_table *t, int64_t more);

#endif
