/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_write.c: rows that go into files while the query runs: each Spark partition's in its own files, in order, whatever the number of threads, and
 * within bounded memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "exec/exec_util.h"
#include "io/file.h"
#include "io/write.h"

static const int THREADS[] = {1, 2, 5};
static char directory[] = "/tmp/nbaspark-write-XXXXXX";
static char output[64];

static int
make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(output, sizeof(output), "%s/out", directory);
    return 0;
}

static int
remove_directory(void **state)
{
    (void)state;
    return nb_remove_tree(directory, NULL) == NB_OK ? 0 : -1;
}

static void
write_rows(exec_fixture *f, nb_node *child, const char *format, const char *by)
{
    nb_str partition_by = nb_str_of(by ? by : "");
    nb_write_request request = {.format = nb_str_of(format),
                                .path = nb_str_of(output),
                                .mode = NB_SAVE_OVERWRITE,
                                .schema = child->schema,
                                .partition_by = &partition_by,
                                .n_partition_by = by ? 1 : 0,
                                .info = &f->info};
    nb_node *node = new_node(f, NB_NODE_WRITE, nb_type_struct(NULL, 0), child);

    node->u.write.request = &request;
    nb_table_release(run_plan(f, node));
}

/* The numbers in the files of a folder whose names begin with `part`, file by file. *n_files may be NULL. */
static int64_t
read_numbers(const char *folder, const char *part, int64_t *out, int64_t cap, int *n_files)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort), files = 0;
    int64_t rows = 0;

    for (int i = 0; i < n; i++) {
        if (strncmp(names[i]->d_name, part, strlen(part)) == 0) {
            char path[512];
            long long x;
            FILE *file;

            snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
            file = fopen(path, "r");
            while (fscanf(file, "%lld%*[^\n]", &x) == 1) {
                assert_true(rows < cap);
                out[rows++] = x;
            }
            fclose(file);
            files++;
        }
        free(names[i]);
    }
    if (n >= 0) {
        free(names);
    }
    if (n_files != NULL) {
        *n_files = files;
    }
    return rows;
}

static bool
numbers(int64_t row, int col, int64_t *value)
{
    *value = col == 0 ? row : row % 150;
    return true;
}

/* One partition, few and many: shared between threads, or a thread's own. */
static void
test_write__partitions_in_order_threads(void **state)
{
    static const int PARTITIONS[] = {1, 3, 10};
    const int64_t n = 700000;
    int64_t *got = calloc((size_t)n, sizeof(*got));

    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        for (size_t p = 0; p < NB_COUNT_OF(PARTITIONS); p++) {
            exec_fixture f;

            exec_begin(&f, THREADS[t], 0);
            write_rows(&f, range_node(&f, 0, n, 1, PARTITIONS[p]), "csv", NULL);
            for (int i = 0; i < PARTITIONS[p]; i++) {
                int64_t from = n * i / PARTITIONS[p], to = n * (i + 1) / PARTITIONS[p];
                char part[32];
                int n_files;

                snprintf(part, sizeof(part), "part-%05d-", i);
                assert_int_equal(read_numbers(output, part, got, n, &n_files), to - from);
                assert_int_equal(n_files, 1);
                for (int64_t k = 0; k < to - from; k++) {
                    assert_true(got[k] == from + k);
                }
            }
            exec_end(&f);
        }
    }
    free(got);
}

/* Chunks whose partitions come again: rows of each stay in their order, in one file. */
static void
test_write__partitions_that_return_threads(void **state)
{
    int64_t got[10000];

    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        exec_fixture f;
        nb_table *table;

        exec_begin(&f, THREADS[t], 0);
        table = make_table(&f, schema_of("id:long k:long"), 20000, 1000, numbers);
        for (int c = 0; c < table->n_chunks; c++) {
            table->chunks[c]->partition = c % 2;
        }
        write_rows(&f, table_node(&f, table), "csv", NULL);
        for (int p = 0; p < 2; p++) {
            int n_files;

            assert_int_equal(
                read_numbers(output, p ? "part-00001" : "part-00000", got, 10000, &n_files), 10000);
            assert_int_equal(n_files, 1);
            for (int64_t k = 0; k < 10000; k++) {
                assert_int_equal(got[k], k / 1000 * 2000 + p * 1000 + k % 1000);
            }
        }
        nb_table_release(table);
        exec_end(&f);
    }
}

/* 150 directories, more than may be open at once: each still has one file, with its rows in order. */
static void
test_write__many_directories_threads(void **state)
{
    const int64_t n = 30000;
    int64_t got[200];

    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        exec_fixture f;
        nb_table *table;

        exec_begin(&f, THREADS[t], 0);
        f.ctx.force_spill = t == 1;
        table = make_table(&f, schema_of("id:long k:long"), n, 5000, numbers);
        write_rows(&f, table_node(&f, table), "csv", "k");
        for (int k = 0; k < 150; k++) {
            char folder[96];
            int n_files;

            snprintf(folder, sizeof(folder), "%s/k=%d", output, k);
            assert_int_equal(read_numbers(folder, "part-00000-", got, 200, &n_files), n / 150);
            assert_int_equal(n_files, 1);
            for (int64_t i = 0; i < n / 150; i++) {
                assert_int_equal(got[i], i * 150 + k);
            }
        }
        nb_table_release(table);
        exec_end(&f);
    }
}

/* Eight million rows, 64 MB, go by: in memory are what waits and what a file holds back. */
static void
test_write__memory_is_bounded_threads(void **state)
{
    (void)state;
    for (size_t t = 0; t < NB_COUNT_OF(THREADS); t++) {
        for (int partitions = 1; partitions < 11; partitions += 9) {
            exec_fixture f;

            exec_begin(&f, THREADS[t], 0);
            write_rows(&f, range_node(&f, 0, 8000000, 1, partitions), "csv", NULL);
            assert_in_range(nb_pool_peak(f.pool), 1, 40 << 20);
            exec_end(&f);
            /* row groups are cut where memory ends */
            exec_begin(&f, THREADS[t], (size_t)24 << 20);
            write_rows(&f, range_node(&f, 0, 8000000, 1, partitions), "parquet", NULL);
            assert_in_range(nb_pool_peak(f.pool), 1, 40 << 20);
            exec_end(&f);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write__partitions_in_order_threads),
        cmocka_unit_test(test_write__partitions_that_return_threads),
        cmocka_unit_test(test_write__many_directories_threads),
        cmocka_unit_test(test_write__memory_is_bounded_threads),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
