/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults.c: whole queries in which the n-th allocation, or the n-th call on files, fails, for n = 1, 2 … until none does.
 *
 * Whatever n: the query either answers as it does without a fault, or gives an error; nothing leaks, the output of a write is the old one or
 * the new one, and the session goes on. From a few hundred on, n grows by steps, to keep the test short; NBASPARK_SWEEP=all
 * in the environment tries every n.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/faults.h"
#include "base/hash.h"
#include "connect/plans.h"
#include "io/file.h"

enum { APPEND = 1, OVERWRITE = 2 };

#define KMEANS "org.apache.spark.ml.clustering.KMeans"
#define LINEAR "org.apache.spark.ml.regression.LinearRegression"

static char home[64];
static nb_session *session;
static nb_arena *arena;

static char *
at(const char *name)
{
    return nb_arena_printf(arena, "%s/%s", home, name);
}

/* ---- what a query gives ---------------------------------------------------------------------- */

/* Of all rows, in whatever order they came. */
static uint64_t
sum_of_rows(const nb_table *table)
{
    uint64_t sum = (uint64_t)table->n_rows, hashes[NB_BATCH_ROWS];
    nb_arena *scratch = nb_arena_new(NULL);

    for (int c = 0; c < table->n_chunks; c++) {
        for (int64_t from = 0; from < table->chunks[c]->n_rows; from += NB_BATCH_ROWS) {
            int64_t n = NB_MIN(table->chunks[c]->n_rows - from, NB_BATCH_ROWS);
            nb_batch batch;

            assert_int_equal(nb_chunk_batch(table->chunks[c], table->schema->n_children, from, n,
                                            scratch, &batch),
                             NB_OK);
            for (int col = 0; col < table->schema->n_children; col++) {
                nb_vector_hash(&batch.cols[col], n, hashes, col > 0);
            }
            for (int64_t i = 0; i < n && table->schema->n_children > 0; i++) {
                sum += hashes[i];
            }
        }
    }
    nb_arena_free(scratch);
    return sum;
}

/* Rows that were given away while the query ran. */
static struct {
    nb_delivery base;
    nb_chunk *chunks[256];
    const nb_type *schema;
    int n;
} delivered;

static nb_status
take(void *payload, nb_chunk *chunk, const nb_type *schema, size_t n_bytes, nb_error *err)
{
    (void)payload;
    (void)n_bytes;
    (void)err;
    assert_true(delivered.n < (int)NB_COUNT_OF(delivered.chunks));
    delivered.chunks[delivered.n++] = chunk;
    delivered.schema = schema;
    return NB_OK;
}

/* Every second run gives its rows away. */
static nb_status
run(nb_str plan, uint64_t *sum, nb_error *err)
{
    static int n_runs;
    nb_delivery *delivery = n_runs++ % 2 ? &delivered.base : NULL;
    nb_result *result = NULL;
    nb_status st;

    delivered.base = (nb_delivery){.take = take};
    delivered.n = 0;
    st = nb_session_execute(session, plan, NULL, delivery, &result, err);
    fault_disarm(); /* what follows is the test's own */
    if (st >= 0) {
        nb_table given = {
            .schema = delivered.schema, .chunks = delivered.chunks, .n_chunks = delivered.n};

        for (int i = 0; i < delivered.n; i++) {
            given.n_rows += delivered.chunks[i]->n_rows;
        }
        *sum = delivery ? sum_of_rows(&given) : result->table ? sum_of_rows(result->table) : 0;
    }
    for (int i = 0; i < delivered.n; i++) {
        nb_chunk_free(delivered.chunks[i]);
    }
    nb_result_free(result);
    return st;
}

static void
must_run(nb_str plan)
{
    nb_error err = NB_ERROR_INIT;
    uint64_t sum;
    nb_status st = run(plan, &sum, &err);

    if (st < 0) {
        fail_msg("%s", nb_error_message(&err));
    }
}

/* Every file below a directory: names are added up, except for the parts that no two jobs share, and contents. What jobs must not
 * leave behind gives a number of its own. */
static uint64_t
sum_of_files(const char *dir)
{
    struct dirent *entry;
    uint64_t sum = 0;
    DIR *d = opendir(dir);
    char path[512], bytes[4096];
    bool left = false;

    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        left |= strcmp(entry->d_name, "_temporary") == 0;
        if (nb_path_is_dir(path)) {
            sum += 3 * sum_of_files(path) + nb_hash_bytes(entry->d_name, strlen(entry->d_name));
        } else {
            FILE *f = fopen(path, "rb");
            size_t n = fread(bytes, 1, sizeof(bytes), f);

            sum += 1 + nb_hash_bytes(bytes, n);
            fclose(f);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    return left ? UINT64_MAX : sum;
}

/* ---- sweeps ---------------------------------------------------------------------------------- */

typedef struct query {
    const char *name;
    nb_str plan;
    const char *output; /* what it writes; NULL for nothing */
    nb_str before; /* plan that brings the output into its old state; empty: nothing is there */
} query;

static void
set_conf(const char *key, const char *value)
{
    nb_error err = NB_ERROR_INIT;

    assert_int_equal(nb_config_set(session->config, nb_str_of(key), nb_str_of(value), &err), NB_OK);
}

static void
restore(const query *q)
{
    if (q->output != NULL) {
        assert_int_equal(nb_remove_tree(q->output, NULL), NB_OK);
        if (q->before.len > 0) {
            must_run(q->before);
        }
    }
}

static void
sweep(const query *q, fault_kind kind, int code, bool lasts)
{
    static int n_runs;
    nb_str probe = plan_of_relation(arena, plan_sql(arena, "select 1"));
    bool all = getenv("NBASPARK_SWEEP") != NULL, must_answer = code == EINTR || code == FAULT_SHORT;
    uint64_t expected, got, old_files, new_files;
    nb_error err = NB_ERROR_INIT;
    bool struck = true;

    restore(q);
    old_files = q->output ? sum_of_files(q->output) : 0;
    assert_int_equal(run(q->plan, &expected, &err), NB_OK);
    new_files = q->output ? sum_of_files(q->output) : 0;
    restore(q);
    for (long n = 1; struck; n += all || n < 200 ? 1 : n / 20) {
        nb_status st;

        fault_arm(kind, n, code, lasts);
        st = run(q->plan, &got, &err);
        struck = fault_disarm();
        if (st < 0 && (!struck || must_answer || !err.set || nb_error_message(&err)[0] == 0)) {
            fail_msg("%s: kind %d, code %d, call %ld: status %d, %s", q->name, kind, code, n, st,
                     nb_error_message(&err));
        }
        if (st >= 0 && got != expected) {
            fail_msg("%s: kind %d, code %d, call %ld: another answer", q->name, kind, code, n);
        }
        nb_error_clear(&err);
        if (q->output != NULL) {
            uint64_t files = sum_of_files(q->output);

            if (files != (st < 0 ? old_files : new_files)) {
                fail_msg("%s: kind %d, code %d, call %ld: %s, but its files are %s", q->name, kind,
                         code, n, st < 0 ? "failed" : "done",
                         files == UINT64_MAX  ? "temporary"
                         : files == old_files ? "old"
                         : files == new_files ? "new"
                                              : "others");
            }
            restore(q);
        }
        if (++n_runs % 16 == 0) {
            must_run(probe);
        }
    }
    must_run(probe);
}

/* Columns within columns, nulls at each level. */
#define NESTED                                                                            \
    "select id, s, if(id % 3 = 0, null, array(id, null, k)) a, map(s, id, 'k', null) m, " \
    "if(id % 4 = 0, null, named_struct('p', k, 'q', array(array(s), array()))) n from t"

/* ---- queries --------------------------------------------------------------------------------- */

static const char *const CSV_OPTIONS[] = {"header", "true", NULL};
static const char *const RAGGED_OPTIONS[] = {"columnNameOfCorruptRecord",
                                             "bad",
                                             "multiLine",
                                             "true",
                                             "nullValue",
                                             "3",
                                             "encoding",
                                             "ISO-8859-1",
                                             NULL};

static nb_str
sql(const char *text)
{
    return plan_of_relation(arena, plan_sql(arena, text));
}

#define ROWS(n)                                                                               \
    "select id, id % 7 as k, cast(id as string) || 'abcdefghijkl' as s, id * 0.5D as x from " \
    "range(" #n ")"

static const char *const QUERIES[] = {
    "with t as (select id % 3 as a, 'x' as b from range(20)) select a, count(*) as n, sum(a) over "
    "() as s from t "
    "where b like 'x%' group by a having count(*) > 1 order by n desc limit 5",
    "select k, count(*), sum(x), max(s), count(distinct x), collect_list(id) from t group by k",
    "select k, id, grouping(k), sum(x) from t group by cube (k, id)",
    "select a.id, b.s from t a join t b on a.id = b.k",
    "select * from t a full outer join u b on a.k = b.k and a.x > b.x",
    "select * from t a left anti join u b on a.id = b.id",
    "select * from t a join u b on a.x < b.x",
    "select * from t order by s desc, id",
    "select * from t order by x limit 3",
    "select id, row_number() over (partition by k order by id), sum(x) over (partition by k order "
    "by id "
    "rows between 1 preceding and current row), lag(s) over (order by id) from t",
    "select distinct k from t union all select k from u intersect select id from t",
    "select id, e from t lateral view explode(array(id, id + 1)) v as e",
    "select * from (select k, x from t) pivot (sum(x) for k in (1, 2, 3))",
    "select upper(s), regexp_replace(s, '[a-c]+', 'z'), split(s, 'a'), to_date('2020-01-' || (id % "
    "9 + 1)), "
    "cast(x as decimal(20, 3)), from_json('{\"a\":1}', 'a int'), date_format(timestamp "
    "'2020-01-01', 'yyyy'), "
    "map(k, s), named_struct('a', id), transform(array(1, 2), y -> y + id), sha2(s, 256) from t",
    "select * from t where id in (select k from u) and exists (select 1 from u where u.k = t.k)",
    "select a, count(*) from csv group by a",
    "select sum(x), max(s) from parquet where k > 2",
    "select min(k), count(*) from parquet",
    "select a, count(*), avg(id), max(s) from (select id, id % 3 a, cast(id as string) s from "
    "range(300)) group by rollup (a)",
    "select * from (select s, rank() over (partition by s, k order by x) r from t) where r < 3",
    "select id, a, m, n from nested where id > 3 and s <> 'x'",
    "select n.q, a from nested where s = 's7' or n.p is null",
    "select count(value), max(value) from lines",
    "select get_json_object('{\"a\":[1,{\"b\":\"x\"}]}', '$.a[*].b'), to_json(named_struct('a', "
    "id, 'b', s)), "
    "json_object_keys('{\"k\":1}'), format_string('%5.2f %s', x, s), "
    "format_number(x, 2) from t",
    "select k, ntile(3) over (order by id), percent_rank() over (partition by k order by x), "
    "first_value(s) over (partition by k order by id range between 2 preceding and 2 following) "
    "from t",
    "select * from partitioned where k > 2",
    "select a, b, bad from ragged",
};

static int
setup(void **state)
{
    nb_conf_pair conf[] = {{NB_STR("spark.master"), NB_STR("local[2]")},
                           {NB_STR("spark.sql.session.timeZone"), NB_STR("UTC")},
                           {NB_STR("spark.sql.shuffle.partitions"), NB_STR("2")}};
    nb_error err = NB_ERROR_INIT;

    (void)state;
    snprintf(home, sizeof(home), "%s/nbaspark-faults-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(home));
    arena = nb_arena_new(NULL);
    assert_int_equal(nb_session_new(conf, 3, &session, &err), NB_OK);
    must_run(plan_of_view(arena, "t", plan_sql(arena, ROWS(40))));
    must_run(plan_of_view(arena, "u", plan_sql(arena, ROWS(9))));
    must_run(plan_of_write(arena, plan_sql(arena, "select * from t"), "csv", at("csv"), OVERWRITE,
                           NULL));
    must_run(plan_of_write(arena, plan_sql(arena, "select * from t"), "parquet", at("parquet"),
                           OVERWRITE, NULL));
    must_run(
        plan_of_write(arena, plan_sql(arena, NESTED), "parquet", at("nested"), OVERWRITE, NULL));
    must_run(plan_of_view(
        arena, "csv",
        plan_read(arena, "csv", at("csv"), "a long, b int, c string, d double", NULL)));
    must_run(
        plan_of_view(arena, "parquet", plan_read(arena, "parquet", at("parquet"), NULL, NULL)));
    must_run(plan_of_view(arena, "nested", plan_read(arena, "parquet", at("nested"), NULL, NULL)));
    must_run(plan_of_write(arena, plan_sql(arena, "select * from t"), "parquet", at("partitioned"),
                           OVERWRITE, "k"));
    must_run(plan_of_view(arena, "partitioned",
                          plan_read(arena, "parquet", at("partitioned"), NULL, NULL)));
    must_run(plan_of_view(
        arena, "ragged",
        plan_read(arena, "csv", at("csv"), "a string, b int, bad string", RAGGED_OPTIONS)));
    must_run(plan_of_view(arena, "lines", plan_read(arena, "text", at("csv"), NULL, NULL)));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    nb_session_free(session);
    nb_remove_tree(home, NULL);
    nb_arena_free(arena);
    return 0;
}

static void
test_allocations__queries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(QUERIES) / sizeof(*QUERIES); i++) {
        query q = {.name = QUERIES[i], .plan = sql(QUERIES[i])};

        sweep(&q, FAULT_ALLOC, ENOMEM, false);
    }
}

static void
test_allocations__spilling(void **state)
{
    static const int SPILLING[] = {1, 3, 4, 7, 9};

    (void)state;
    set_conf("nbaspark.debug.forceSpill", "true");
    for (size_t i = 0; i < sizeof(SPILLING) / sizeof(*SPILLING); i++) {
        query q = {.name = QUERIES[SPILLING[i]], .plan = sql(QUERIES[SPILLING[i]])};

        sweep(&q, FAULT_ALLOC, ENOMEM, false);
        sweep(&q, FAULT_WRITE, ENOSPC, true);
        sweep(&q, FAULT_WRITE, FAULT_SHORT, true);
        sweep(&q, FAULT_WRITE, EINTR, false);
        sweep(&q, FAULT_READ, EIO, false);
        sweep(&q, FAULT_READ, EINTR, false);
        sweep(&q, FAULT_READ, FAULT_SHORT, true);
        sweep(&q, FAULT_OPEN, EMFILE, false);
        sweep(&q, FAULT_CLOSE, EIO, false);
    }
    set_conf("nbaspark.debug.forceSpill", "false");
}

static void
test_allocations__reading(void **state)
{
    query queries[] = {
        {.name = "infer",
         .plan = plan_of_relation(arena, plan_read(arena, "csv", at("csv"), NULL, CSV_OPTIONS))},
        {.name = "view", .plan = plan_of_view(arena, "v", plan_sql(arena, "select * from t"))},
        {.name = "transpose",
         .plan = plan_of_relation(
             arena, plan_transposed(arena, plan_sql(arena, "select s, id, x from t limit 5")))},
        {.name = "observe",
         .plan = plan_of_relation(
             arena,
             plan_observed(arena, plan_sql(arena, "select * from t"),
                           "struct(max(s) as s, collect_list(id) as l, map(1, max(x)) as m)"))},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
        sweep(&queries[i], FAULT_ALLOC, ENOMEM, false);
    }
}

static void
test_allocations__machine_learning(void **state)
{
    static const char *const COLUMNS[] = {"id", "x", NULL};
    static const char *const PARAMS[] = {"k", "3", "maxIter", "5", NULL};
    Sc__Relation *features = plan_assemble(arena, plan_sql(arena, "select * from t"), COLUMNS);
    query queries[] = {
        {.name = "assemble", .plan = plan_of_relation(arena, features)},
        {.name = "k-means", .plan = plan_of_fit(arena, KMEANS, features, PARAMS)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
        sweep(&queries[i], FAULT_ALLOC, ENOMEM, false);
    }
}

static int
writers(query *out)
{
    static const char *const FORMATS[] = {"csv", "parquet", "text"};
    Sc__Relation *rows = plan_sql(arena, "select * from t");
    Sc__Relation *lines = plan_sql(arena, "select s from t");
    Sc__Relation *old = plan_sql(arena, "select id, s from u");
    char *path = at("out");
    int n = 0;

    for (int i = 0; i < 3; i++) {
        out[n++] = (query){
            .name = FORMATS[i],
            .plan = plan_of_write(arena, i == 2 ? lines : rows, FORMATS[i], path, OVERWRITE, NULL),
            .output = path,
            .before = plan_of_write(arena, old, "csv", path, OVERWRITE, NULL)};
    }
    out[n++] = (query){
        .name = "nested",
        .plan = plan_of_write(arena, plan_sql(arena, NESTED), "parquet", path, OVERWRITE, NULL),
        .output = path,
        .before = plan_of_write(arena, old, "csv", path, OVERWRITE, NULL)};
    out[n++] = (query){.name = "append",
                       .plan = plan_of_write(arena, rows, "csv", path, APPEND, NULL),
                       .output = path,
                       .before = plan_of_write(arena, old, "csv", path, OVERWRITE, NULL)};
    out[n++] = (query){.name = "partitioned",
                       .plan = plan_of_write(arena, rows, "csv", path, APPEND, "k"),
                       .output = path,
                       .before = plan_of_write(arena, plan_sql(arena, "select * from u"), "csv",
                                               path, OVERWRITE, "k")};
    out[n++] =
        (query){.name = "more directories than open files",
                .plan = plan_of_write(arena, plan_sql(arena, "select id, s, id % 19 m from t"),
                                      "parquet", path, OVERWRITE, "m"),
                .output = path,
                .before = plan_of_write(arena, plan_sql(arena, "select id, s from u"), "csv", path,
                                        OVERWRITE, NULL)};
    out[n++] = (query){.name = "new",
                       .plan = plan_of_write(arena, rows, "csv", path, OVERWRITE, NULL),
                       .output = path};
    return n;
}

static void
test_allocations__writing(void **state)
{
    query queries[9];
    int n = writers(queries);

    (void)state;
    for (int i = 0; i < n; i++) {
        sweep(&queries[i], FAULT_ALLOC, ENOMEM, false);
    }
}

static void
test_files__reading(void **state)
{
    query queries[] = {
        {.name = "csv", .plan = sql("select * from csv")},
        {.name = "parquet", .plan = sql("select * from parquet")},
        {.name = "nested", .plan = sql("select * from nested where id = 7")},
        {.name = "text", .plan = sql("select * from lines")},
        {.name = "infer",
         .plan = plan_of_relation(arena, plan_read(arena, "csv", at("csv"), NULL, CSV_OPTIONS))},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
        for (int kind = FAULT_OPEN; kind < FAULT_N_KINDS; kind++) {
            sweep(&queries[i], (fault_kind)kind, EIO, false);
        }
        sweep(&queries[i], FAULT_OPEN, EINTR, false);
        sweep(&queries[i], FAULT_READ, EINTR, false);
        sweep(&queries[i], FAULT_READ, FAULT_SHORT, true);
    }
}

static void
test_files__writing(void **state)
{
    query queries[9];
    int n = writers(queries);

    (void)state;
    for (int i = 0; i < n; i++) {
        for (int kind = FAULT_OPEN; kind < FAULT_N_KINDS; kind++) {
            sweep(&queries[i], (fault_kind)kind, EIO, false);
        }
        sweep(&queries[i], FAULT_WRITE, ENOSPC, true);
        sweep(&queries[i], FAULT_WRITE, EINTR, false);
        sweep(&queries[i], FAULT_WRITE, FAULT_SHORT, true);
        sweep(&queries[i], FAULT_OPEN, EMFILE, false);
        sweep(&queries[i], FAULT_CLOSE, ENOSPC, false);
    }
}

/* An argument is a pattern of test names. */
int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations__queries),
        cmocka_unit_test(test_allocations__spilling),
        cmocka_unit_test(test_allocations__reading),
        cmocka_unit_test(test_allocations__machine_learning),
        cmocka_unit_test(test_allocations__writing),
        cmocka_unit_test(test_files__reading),
        cmocka_unit_test(test_files__writing),
    };

    cmocka_set_test_filter(argc > 1 ? argv[1] : NULL);
    return cmocka_run_group_tests(tests, setup, teardown);
}
