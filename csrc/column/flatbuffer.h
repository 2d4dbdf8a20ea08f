/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flatbuffer.h: the little of FlatBuffers that Arrow's messages need.
 *
 * Writing goes backwards, from leaves to the root: strings and vectors first, then the tables that refer to them. Positions are
 * counted from the end of the buffer, so they stay right while it grows. Reading trusts nothing: each access says whether what it
 * wants lies inside.
 */
#ifndef NB_COLUMN_FLATBUFFER_H
#define NB_COLUMN_FLATBUFFER_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/str.h"

/* --- writing ----------------------------------------------------------------------------------- */

#define NB_FB_MAX_FIELDS 8

typedef struct nb_fb_writer {
    nb_arena *arena;
    uint8_t *data; /* cap bytes, the last `size` of which are written */
    size_t cap, size;
    bool failed;                       /* out of memory; sticky */
    uint32_t fields[NB_FB_MAX_FIELDS]; /* of the table under construction: positions, 0 = absent */
    int n_fields;
    uint32_t table_start;
} nb_fb_writer;

typedef uint32_t nb_fb_pos; /* of something written; 0 = nothing */

nb_fb_pos nb_fb_string(nb_fb_writer *w, nb_str s);
/* n elements of size bytes, aligned to align, copied as they are (structs, scalars). */
nb_fb_pos nb_fb_vector(nb_fb_writer *w, const void *elements, size_t n, size_t size, size_t align);
nb_fb_pos nb_fb_offset_vector(nb_fb_writer *w, const nb_fb_pos *elements, size_t n);

/* A table: start, any number of fields in any order, end. One at a time. */
void nb_fb_table_start(nb_fb_writer *w, int n_fields);
void nb_fb_field_u8(nb_fb_writer *w, int field, uint8_t v);
void nb_fb_field_i16(nb_fb_writer *w, int field, int16_t v);
void nb_fb_field_i32(nb_fb_writer *w, int field, int32_t v);
void nb_fb_field_i64(nb_fb_writer *w, int field, int64_t v);
void nb_fb_field_ref(nb_fb_writer *w, int field, nb_fb_pos v); /* nothing when v is 0 */
nb_fb_pos nb_fb_table_end(nb_fb_writer *w);

/* The finished buffer, a multiple of 8 bytes; {NULL, 0} when out of memory. Lives in the arena. */
nb_str nb_fb_finish(nb_fb_writer *w, nb_fb_pos root);

/* --- reading ----------------------------------------------------------------------------------- */

typedef struct nb_fb_table {
    const uint8_t *data; /* the whole buffer; NULL = no table */
    uint32_t len;
    uint32_t pos; /* of the table */
    uint32_t vtable, n_fields;
} nb_fb_table;

typedef struct nb_fb_list {
    const uint8_t *data;
    uint32_t len, pos; /* of the first element */
    uint32_t n;
} nb_fb_list;

/* All return false when the buffer is malformed. An absent field gives the default, an empty string or list, a table with data NULL. */
bool nb_fb_root(const void *data, size_t len, nb_fb_table *out);
bool nb_fb_get_int(const nb_fb_table *t, int field, int width, int64_t def, int64_t *out);
bool nb_fb_get_table(const nb_fb_table *t, int field, nb_fb_table *out);
bool nb_fb_get_string(const nb_fb_table *t, int field, nb_str *out);
bool nb_fb_get_list(const nb_fb_table *t, int field, uint32_t element_size, nb_fb_list *out);
/* Element i of a list of tables. */
bool nb_fb_list_table(const nb_fb_list *l, uint32_t i, nb_fb_table *out);
/* 64-bit number `at` of element i of a list of structs of `per` 64-bit numbers. */
int64_t nb_fb_list_i64(const nb_fb_list *l, uint32_t i, uint32_t per, uint32_t at);

#endif
