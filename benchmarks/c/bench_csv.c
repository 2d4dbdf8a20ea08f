/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_csv.c: the CSV scan alone, without plans and operators.
 *
 *   bench_csv FILE THREADS count|sum|seven|all|infer [runs]
 *
 * FILE is TPC-H's lineitem as CSV with a header. sum: l_quantity by l_returnflag. seven: sums over seven columns. Prints seconds per run.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/thread.h"
#include "io/relation.h"

static const char *const NAMES[16] = {
    "l_orderkey",    "l_partkey",       "l_suppkey",  "l_linenumber",
    "l_quantity",    "l_extendedprice", "l_discount", "l_tax",
    "l_returnflag",  "l_linestatus",    "l_shipdate", "l_commitdate",
    "l_receiptdate", "l_shipinstruct",  "l_shipmode", "l_comment"};
static const nb_type_id TYPES[16] = {
    NB_TYPE_INT64,   NB_TYPE_INT64,   NB_TYPE_INT64,   NB_TYPE_INT32,
    NB_TYPE_FLOAT64, NB_TYPE_FLOAT64, NB_TYPE_FLOAT64, NB_TYPE_FLOAT64,
    NB_TYPE_STRING,  NB_TYPE_STRING,  NB_TYPE_DATE,    NB_TYPE_DATE,
    NB_TYPE_DATE,    NB_TYPE_STRING,  NB_TYPE_STRING,  NB_TYPE_STRING};

typedef struct bench {
    nb_pool *pool;
    nb_source *src;
    int64_t rows[64];
    double sum[64];
} bench;

static void
run(void *payload, int i)
{
    bench *b = payload;
    nb_error err = NB_ERROR_INIT;
    nb_arena *scratch = nb_arena_new(b->pool);
    void *local;
    nb_status st;
    int64_t rows = 0;
    double sum = 0;

    if (b->src->ops->open_local(b->src, b->pool, &local, &err) < 0) {
        exit(1);
    }
    for (;;) {
        nb_batch batch;
        nb_arena_reset(scratch);
        st = b->src->ops->next(b->src, local, scratch, &batch, &err);
        if (st != NB_OK) {
            break;
        }
        rows += batch.n_rows;
        for (int c = 0; c < batch.n_cols; c++) {
            const nb_vector *v = &batch.cols[c];
            if (v->type->id == NB_TYPE_FLOAT64) {
                for (int k = 0; k < batch.n_rows; k++) {
                    sum += NB_DATA(double, v)[k];
                }
            } else if (v->type->id == NB_TYPE_DATE) {
                int64_t days = 0;
                for (int k = 0; k < batch.n_rows; k++) {
                    days += NB_DATA(int32_t, v)[k];
                }
                sum += (double)days;
            } else if (v->type->id == NB_TYPE_STRING) {
                int64_t len = 0;
                for (int k = 0; k < batch.n_rows; k++) {
                    len += NB_DATA(nb_view, v)[k].len;
                }
                sum += (double)len;
            }
        }
    }
    if (st < 0) {
        fprintf(stderr, "%s\n", nb_error_message(&err));
        exit(1);
    }
    b->src->ops->close_local(b->src, local);
    nb_arena_free(scratch);
    b->rows[i] = rows;
    b->sum[i] = sum;
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int n, columns[16];
    } CASES[] = {
        {"count", 0, {0}},
        {"sum", 2, {4, 8}},
        {"seven", 7, {4, 5, 6, 7, 8, 9, 10}},
        {"all", 16, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
    };
    nb_pool *pool = nb_pool_new(NULL, "bench", 0);
    nb_error err = NB_ERROR_INIT;
    nb_field fields[16];
    int threads = argc > 2 ? atoi(argv[2]) : 2, runs = argc > 4 ? atoi(argv[4]) : 5;

    if (argc < 4) {
        return 2;
    }
    for (int i = 0; i < 16; i++) {
        fields[i] =
            (nb_field){.name = nb_str_of(NAMES[i]), .type = nb_type_of(TYPES[i]), .nullable = true};
    }
    for (int r = 0; r < runs; r++) {
        nb_str path = nb_str_of(argv[1]);
        nb_option options[] = {{NB_STR("header"), NB_STR("true")},
                               {NB_STR("inferSchema"), NB_STR("true")}};
        nb_read_request request = {.format = NB_STR("csv"),
                                   .paths = &path,
                                   .n_paths = 1,
                                   .options = options,
                                   .n_options = 2,
                                   .schema = nb_type_struct(fields, 16),
                                   .n_threads = threads};
        nb_relation *rel;
        nb_source *src;
        bench b = {.pool = pool};
        int64_t t0 = nb_clock_mono_ns(), rows = 0;
        double sum = 0;
        bool infer = argv[3][0] == 'i';
        int which = -1;
        if (infer) {
            request.schema = NULL;
        }
        if (nb_relation_open(pool, &request, &rel, &err) < 0) {
            fprintf(stderr, "%s\n", nb_error_message(&err));
            return 1;
        }
        if (infer) {
            nb_arena *arena = nb_arena_new(NULL);
            printf("%.3f s %s\n", (double)(nb_clock_mono_ns() - t0) * 1e-9,
                   nb_type_simple_string(arena, nb_relation_schema(rel)));
            nb_arena_free(arena);
            nb_relation_release(rel);
            continue;
        }
        for (int i = 0; i < (int)NB_COUNT_OF(CASES); i++) {
            if (nb_str_equal(nb_str_of(CASES[i].name), nb_str_of(argv[3]))) {
                which = i;
            }
        }
        if (which < 0) {
            return 2;
        }
        nb_scan_request scan = {.columns = CASES[which].columns,
                                .n_columns = CASES[which].n,
                                .limit = -1,
                                .n_threads = threads};
        if (nb_relation_scan(rel, pool, &scan, &src, &err) < 0) {
            fprintf(stderr, "%s\n", nb_error_message(&err));
            return 1;
        }
        b.src = src;
        nb_threads_run(threads, run, &b);
        for (int i = 0; i < threads; i++) {
            rows += b.rows[i];
            sum += b.sum[i];
        }
        src->ops->free(src);
        nb_relation_release(rel);
        printf("%.3f s %lld rows %.2f\n", (double)(nb_clock_mono_ns() - t0) * 1e-9, (long long)rows,
               sum);
    }
    nb_pool_free(pool);
    return 0;
}
