/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_arrow_ipc.c: the reader of Arrow IPC streams. What is accepted must be walkable to the last value and writable again.
 */
#include "column/arrow.h"

#define MEMORY_LIMIT ((size_t)256 << 20)

/* Touches every byte that a vector leads to. */
static uint64_t
walk(const nb_vector *v, int64_t row)
{
    uint64_t sum = 0;
    nb_list l;

    if (nb_vector_is_null(v, row)) {
        return 1;
    }
    row = nb_vector_slot(v, row);
    v = v->kind == NB_VEC_DICT ? v->dict : v;
    switch (nb_type_storage(v->type)->phys) {
    case NB_PHYS_STRING: {
        const nb_view *s = &NB_DATA(nb_view, v)[row];
        for (uint32_t i = 0; i < s->len; i++) {
            sum += (uint8_t)nb_view_data(s)[i];
        }
        return sum;
    }
    case NB_PHYS_LIST:
        l = NB_DATA(nb_list, v)[row];
        for (uint32_t k = 0; k < l.len && k < 1000; k++) {
            sum += walk(&v->children[0], (int64_t)l.offset + k);
        }
        return sum;
    case NB_PHYS_STRUCT:
        for (int i = 0; i < v->n_children; i++) {
            sum += walk(&v->children[i], row);
        }
        return sum;
    case NB_PHYS_NONE: return 0;
    default: return ((const uint8_t *)v->data)[row * nb_phys_width(nb_type_storage(v->type)->phys)];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nb_pool *pool = nb_pool_new(NULL, "fuzz", MEMORY_LIMIT);
    nb_arrow_options o = NB_ARROW_OPTIONS_INIT;
    nb_error err = NB_ERROR_INIT;
    uint64_t seen = 0;
    nb_buffer *bytes = NULL;
    nb_table *table = NULL;

    if (nb_buffer_new(pool, size, &bytes) == NB_OK) {
        memcpy(bytes->data, data, size);
        if (nb_arrow_ipc_read(pool, bytes, NULL, &table, &err) == NB_OK) {
            int64_t budget = 100000;
            for (int k = 0; k < table->n_chunks; k++) {
                for (int c = 0; c < table->schema->n_children; c++) {
                    for (int64_t i = 0; i < table->chunks[k]->n_rows && budget-- > 0; i++) {
                        seen += walk(&table->chunks[k]->cols[c], i);
                    }
                }
            }
            if (table->n_rows < 100000) {
                nb_strbuf out = {0};
                nb_arrow_ipc_write_table(table, &o, NB_ARROW_PLAIN, &out, NULL);
                nb_strbuf_free(&out);
            }
            nb_table_release(table);
        }
        nb_buffer_release(bytes);
    }
    nb_error_clear(&err);
    NB_ASSERT(nb_pool_used(pool) == 0);
    nb_pool_free(pool);
    return seen == UINT64_MAX ? -1 : 0; /* so that the walk is not optimised away */
}
