/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stages.c: queries cut into stages, and their fragments as bytes.
 *
 * Every fragment of every query below must be the same bytes after it was read and written again, and damaged bytes must be refused or give
 * some other fragment, never a crash. What tasks compute is tested by `pytest --config stages`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/random.h"
#include "cluster/adapt.h"
#include "cluster/fragment.h"
#include "cluster/stages.h"
#include "connect/query.h"

typedef struct watcher {
    nb_strbuf text; /* of the last query's stages */
    int n_fragments;
    bool mutate;
    nb_random random;
    int64_t (*sizes)(void *payload, int stage, int task, int bucket); /* NULL: nothing is adapted */
    nb_adapt_options adapt;
} watcher;

/* ---- fragments ------------------------------------------------------------------------------- */

static void
read_damaged(watcher *w, nb_str bytes)
{
    char *copy = test_malloc(bytes.len + 1);
    nb_pool *pool = nb_pool_new(NULL, "damaged", (size_t)256 << 20);

    for (int i = 0; i < 40; i++) {
        size_t len = bytes.len;
        nb_error err = NB_ERROR_INIT;
        nb_fragment *f = NULL;

        memcpy(copy, bytes.data, bytes.len);
        for (int k = 0; k <= i % 3; k++) {
            copy[nb_random_u64(&w->random) % bytes.len] ^=
                (char)(1 << nb_random_u64(&w->random) % 8);
        }
        if (i % 8 == 0) {
            len = nb_random_u64(&w->random) % bytes.len;
        }
        if (nb_fragment_read(pool, (nb_str){copy, len}, &f, &err) == NB_OK) {
            nb_fragment_free(f);
        }
        nb_error_clear(&err);
    }
    assert_int_equal(nb_pool_used(pool), 0);
    nb_pool_free(pool);
    test_free(copy);
}

static void
check_fragment(watcher *w, const nb_node *root, const nb_session_info *info)
{
    nb_pool *pool = nb_pool_new(NULL, "fragments", 0);
    nb_arena *arena = nb_arena_new(pool);
    nb_error err = NB_ERROR_INIT;
    nb_fragment *f = NULL;
    nb_str first, second;

    if (nb_fragment_write(arena, root, info, &first, &err) < 0 ||
        nb_fragment_read(pool, first, &f, &err) < 0 ||
        nb_fragment_write(arena, f->root, &f->info, &second, &err) < 0) {
        fail_msg("%s", nb_error_message(&err));
    }
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    nb_fragment_free(f);
    if (w->mutate) {
        read_damaged(w, first);
    }
    w->n_fragments++;
    nb_arena_free(arena);
    nb_pool_free(pool);
}

/* Bounds of a sort are chosen when its input is there. */
static void
set_bounds(nb_arena *arena, nb_node *root)
{
    if (root->kind == NB_NODE_PUT && root->u.put.kind == NB_PUT_RANGE) {
        root->u.put.bounds = NB_ARENA_ARRAY(arena, nb_str, root->u.put.n_buckets);
        for (int i = 0; i + 1 < root->u.put.n_buckets; i++) {
            root->u.put.bounds[i] = NB_STR("bound");
        }
    }
}

/* "2: 0-1 1-2(1:0-1)": stage 2 has two tasks; the second reads bucket 1, and of stage 1 only what task 0 has put there. */
static void
print_slices(watcher *w, const nb_stage *stage)
{
    nb_strbuf_addf(&w->text, "%d:", stage->id);
    for (int p = 0; p < stage->n_parts; p++) {
        const nb_stage_part *part = &stage->parts[p];

        for (int t = 0; t < part->n_tasks; t++) {
            if (part->slices == NULL) {
                nb_strbuf_adds(&w->text, " *");
                continue;
            }
            nb_strbuf_addf(&w->text, " %d-%d", part->slices[t].from, part->slices[t].to);
            if (part->slices[t].split >= 0) {
                nb_strbuf_addf(&w->text, "(%d:%d-%d)", part->slices[t].split, part->slices[t].first,
                               part->slices[t].last);
            }
        }
    }
    nb_strbuf_addc(&w->text, '\n');
}

static nb_status
watch(void *payload, const nb_exec_ctx *ctx, nb_arena *arena, nb_node *root, nb_table **out,
      nb_error *err)
{
    nb_stage_options options = {
        .parallelism = 2,
        .min_rows = 1,
        .share_bytes = 1,
        .adapt = {.enabled = true, .broadcast_bytes = 64, .advisory_bytes = 1 << 20}};
    watcher *w = payload;
    nb_stages stages;

    NB_TRY(nb_stages_cut(arena, &options, ctx->info, root, &stages, err));
    w->text.len = 0;
    if (w->sizes != NULL) {
        const nb_adapt_sizes sizes = {w->sizes, &stages};

        for (int s = 0; s < stages.n; s++) {
            if (stages.stages[s].late) {
                NB_TRY(nb_adapt_stage(arena, &w->adapt, &stages, s, &sizes));
            }
            print_slices(w, &stages.stages[s]);
        }
        return nb_exec_run(ctx, root, out, err);
    }
    nb_stages_print(&stages, &w->text);
    for (int s = 0; s < stages.n; s++) {
        for (int i = 0; i < stages.stages[s].n_parts && !stages.stages[s].on_driver; i++) {
            set_bounds(arena, stages.stages[s].parts[i].root);
            check_fragment(w, stages.stages[s].parts[i].root, ctx->info);
        }
    }
    return nb_exec_run(ctx, root, out, err);
}

/* ---- a session ------------------------------------------------------------------------------- */

typedef struct fixture {
    nb_session *session;
    watcher w;
} fixture;

static void
begin(fixture *f)
{
    nb_error err = NB_ERROR_INIT;
    nb_conf_pair conf[] = {{NB_STR("spark.master"), NB_STR("local[2]")},
                           {NB_STR("spark.sql.session.timeZone"), NB_STR("UTC")}};

    memset(f, 0, sizeof(*f));
    f->w.random.state = 42;
    assert_int_equal(nb_session_new(conf, 2, &f->session, &err), NB_OK);
    nb_session_set_runner(f->session, &(nb_runner){watch, &f->w});
}

static void
end(fixture *f)
{
    nb_strbuf_free(&f->w.text);
    nb_session_free(f->session);
}

static void
run(fixture *f, const char *sql)
{
    nb_arena *arena = nb_arena_new(NULL);
    Sc__Plan *plan = NB_MESSAGE(arena, Sc__Plan, sc__plan);
    Sc__Relation *root = NB_MESSAGE(arena, Sc__Relation, sc__relation);
    Sc__SQL *query = NB_MESSAGE(arena, Sc__SQL, sc__sql);
    nb_error err = NB_ERROR_INIT;
    nb_result *result = NULL;

    query->has_query = 1;
    query->query = nb_pb_bytes(nb_str_of(sql));
    root->rel_type_case = SC__RELATION__REL_TYPE_SQL;
    root->sql = query;
    plan->op_type_case = SC__PLAN__OP_TYPE_ROOT;
    plan->root = root;
    if (nb_session_execute(f->session, nb_message_bytes(arena, &plan->base), NULL, NULL, &result,
                           &err) < 0) {
        fail_msg("%s: %s", sql, nb_error_message(&err));
    }
    nb_result_free(result);
    nb_arena_free(arena);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static const char *const QUERIES[] = {
    "SELECT id + 1, -id, id % 3 = 0 AND id > 2 OR id IS NULL FROM range(10)",
    "SELECT CASE WHEN id > 3 THEN 'a' WHEN id > 1 THEN 'long enough for the heap' ELSE NULL END, "
    "coalesce(nullif(id, 3), 7), id IN (1, 2, 3, NULL), if(id = 2, 1.5, 2.5) FROM range(10)",
    "SELECT CAST(id AS STRING), CAST(id AS DECIMAL(30, 4)), TRY_CAST('x' || id AS INT), "
    "id::double, "
    "DATE'2020-01-01' + CAST(id AS INT), TIMESTAMP'2020-01-01 10:00:00', INTERVAL '2' DAY, "
    "INTERVAL '3' MONTH, array(1, 2), map('a', id), named_struct('x', id, 'y', 'z'), X'0102', "
    "1.5D, 2.5BD, 3Y, 4S, 5L, TRUE, NULL FROM range(3)",
    "SELECT transform(array(id, 2), x -> x + id), filter(array(1, 2), (x, i) -> i > 0), "
    "aggregate(array(1, 2), 0, (a, x) -> a + x), map_filter(map('a', id), (k, v) -> v > 1) "
    "FROM range(3)",
    "SELECT rand(3), randn(4), monotonically_increasing_id(), spark_partition_id() FROM range(9)",
    "SELECT regexp_replace(CAST(id AS STRING), '1', 'x'), date_format(DATE'2020-01-01', 'yyyy'), "
    "like('abc', 'a%'), substring('abcdef', 2, 3), concat_ws(',', 'a', id), to_json(struct(id)), "
    "from_json('{\"a\": 1}', 'a INT') FROM range(3)",
    "SELECT id % 2, sum(id), avg(id), count(*), count(DISTINCT id), min(CAST(id AS STRING)), "
    "collect_list(id), first(id), stddev(id), approx_count_distinct(id), percentile(id, 0.5), "
    "max_by(id, -id), any_value(id), sum(id) FILTER (WHERE id > 3) FROM range(20) GROUP BY 1",
    "SELECT k, sum(id), max(s), collect_set(id), corr(id, id + 1), bool_and(id > 0), mode(k), "
    "sum(CAST(id AS DECIMAL(10, 2))), count(id) FILTER (WHERE id > 3) "
    "FROM (SELECT id, id % 3 AS k, CAST(id AS STRING) AS s FROM range(20)) GROUP BY k",
    "SELECT sum(id), avg(id) FROM range(20)",
    "SELECT count(DISTINCT id) FROM range(20)",
    "SELECT DISTINCT id % 3 FROM range(20)",
    "SELECT id % 2, id % 3, count(*) FROM range(20) GROUP BY CUBE(id % 2, id % 3)",
    "SELECT a.id, b.id FROM range(20) a JOIN range(30) b ON a.id = b.id AND a.id + b.id > 3",
    "SELECT a.id, b.id FROM range(20) a LEFT JOIN range(30) b ON a.id = b.id",
    "SELECT a.id, b.id FROM range(20) a FULL JOIN range(30) b ON a.id <=> b.id",
    "SELECT a.id FROM range(20) a LEFT SEMI JOIN range(30) b ON a.id = b.id",
    "SELECT a.id FROM range(20) a LEFT ANTI JOIN range(30) b ON a.id = b.id",
    "SELECT a.id, b.id FROM range(5) a CROSS JOIN range(5) b",
    "SELECT a.id, b.id FROM range(5) a JOIN range(5) b ON a.id < b.id",
    "SELECT id FROM range(20) WHERE id NOT IN (SELECT id FROM range(5))",
    "SELECT id, (SELECT max(b.id) FROM range(9) b WHERE b.id = a.id) FROM range(20) a",
    "SELECT id, row_number() OVER (PARTITION BY id % 3 ORDER BY id DESC), "
    "sum(id) OVER (PARTITION BY id % 3 ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), "
    "avg(id) OVER (PARTITION BY id % 3 ORDER BY id RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING), "
    "lag(id, 2, -1) OVER (PARTITION BY id % 3 ORDER BY id), ntile(3) OVER (ORDER BY id) "
    "FROM range(20)",
    "SELECT id, explode(array(id, 1)) FROM range(4)",
    "SELECT id, posexplode(map('a', id)) FROM range(4)",
    "SELECT id, inline(array(struct(id AS x, 'b' AS y))) FROM range(4)",
    "SELECT id, stack(2, id, 1L, id + 1) FROM range(4)",
    "SELECT id, x FROM range(4) LATERAL VIEW OUTER explode(array()) AS x",
    "SELECT id FROM range(50) ORDER BY id % 7 DESC NULLS LAST, id LIMIT 5 OFFSET 2",
    "SELECT id FROM range(50) ORDER BY id % 7, id",
    "SELECT id FROM range(50) SORT BY id % 7",
    "SELECT id FROM range(50) LIMIT 5",
    "SELECT id FROM range(5) UNION ALL SELECT id + 1 FROM range(3) UNION ALL SELECT 7",
    "SELECT id FROM range(5) EXCEPT SELECT id FROM range(3)",
    "SELECT /*+ REPARTITION(3, id) */ id FROM range(5)",
    "SELECT * FROM VALUES (1, 'a'), (2, NULL) AS t(x, y) WHERE x > 1",
};

static void
test_stages__fragments_survive_the_journey(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    f.w.mutate = true;
    for (size_t i = 0; i < NB_COUNT_OF(QUERIES); i++) {
        run(&f, QUERIES[i]);
    }
    assert_true(f.w.n_fragments > 40);
    end(&f);
}

static void
expect(fixture *f, const char *sql, const char *stages)
{
    run(f, sql);
    assert_string_equal(f->w.text.data, stages);
}

static void
test_stages__shapes(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    expect(&f, "SELECT id FROM range(10) WHERE id > 3",
           "stage 0: 2 tasks\n"
           "  Put single into 1\n"
           "    Project\n"
           "      Filter\n"
           "        Range\n"
           "final\n"
           "  Read everything of stage 0\n");
    expect(&f, "SELECT id, count(*) FROM range(10) GROUP BY id", /* as many groups as rows */
           "stage 0: 2 tasks\n"
           "  Put hash into 2\n"
           "    Range\n"
           "stage 1: 2 tasks or others\n"
           "  Put single into 1\n"
           "    Project\n"
           "      Aggregate whole\n"
           "        Read bucket of stage 0\n"
           "final\n"
           "  Read everything of stage 1\n");
    expect(&f, "SELECT id % 3, count(*) FROM range(10000) GROUP BY id % 3",
           "stage 0: 2 tasks\n"
           "  Put hash into 2\n"
           "    Aggregate first step\n"
           "      Range\n"
           "stage 1: 2 tasks or others\n"
           "  Put single into 1\n"
           "    Project\n"
           "      Aggregate second step\n"
           "        Read bucket of stage 0\n"
           "final\n"
           "  Read everything of stage 1\n");
    expect(&f, "SELECT count(*) FROM range(10)",
           "stage 0: 2 tasks\n"
           "  Put single into 1\n"
           "    Aggregate first step\n"
           "      Range\n"
           "final\n"
           "  Project\n"
           "    Aggregate second step\n"
           "      Read everything of stage 0\n");
    expect(&f, "SELECT a.id FROM range(1000) a JOIN range(1000) b ON a.id = b.id",
           "stage 0: 2 tasks\n"
           "  Put hash into 2\n"
           "    Range\n"
           "stage 1: 2 tasks\n"
           "  Put hash into 2\n"
           "    Range\n"
           "stage 2: 2 tasks or others\n"
           "  Put single into 1\n"
           "    Project\n"
           "      Join\n"
           "        Read bucket of stage 1\n"
           "        Read bucket of stage 0\n"
           "final\n"
           "  Read everything of stage 2\n");
    expect(&f, "SELECT a.id FROM range(1000) a JOIN range(3) b ON a.id = b.id",
           "stage 0: 2 tasks\n"
           "  Put hash into 2\n"
           "    Range\n"
           "stage 1: 2 tasks or others, none if stage 0 is small\n"
           "  Put hash into 2\n"
           "    Range\n"
           "stage 2: 2 tasks or others\n"
           "  Put single into 1\n"
           "    Project\n"
           "      Join\n"
           "        Read bucket of stage 1\n"
           "        Read bucket of stage 0\n"
           "final\n"
           "  Read everything of stage 2\n");
    expect(&f, "SELECT id FROM range(10) ORDER BY id DESC",
           "stage 0: 2 tasks\n"
           "  Put sample into 1\n"
           "    Project\n"
           "      Range\n"
           "stage 1: 2 tasks or others\n"
           "  Put range into 2\n"
           "    Read the same task of stage 0\n"
           "stage 2: 2 tasks or others\n"
           "  Put single into 1\n"
           "    Sort\n"
           "      Read bucket of stage 1\n"
           "final\n"
           "  Read everything of stage 2\n");
    expect(&f, "SELECT count(DISTINCT id), sum(id) FROM range(10)",
           "stage 0: 2 tasks\n"
           "  Put hash into 2\n"
           "    Range\n"
           "stage 1: 2 tasks or others\n"
           "  Put single into 1\n"
           "    Aggregate first step\n"
           "      Read bucket of stage 0\n"
           "final\n"
           "  Project\n"
           "    Aggregate second step\n"
           "      Read everything of stage 1\n");
    expect(&f, "SELECT id FROM range(5) DISTRIBUTE BY id",
           "stage 0: 2 tasks\n"
           "  Put mod into 2\n"
           "    Project\n"
           "      Range\n"
           "stage 1: 2 tasks or others\n"
           "  Put single into 1\n"
           "    Read bucket of stage 0\n"
           "final\n"
           "  Read everything of stage 1\n");
    expect(&f, "SELECT id FROM range(10) ORDER BY id DESC LIMIT 3",
           "stage 0: 2 tasks\n"
           "  Put single into 1\n"
           "    TopN\n"
           "      Project\n"
           "        Range\n"
           "final\n"
           "  TopN\n"
           "    Read everything of stage 0\n");
    end(&f);
}

/* ---- sizes that are seen --------------------------------------------------------------------- */

#define JOIN "SELECT a.id FROM range(1000) a JOIN range(300) b ON a.id = b.id"
/* The probe side has more tasks than there are cores. */
#define WIDE_JOIN "SELECT a.id FROM range(0, 1000, 1, 8) a JOIN range(300) b ON a.id = b.id"

static int64_t
small_build_side(void *payload, int stage, int task, int bucket)
{
    (void)payload;
    (void)task;
    (void)bucket;
    return stage == 0 ? 10 : 1000000;
}

static int64_t
tiny_build_side(void *payload, int stage, int task, int bucket)
{
    (void)payload;
    (void)task;
    (void)bucket;
    return stage == 0 ? 2 : 1000000;
}

/* Above the threshold, and little beside the probe side. */
static int64_t
middling_build_side(void *payload, int stage, int task, int bucket)
{
    (void)payload;
    (void)task;
    (void)bucket;
    return stage == 0 ? 20 : 1000000;
}

static int64_t
large(void *payload, int stage, int task, int bucket)
{
    (void)payload;
    (void)stage;
    (void)task;
    (void)bucket;
    return 1000;
}

static int64_t
few(void *payload, int stage, int task, int bucket)
{
    (void)payload;
    (void)stage;
    (void)task;
    (void)bucket;
    return 1;
}

/* Bucket 1 of the probe side has nearly everything. */
static int64_t
skewed(void *payload, int stage, int task, int bucket)
{
    (void)payload;
    (void)task;
    return stage == 1 && bucket == 1 ? 100000 : 100;
}

static void
expect_adapted(fixture *f, const char *sql,
               int64_t (*sizes)(void *payload, int stage, int task, int bucket), const char *tasks)
{
    f->w.sizes = sizes;
    run(f, sql);
    assert_string_equal(f->w.text.data, tasks);
}

static void
test_stages__are_corrected_by_sizes(void **state)
{
    fixture f;

    (void)state;
    begin(&f);
    f.w.adapt = (nb_adapt_options){.enabled = true,
                                   .coalesce = true,
                                   .skew = true,
                                   .broadcast_bytes = 64,
                                   .advisory_bytes = 1 << 20,
                                   .min_bytes = 500,
                                   .skew_bytes = 5000,
                                   .skew_factor = 5,
                                   .parallelism = 2};
    /* stage 1, the probe side, has no tasks; stage 2 has its two, which read all of stage 0 */
    expect_adapted(&f, JOIN, small_build_side, "0: * *\n1:\n2: * *\n");
    expect_adapted(&f, WIDE_JOIN, tiny_build_side, "0: * *\n1:\n2: * * * *\n");
    expect_adapted(&f, WIDE_JOIN, small_build_side, "0: * *\n1:\n2: * *\n");
    expect_adapted(&f, JOIN, large, "0: * *\n1: * *\n2: 0-1 1-2\n");
    expect_adapted(&f, JOIN, middling_build_side, "0: * *\n1:\n2: * *\n");
    f.w.adapt.parallelism = 200;
    expect_adapted(&f, JOIN, middling_build_side, "0: * *\n1: * *\n2: 0-1 1-2\n");
    f.w.adapt.parallelism = 2;
    f.w.adapt.broadcast_bytes = 0;
    expect_adapted(&f, JOIN, few, "0: * *\n1: * *\n2: 0-2\n");
    f.w.adapt.coalesce = false;
    expect_adapted(&f, JOIN, few, "0: * *\n1: * *\n2: 0-1 1-2\n");
    expect_adapted(&f, JOIN, skewed, "0: * *\n1: * *\n2: 0-1 1-2(1:0-1) 1-2(1:1-2)\n");
    /* groups cannot be divided, nor a side whose rows without a match are wanted */
    expect_adapted(&f, "SELECT id, count(*) FROM range(10) GROUP BY id", skewed,
                   "0: * *\n1: 0-1 1-2\n");
    f.w.adapt.skew = false;
    expect_adapted(&f, JOIN, skewed, "0: * *\n1: * *\n2: 0-1 1-2\n");
    f.w.sizes = NULL;
    end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages__are_corrected_by_sizes),
        cmocka_unit_test(test_stages__shapes),
        cmocka_unit_test(test_stages__fragments_survive_the_journey),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
