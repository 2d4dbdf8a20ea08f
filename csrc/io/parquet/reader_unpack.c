/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_unpack.c: pages decompressed, Snappy's two at a time where there are two: one alone waits for the place of its next element.
 */
#include "io/parquet/block.h"
#include "io/parquet/reader_internal.h"
#include "io/parquet/snappy.h"
#include "io/parquet/values.h"

/* So many bytes a page may always have, and so many per stored byte where the codec can pack that much. */
#define BYTES_FREE ((size_t)16 << 20)

static bool
is_plausible(int codec, size_t n_in, size_t n_out)
{
    size_t most = codec == NB_PQ_SNAPPY                          ? 24
                  : codec == NB_PQ_GZIP                          ? 1100
                  : codec == NB_PQ_LZ4 || codec == NB_PQ_LZ4_RAW ? 256
                                                                 : 32768;

    return n_out <= BYTES_FREE || n_out / most <= n_in;
}

static void
count_bytes(nb_pq_reader *r, size_t n)
{
    if (r->counts != NULL) {
        r->counts->bytes_unpacked += (int64_t)n;
    }
}

nb_status
nb_pq_reader_unpack(nb_pq_reader *r, int codec, const uint8_t *in, size_t n_in, size_t n_out,
                    bool keep, const uint8_t **out, nb_error *err)
{
    uint8_t *to = r->unpacked;

    if (codec == NB_PQ_UNCOMPRESSED) {
        if (n_in != n_out) {
            return nb_pq_reader_damaged(r, "sizes in a page header disagree", err);
        }
        *out = in;
        return NB_OK;
    }
    if (!is_plausible(codec, n_in, n_out)) {
        return nb_pq_reader_damaged(r, "a page claims to be much larger than its bytes explain",
                                    err);
    }
    if (codec == NB_PQ_SNAPPY) {
        *out = nb_pq_snappy_in_place(in, n_in, n_out);
        if (*out) {
            return NB_OK;
        }
    }
    if (keep || n_out > r->cap_unpacked) {
        to = nb_arena_alloc64(r->arena, n_out + 64);
        if (!to) {
            return NB_NOMEM;
        }
        if (!keep) {
            r->unpacked = to;
            r->cap_unpacked = n_out;
        }
    }
    count_bytes(r, n_out);
    if (!nb_pq_decompress(codec, in, n_in, to, n_out)) {
        return nb_pq_reader_damaged(r, "a page cannot be decompressed", err);
    }
    *out = to;
    return NB_OK;
}

/* Is there a dictionary to decompress, and worth a partner? */
static bool
is_pending(const nb_pq_reader *r)
{
    const nb_pq_page *h = &r->first.head;

    return r->dictionary_page && !r->has_dict && !r->prepared && r->codec == NB_PQ_SNAPPY &&
           is_plausible(NB_PQ_SNAPPY, (size_t)h->compressed, (size_t)h->uncompressed) &&
           !nb_pq_snappy_in_place(r->first.bytes, (size_t)h->compressed, (size_t)h->uncompressed);
}

nb_status
nb_pq_readers_prepare(nb_pq_reader *const *readers, int n)
{
    nb_pq_reader *pair[2];
    nb_snappy_block blocks[2];
    int waiting = 0;

    for (int i = 0; i < n; i++) {
        nb_pq_reader *r = readers[i];
        const nb_pq_page *h = &r->first.head;
        if (!is_pending(r)) {
            continue;
        }
        pair[waiting] = r;
        blocks[waiting] = (nb_snappy_block){
            .in = r->first.bytes, .n_in = (size_t)h->compressed, .n_out = (size_t)h->uncompressed};
        blocks[waiting].out = nb_arena_alloc64(r->arena, (size_t)h->uncompressed + NB_SNAPPY_SLACK);
        if (!blocks[waiting].out) {
            return NB_NOMEM;
        }
        count_bytes(r, blocks[waiting].n_out);
        if (++waiting == 2) {
            nb_snappy_decompress(&blocks[0], &blocks[1]);
            for (int k = 0; k < 2; k++) {
                pair[k]->prepared = blocks[k].ok ? blocks[k].out : NULL;
            }
            waiting = 0;
        }
    }
    if (waiting) {
        nb_snappy_decompress(&blocks[0], NULL);
        pair[0]->prepared = blocks[0].ok ? blocks[0].out : NULL;
    }
    return NB_OK;
}

/* A block whose bytes will stay, and are worth a partner. */
static bool
is_block(const nb_pq_reader *r, const page *p, nb_snappy_block *b)
{
    const nb_pq_page *h = &p->head;
    int64_t head = nb_pq_page_head_bytes(h);

    if (r->codec != NB_PQ_SNAPPY || p->ready != NULL || p->skip > 0 || nb_pq_is_code(h->encoding) ||
        !nb_pq_values_stay(r->column, h->encoding) || head > h->compressed ||
        head > h->uncompressed || (h->type == NB_PQ_DATA_PAGE_V2 && !h->is_compressed)) {
        return false;
    }
    *b = (nb_snappy_block){.in = p->bytes + head,
                           .n_in = (size_t)(h->compressed - head),
                           .n_out = (size_t)(h->uncompressed - head)};
    return is_plausible(NB_PQ_SNAPPY, b->n_in, b->n_out) &&
           !nb_pq_snappy_in_place(b->in, b->n_in, b->n_out);
}

nb_status
nb_pq_reader_unpack_two(nb_pq_reader *r, page *a, page *b)
{
    nb_snappy_block blocks[2];

    if (!is_block(r, a, &blocks[0]) || !is_block(r, b, &blocks[1])) {
        return NB_OK;
    }
    for (int k = 0; k < 2; k++) {
        blocks[k].out = nb_arena_alloc64(r->arena, blocks[k].n_out + NB_SNAPPY_SLACK);
        if (!blocks[k].out) {
            return NB_NOMEM;
        }
        count_bytes(r, blocks[k].n_out);
    }
    nb_snappy_decompress(&blocks[0], &blocks[1]);
    a->ready = blocks[0].ok ? blocks[0].out : NULL;
    b->ready = blocks[1].ok ? blocks[1].out : NULL;
    return NB_OK;
}
