/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json.c: the JSON source. Byte 0 chooses options, the rest is the file.
 *
 * Properties: inference and reading by what it found, and by a schema of strings and numbers, end without a fault; every string that comes out is
 * well-formed UTF-8; the number of rows does not depend on which columns are read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/codec.h"
#include "io/relation.h"

#define MEMORY_LIMIT ((size_t)256 << 20)

static const char *const OPTIONS[][6] = {
    {NULL},
    {"multiLine", "true", NULL},
    {"primitivesAsString", "true", NULL},
    {"prefersDecimal", "true", "dropFieldIfAllNull", "true", NULL},
    {"allowComments", "true", "allowUnquotedFieldNames", "true", NULL},
    {"allowSingleQuotes", "false", "allowNumericLeadingZeros", "true", NULL},
    {"allowBackslashEscapingAnyCharacter", "true", "allowUnquotedControlChars", "true", NULL},
    {"inferTimestamp", "true", "mode", "DROPMALFORMED", NULL},
    {"mode", "FAILFAST", NULL},
    {"lineSep", ";", "maxNestingDepth", "3", NULL},
    {"encoding", "UTF-16LE", "lineSep", "\n", NULL},
    {"inferTimestamp", "true", "timestampFormat", "yyyy-MM-dd HH:mm", NULL},
};

static char path[64];

static void
check_text(const nb_vector *v, int64_t n)
{
    if (nb_type_is_string(v->type) && v->kind == NB_VEC_FLAT) {
        for (int64_t i = 0; i < n; i++) {
            nb_str s = nb_view_str(&NB_DATA(nb_view, v)[i]);
            if (!nb_vector_is_null(v, i) && !nb_utf8_is_valid(s.data, s.len)) {
                abort();
            }
        }
    }
}

/* Rows that a scan of the first n_columns gives; -1 when it fails. */
static int64_t
scan(nb_pool *pool, nb_relation *rel, int n_columns, nb_error *err)
{
    int columns[64];
    nb_scan_request request = {
        .columns = columns, .n_columns = NB_MIN(n_columns, 64), .limit = -1, .n_threads = 1};
    nb_arena *arena = nb_arena_new(pool);
    nb_source *src = NULL;
    void *local = NULL;
    nb_batch batch;
    int64_t n = 0;
    nb_status st;

    for (int i = 0; i < request.n_columns; i++) {
        columns[i] = i;
    }
    st = nb_relation_scan(rel, pool, &request, &src, err);
    if (st == NB_OK) {
        st = src->ops->open_local(src, pool, &local, err);
    }
    while (st == NB_OK && (st = src->ops->next(src, local, arena, &batch, err)) == NB_OK) {
        for (int j = 0; j < request.n_columns; j++) {
            const nb_vector *v;
            if (nb_batch_column(&batch, j, &v) == NB_OK) {
                check_text(v, batch.n_rows);
            }
        }
        n += batch.n_rows;
        nb_arena_reset(arena);
    }
    if (local) {
        src->ops->close_local(src, local);
    }
    if (src) {
        src->ops->free(src);
    }
    nb_arena_free(arena);
    nb_error_clear(err);
    return st == NB_DONE ? n : -1;
}

static void
read_with(nb_pool *pool, const nb_option *options, int n_options, const nb_type *schema)
{
    bool drops = n_options > 1 && nb_str_equal(options[1].key, NB_STR("mode"));
    nb_str paths = nb_str_of(path);
    nb_read_request request = {.format = NB_STR("json"),
                               .paths = &paths,
                               .n_paths = 1,
                               .options = options,
                               .n_options = n_options,
                               .schema = schema,
                               .n_threads = 1};
    nb_error err = NB_ERROR_INIT;
    nb_relation *rel = NULL;

    if (nb_relation_open(pool, &request, &rel, &err) == NB_OK) {
        int64_t all = scan(pool, rel, nb_relation_schema(rel)->n_children, &err);
        int64_t none = scan(pool, rel, 0, &err);

        if (!drops && all >= 0 && none >= 0 && all != none) {
            abort();
        }
        nb_relation_release(rel);
    }
    nb_error_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const *chosen;
    nb_option options[4];
    int n = 0;
    nb_pool *pool;
    FILE *f;

    if (size < 1 || size > 100000) {
        return 0;
    }
    if (path[0] == '\0') {
        snprintf(path, sizeof(path), "/dev/shm/fuzz_json_%ld", (long)getpid());
    }
    f = fopen(path, "wb");
    if (f == NULL) {
        return 0;
    }
    fwrite(data + 1, 1, size - 1, f);
    fclose(f);
    for (chosen = OPTIONS[data[0] % NB_COUNT_OF(OPTIONS)]; chosen[2 * n] != NULL; n++) {
        options[n] = (nb_option){nb_str_of(chosen[2 * n]), nb_str_of(chosen[2 * n + 1])};
    }
    pool = nb_pool_new(NULL, "fuzz", MEMORY_LIMIT);
    read_with(pool, options, n, NULL);
    {
        nb_field inner[2] = {
            {.name = NB_STR("x"), .type = nb_type_of(NB_TYPE_INT32), .nullable = true},
            {.name = NB_STR("y"), .type = nb_type_of(NB_TYPE_STRING), .nullable = true}};
        nb_field fields[] = {
            {.name = NB_STR("a"), .type = nb_type_of(NB_TYPE_STRING), .nullable = true},
            {.name = NB_STR("b"), .type = nb_type_of(NB_TYPE_INT64), .nullable = true},
            {.name = NB_STR("c"), .type = nb_type_decimal(10, 2), .nullable = true},
            {.name = NB_STR("d"),
             .type = nb_type_array(nb_type_struct(inner, 2), true),
             .nullable = true},
            {.name = NB_STR("e"), .type = nb_type_struct(inner, 2), .nullable = true},
            {.name = NB_STR("f"), .type = nb_type_of(NB_TYPE_DATE), .nullable = true},
            {.name = NB_STR("_corrupt_record"),
             .type = nb_type_of(NB_TYPE_STRING),
             .nullable = true}};
        read_with(pool, options, n, nb_type_struct(fields, (int)NB_COUNT_OF(fields)));
    }
    nb_pool_free(pool);
    return 0;
}
