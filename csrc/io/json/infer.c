/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer.c: the schema of JSON files.
 *
 * A full pass, as in Spark: each thread widens a tree of guesses of its own by the records of the splits that it claims; the trees are put together
 * at the end. Nearly all records are written as those before (json_layout.h) and fit what is there already, which one look shows. Another record is checked before it widens anything, so that of one
 * that is malformed nothing remains. Memory grows with the number of different fields only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"
#include "base/thread.h"
#include "expr/date_text.h"
#include "io/json/json.h"
#include "io/line_sample.h"

#define MORSEL_BYTES (4 << 20)
#define MAX_THREADS  64

typedef enum guess_kind {
    G_NULL,
    G_BOOL,
    G_LONG,
    G_DECIMAL,
    G_DOUBLE,
    G_TIMESTAMP,
    G_ARRAY,
    G_STRUCT,
    G_STRING
} guess_kind;

typedef struct guess {
    guess_kind kind;
    int whole, scale;    /* of decimals: digits before and behind the point */
    nb_str name;         /* where it is a field */
    bool plain;          /* nb_json_name_is can find it */
    struct guess *child; /* of arrays: the element; of structs: the fields */
    int n, cap;          /* fields */
    int next;            /* the field that followed the last one, in the record before */
    int64_t seen;        /* the object that had it last, so that a name that comes twice shows */
} guess;

typedef struct inference {
    nb_relation *rel;
    const nb_json_relation *json;
    const nb_read_request *request;
    nb_file_split *splits;
    int64_t n_splits;
    atomic_int next_split;
    bool samples; /* samplingRatio leaves records out */
} inference;

/* One thread's. */
typedef struct worker {
    inference *f;
    nb_arena *arena;
    nb_strbuf side;
    guess root;
    bool bad;        /* was there a record that is none? */
    nb_str twice;    /* the least of the names that an object has twice */
    int64_t objects; /* seen */
    nb_json_layout layout;
    int negative; /* the scale of a decimal such as 1e10; 0: there was none */
    char *fixed;  /* a repaired record */
    size_t fixed_cap;
    nb_status status;
    nb_error error;
} worker;

/* ---- widening ----------------------------------------------------------------------------------------------------------------- */

static void
widen_decimal(guess *g, int whole, int scale)
{
    g->whole = NB_MAX(g->whole, whole);
    g->scale = NB_MAX(g->scale, scale);
    g->kind = g->whole + g->scale > 38 ? G_DOUBLE : G_DECIMAL;
}

/* Scalars only. */
static void
widen(guess *g, guess_kind kind, int whole, int scale)
{
    guess_kind have = g->kind;

    if (kind == G_NULL || have == G_STRING) {
        return;
    }
    if (have == G_NULL || have == kind) {
        g->kind = kind;
        if (kind == G_DECIMAL) {
            widen_decimal(g, whole, scale);
        }
        return;
    }
    if ((have == G_LONG && kind == G_DECIMAL) || (have == G_DECIMAL && kind == G_LONG)) {
        widen_decimal(g, kind == G_LONG ? 20 : NB_MAX(whole, 20), kind == G_LONG ? 0 : scale);
    } else if (have >= G_LONG && have <= G_DOUBLE && kind >= G_LONG && kind <= G_DOUBLE) {
        g->kind = G_DOUBLE;
    } else {
        g->kind = G_STRING;
    }
}

static nb_status
field_of(worker *w, guess *g, nb_str name, guess **out)
{
    int k = g->next;

    if (k >= g->n || !nb_str_equal(g->child[k].name, name)) {
        for (k = 0; k < g->n && !nb_str_equal(g->child[k].name, name); k++) {
        }
    }
    if (k == g->n) {
        guess *grown = nb_arena_grow(w->arena, g->child, g->n, &g->cap, sizeof(guess));
        nb_str copy = nb_arena_str(w->arena, name);
        if (grown == NULL || copy.data == NULL) {
            return NB_NOMEM;
        }
        g->child = grown;
        g->child[g->n++] = (guess){.name = copy, .plain = nb_json_name_is_plain(copy), .seen = -1};
    }
    g->next = k + 1;
    *out = &g->child[k];
    return NB_OK;
}

static nb_status
element_of(worker *w, guess *g, guess **out)
{
    if (g->child == NULL) {
        g->child = NB_ARENA_NEW(w->arena, guess);
        if (g->child == NULL) {
            return NB_NOMEM;
        }
    }
    *out = g->child;
    return NB_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------------------- */

/* A number as java.math.BigDecimal has it: digits of the unscaled value, and the scale. */
static void
decimal_of(worker *w, nb_str s, int *whole, int *scale)
{
    int digits = 0, fraction = 0;
    bool point = false;
    long exponent = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] >= '0' && s.data[i] <= '9') {
            digits += digits > 0 || s.data[i] != '0';
            fraction += point;
        } else if (s.data[i] == '.') {
            point = true;
        } else if (s.data[i] == 'e' || s.data[i] == 'E') {
            exponent = strtol(s.data + i + 1, NULL,
                              10); /* a digit that is none follows: the text is a token */
            exponent = NB_MAX(NB_MIN(exponent, 10000), -10000);
            break;
        }
    }
    *scale = fraction - (int)exponent;
    *whole = NB_MAX(digits, 1) - *scale;
    if (*scale < 0) {
        w->negative = *scale;
        *scale = 0;
    }
    *whole = NB_MAX(*whole, 0);
}

static bool
is_timestamp(const worker *w, nb_str s)
{
    const nb_csv_formats *f = w->f->json->o.formats;
    nb_timestamp_text t;
    int64_t us;

    if (f->timestamp != NULL) {
        return nb_csv_format_timestamp(f, s, &us);
    }
    return nb_parse_timestamp_text(s.data, s.len, &t) && t.has_date;
}

static bool
is_number_text(nb_str s)
{
    nb_json j = nb_json_of(nb_str_trim(s));
    nb_str text;

    return nb_json_number(&j, &text) != NB_JSON_BAD && j.p == j.end;
}

static nb_status
infer_scalar(worker *w, nb_json *j, nb_json_kind kind, guess *g)
{
    const nb_json_options *o = &w->f->json->o;
    nb_str s;
    int64_t number;
    int whole, scale;

    if (kind == NB_JSON_STRING) {
        nb_json_string_at(j, &w->side, &s);
        if (w->side.failed) {
            return NB_NOMEM;
        }
        if (o->prefers_decimal && is_number_text(s)) {
            decimal_of(w, nb_str_trim(s), &whole, &scale);
            widen(g, whole + scale > 38 ? G_STRING : G_DECIMAL, whole, scale);
        } else {
            widen(g, o->infer_timestamp && is_timestamp(w, s) ? G_TIMESTAMP : G_STRING, 0, 0);
        }
        return NB_OK;
    }
    if (kind == NB_JSON_TRUE || kind == NB_JSON_FALSE) {
        nb_json_word(j, kind == NB_JSON_TRUE ? "true" : "false");
        widen(g, o->primitives_as_string ? G_STRING : G_BOOL, 0, 0);
        return NB_OK;
    }
    kind = nb_json_number(j, &s);
    if (o->primitives_as_string) {
        widen(g, G_STRING, 0, 0);
    } else if (kind == NB_JSON_INT && nb_str_to_int64(s, &number)) {
        widen(g, G_LONG, 0, 0);
    } else if (kind == NB_JSON_INT ||
               (o->prefers_decimal && s.data[s.len - 1] >= '0' && s.data[s.len - 1] <= '9')) {
        decimal_of(w, s, &whole, &scale);
        widen(g, whole + scale > 38 ? G_DOUBLE : G_DECIMAL, whole, scale);
    } else {
        widen(g, G_DOUBLE, 0, 0);
    }
    return NB_OK;
}

static void
note_twice(worker *w, nb_str name)
{
    if (name.data != NULL && (w->twice.data == NULL || nb_str_compare(name, w->twice) < 0)) {
        w->twice = name;
    }
}

/* One value, which is known to be well-formed. Depth is bounded by the reader's. */
static nb_status
infer_value(worker *w, nb_json *j, guess *g)
{
    nb_json_kind kind = nb_json_peek(j);
    guess_kind want = kind == NB_JSON_OBJECT ? G_STRUCT : G_ARRAY;
    int64_t id;
    bool first = true, bad = false;

    if (kind == NB_JSON_NULL || g->kind == G_STRING) {
        nb_json_skip(j);
        return NB_OK;
    }
    if (kind != NB_JSON_OBJECT && kind != NB_JSON_ARRAY) {
        return infer_scalar(w, j, kind, g);
    }
    if (g->kind != G_NULL && g->kind != want) {
        g->kind = G_STRING;
        nb_json_skip(j);
        return NB_OK;
    }
    g->kind = want;
    nb_json_enter(j);
    id = ++w->objects;
    if (want == G_STRUCT) {
        g->next = 0;
    }
    while (nb_json_more(j, want == G_STRUCT ? '}' : ']', &first, &bad)) {
        guess *child;

        if (want == G_STRUCT) {
            nb_str name;
            nb_json_name_at(j, &w->side, &name);
            NB_TRY(w->side.failed ? NB_NOMEM : field_of(w, g, name, &child));
            if (child->seen == id) {
                note_twice(w, child->name);
            }
            child->seen = id;
        } else {
            NB_TRY(element_of(w, g, &child));
        }
        NB_TRY(infer_value(w, j, child));
    }
    return NB_OK;
}

/* Is the value well-formed, and would it widen nothing? "No" may be wrong: who looks closer knows. */
static bool
fits(const worker *w, nb_json *j, const guess *g)
{
    nb_json_kind kind = nb_json_peek(j);
    bool first = true, bad = false;
    int64_t number;
    nb_str s;
    int k = 0;

    if (kind == NB_JSON_NULL || g->kind == G_STRING) {
        return nb_json_skip(j);
    }
    switch (g->kind) {
    case G_BOOL: return (kind == NB_JSON_TRUE || kind == NB_JSON_FALSE) && nb_json_skip(j);
    case G_LONG:
        return kind == NB_JSON_INT && nb_json_number(j, &s) == NB_JSON_INT &&
               nb_str_to_int64(s, &number);
    case G_DOUBLE:
        return kind == NB_JSON_INT && !w->f->json->o.prefers_decimal &&
               nb_json_number(j, &s) != NB_JSON_BAD;
    case G_ARRAY:
        if (kind != NB_JSON_ARRAY || g->child == NULL || !nb_json_enter(j)) {
            return false;
        }
        while (nb_json_more(j, ']', &first, &bad)) {
            if (!fits(w, j, g->child)) {
                return false;
            }
        }
        return !bad;
    case G_STRUCT:
        if (kind != NB_JSON_OBJECT || !nb_json_enter(j)) {
            return false;
        }
        /* fields in the order of the guesses: then none comes twice */
        while (nb_json_more(j, '}', &first, &bad)) {
            while (k < g->n && !(g->child[k].plain && nb_json_name_is(j, g->child[k].name))) {
                k++;
            }
            if (k == g->n || !fits(w, j, &g->child[k++])) {
                return false;
            }
        }
        return !bad;
    default: return false;
    }
}

/* The same of one value of a line that is walked, where its type shows at once. */
static bool
fits_value(const worker *w, nb_json_walk *walk, const guess *g, const nb_json *how)
{
    bool negative;
    const char *digits;
    size_t n, point;
    nb_json j;

    if (g->kind == G_STRING) {
        return nb_json_walk_skip(walk, how);
    }
    if ((g->kind == G_LONG || (g->kind == G_DOUBLE && !w->f->json->o.prefers_decimal)) &&
        nb_json_number_at(walk->from, walk->to, &negative, &digits, &n, &point) &&
        (point == n || g->kind == G_DOUBLE)) {
        return true;
    }
    j = nb_json_walk_cursor(walk, how);
    return nb_json_walk_ended(walk, fits(w, &j, g) ? j.p : NULL);
}

/* The same of a line that is written as those before were. */
static bool
fits_line(worker *w, const nb_json_line *line)
{
    nb_json how = {.rules = w->f->json->o.rules, .max_depth = w->f->json->o.max_depth};
    nb_json_layout *l = &w->layout;
    nb_json_walk walk;
    nb_json_step step = NB_JSON_LOST;

    for (bool on = nb_json_walk_begin(&walk, l, line); on;) {
        step = nb_json_walk_next(&walk);
        on = step == NB_JSON_STEP && walk.field->field >= 0 &&
             fits_value(w, &walk, &w->root.child[walk.field->field], &how);
    }
    if (step == NB_JSON_DONE) {
        nb_json_layout_fits(l);
    }
    return step == NB_JSON_DONE;
}

/* Behind infer_record, which has made guesses of the names that are new. */
static void
learn_line(worker *w, nb_str line)
{
    nb_json how = {.rules = w->f->json->o.rules, .max_depth = w->f->json->o.max_depth};

    nb_json_layout_learn(&w->layout, line, &how);
    for (int i = 0; i < w->layout.n; i++) {
        nb_json_layout_field *f = &w->layout.fields[i];

        for (int k = 0; f->field < 0 && k < w->root.n; k++) {
            if (nb_str_equal(nb_json_layout_name(f), w->root.child[k].name)) {
                f->field = k;
            }
        }
    }
}

static nb_status
raise_bad(const inference *f, nb_error *err)
{
    return nb_raise(err, NB_COND_MALFORMED_RECORD_IN_PARSING, "badRecord",
                    f->json->o.corrupt_column.data, "failFastMode", "FAILFAST", NULL);
}

static nb_status
infer_record(worker *w, nb_str line, nb_error *err)
{
    nb_json j = nb_json_of(line), check;
    nb_json_kind kind;

    j.rules = w->f->json->o.rules;
    j.max_depth = w->f->json->o.max_depth;
    check = j;
    if (fits(w, &check, &w->root)) {
        return NB_OK;
    }
    check = j;
    kind = nb_json_peek(&j);
    if (kind == NB_JSON_OBJECT && nb_json_skip(&check)) {
        return infer_value(w, &j, &w->root);
    }
    if (kind == NB_JSON_ARRAY && nb_json_is_array_of_records(j)) {
        bool first = true, bad = false;

        nb_json_enter(&j);
        while (nb_json_more(&j, ']', &first, &bad)) {
            NB_TRY(infer_value(w, &j, &w->root));
        }
        return NB_OK;
    }
    if (w->f->json->o.mode == NB_PARSE_FAILFAST) {
        return raise_bad(w->f, err);
    }
    w->bad |= w->f->json->o.mode == NB_PARSE_PERMISSIVE;
    return NB_OK;
}

static nb_status
infer_split(worker *w, nb_json_lines *lines, const nb_file_split *split, nb_line_sample *sample,
            nb_error *err)
{
    NB_TRY(nb_json_lines_open(lines, split, err));
    for (;;) {
        nb_json_line at_line;
        nb_str line;
        bool tried = false, found;

        NB_TRY(nb_json_lines_next(lines, true, &at_line, &found, err));
        if (!found) {
            return NB_OK;
        }
        line = at_line.text;
        if (w->f->samples && !nb_line_sample_takes(sample)) {
            continue;
        }
        if ((at_line.index == NULL || at_line.index->any_high) &&
            !nb_utf8_is_valid(line.data, line.len)) {
            NB_TRY(nb_json_repair(w->f->rel->pool, &w->fixed, &w->fixed_cap, &line));
        } else if (at_line.index != NULL && nb_json_layout_awake(&w->layout)) {
            if (fits_line(w, &at_line)) {
                continue;
            }
            tried = true;
        }
        if (nb_str_trim(line).len > 0) {
            NB_TRY(infer_record(w, line, err));
            if (tried) {
                learn_line(w, line);
            }
        }
    }
}

static nb_status
infer_splits(worker *w, nb_json_lines *lines, nb_error *err)
{
    inference *f = w->f;
    const nb_json_options *o = &f->json->o;
    int64_t at;

    while ((at = atomic_fetch_add(&f->next_split, 1)) < f->n_splits) {
        nb_line_sample sample = {0};

        if (f->samples) {
            if (!nb_split_begins_partition(f->splits, at)) {
                continue;
            }
            nb_line_sample_begin(&sample, o->sampling_ratio, o->multi_line,
                                 f->splits[at].partition);
        }
        do {
            nb_status st = infer_split(w, lines, &f->splits[at], &sample, err);

            if (!nb_relation_skips(f->rel, st, err)) {
                NB_TRY(st);
            }
        } while (f->samples && ++at < f->n_splits && !nb_split_begins_partition(f->splits, at));
    }
    return NB_OK;
}

static void
infer_thread(void *payload, int i)
{
    worker *w = (worker *)payload + i;
    nb_json_lines lines;
    nb_pool *pool = w->f->rel->pool;

    w->status = nb_json_lines_init(&lines, pool, w->f->rel, &w->f->json->o, w->f->request->cancel);
    nb_json_layout_init(&w->layout, nb_arena_alloc(w->arena, NB_JSON_LAYOUT_BYTES));
    if (w->status == NB_OK) {
        w->status = w->layout.fields ? infer_splits(w, &lines, &w->error) : NB_NOMEM;
    }
    nb_json_lines_free(&lines);
    nb_strbuf_free(&w->side);
    if (w->fixed) {
        nb_pool_dealloc(pool, w->fixed, w->fixed_cap);
    }
}

/* ---- the result --------------------------------------------------------------------------------------------------------------- */

static nb_status
merge(worker *w, guess *g, const guess *with)
{
    if (with->kind != G_ARRAY && with->kind != G_STRUCT) {
        widen(g, with->kind, with->whole, with->scale);
        return NB_OK;
    }
    if (g->kind == G_NULL) {
        g->kind = with->kind;
    } else if (g->kind != with->kind) {
        g->kind = G_STRING;
        return NB_OK;
    }
    for (int i = 0; i < (with->kind == G_ARRAY ? with->child != NULL : with->n); i++) {
        guess *child;

        NB_TRY(with->kind == G_ARRAY ? element_of(w, g, &child)
                                     : field_of(w, g, with->child[i].name, &child));
        NB_TRY(merge(w, child, &with->child[i]));
    }
    return NB_OK;
}

static int
compare_names(const void *a, const void *b)
{
    return nb_str_compare(((const nb_field *)a)->name, ((const nb_field *)b)->name);
}

/* Names must differ, also by case where that does not count. */
static nb_status
check_names(const inference *f, const nb_field *fields, int n, nb_error *err)
{
    const nb_session_info *info = f->request->info;
    bool exact = nb_config_bool(info ? info->config : NULL, NB_CONF_CASE_SENSITIVE);

    for (int i = 1; i < n && !exact; i++) {
        for (int k = 0; k < i; k++) {
            if (nb_str_equal_nocase(fields[i].name, fields[k].name)) {
                nb_strbuf b = {0};
                nb_strbuf_addf(&b, "`%.*s`", (int)fields[i].name.len, fields[i].name.data);
                nb_raise(err, NB_COND_COLUMN_ALREADY_EXISTS, "columnName", b.data ? b.data : "",
                         NULL);
                nb_strbuf_free(&b);
                return NB_ERROR;
            }
        }
    }
    return NB_OK;
}

/* *out NULL: the field is left out. */
static nb_status
type_of(worker *w, const guess *g, const nb_type **out, nb_error *err)
{
    bool drop = w->f->json->o.drop_all_null;
    const nb_session_info *info = w->f->request->info;
    nb_field *fields;
    int n = 0;

    *out = NULL;
    switch (g->kind) {
    case G_NULL: *out = drop ? NULL : nb_type_of(NB_TYPE_STRING); return NB_OK;
    case G_BOOL: *out = nb_type_of(NB_TYPE_BOOL); return NB_OK;
    case G_LONG: *out = nb_type_of(NB_TYPE_INT64); return NB_OK;
    case G_DECIMAL: *out = nb_type_decimal(NB_MAX(g->whole + g->scale, 1), g->scale); return NB_OK;
    case G_DOUBLE: *out = nb_type_of(NB_TYPE_FLOAT64); return NB_OK;
    case G_STRING: *out = nb_type_of(NB_TYPE_STRING); return NB_OK;
    case G_TIMESTAMP:
        *out = nb_type_of(
            nb_str_equal_nocase(nb_config_str(info ? info->config : NULL, NB_CONF_TIMESTAMP_TYPE),
                                NB_STR("TIMESTAMP_NTZ"))
                ? NB_TYPE_TIMESTAMP_NTZ
                : NB_TYPE_TIMESTAMP);
        return NB_OK;
    case G_ARRAY: {
        const nb_type *element = drop ? NULL : nb_type_of(NB_TYPE_STRING);

        if (g->child != NULL) {
            NB_TRY(type_of(w, g->child, &element, err));
        }
        *out = element ? nb_type_array(element, true) : NULL;
        return element == NULL || *out ? NB_OK : NB_NOMEM;
    }
    case G_STRUCT: break;
    }
    fields = NB_ARENA_ARRAY(w->arena, nb_field, g->n + 1);
    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < g->n; i++) {
        fields[n] = (nb_field){.name = g->child[i].name, .nullable = true};
        NB_TRY(type_of(w, &g->child[i], &fields[n].type, err));
        n += fields[n].type != NULL;
    }
    if (n > 1) {
        qsort(fields, (size_t)n, sizeof(*fields), compare_names);
    }
    NB_TRY(check_names(w->f, fields, n, err));
    if (n > 0) {
        *out = nb_type_struct(fields, n);
        return *out ? NB_OK : NB_NOMEM;
    }
    return NB_OK;
}

/* Names that an object has twice, and decimals that Spark has no type for. */
static nb_status
check_found(worker *w, nb_error *err)
{
    if (w->twice.data != NULL) {
        nb_strbuf b = {0};

        nb_strbuf_addf(&b, "`%.*s`", (int)w->twice.len, w->twice.data);
        nb_raise(err, NB_COND_COLUMN_ALREADY_EXISTS, "columnName", b.data ? b.data : "", NULL);
        nb_strbuf_free(&b);
        return NB_ERROR;
    }
    if (w->negative < 0) {
        char text[16];

        snprintf(text, sizeof(text), "%d", w->negative);
        return nb_raise(err, NB_COND_NEGATIVE_SCALE_DISALLOWED, "scale", text, "sqlConf",
                        "\"spark.sql.legacy.allowNegativeScaleOfDecimal\"", NULL);
    }
    return NB_OK;
}

/* The root, with the column of bad records among the others. */
static nb_status
schema_of(worker *w, const nb_type **out, nb_error *err)
{
    NB_TRY(check_found(w, err));
    if (w->bad) {
        guess *corrupt;

        NB_TRY(field_of(w, &w->root, w->f->json->o.corrupt_column, &corrupt));
        corrupt->kind = G_STRING;
    }
    w->root.kind = G_STRUCT;
    NB_TRY(type_of(w, &w->root, out, err));
    if (*out == NULL) {
        *out = nb_type_struct(NULL, 0);
    }
    return *out ? NB_OK : NB_NOMEM;
}

nb_status
nb_json_infer(nb_relation *rel, const nb_json_relation *json, const nb_read_request *request,
              const nb_type **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(rel->pool);
    inference f = {.rel = rel, .json = json, .request = request};
    int n = NB_MAX(1, NB_MIN(request->n_threads, MAX_THREADS)), partitions;
    worker *workers = NULL;
    nb_status st = NB_NOMEM;

    if (arena == NULL) {
        return NB_NOMEM;
    }
    f.samples = json->o.sampling_ratio <= NB_SAMPLE_ALL_FROM;
    NB_TRY_GOTO(st,
                nb_relation_splits(rel, arena, request->info, n, nb_json_splittable, MORSEL_BYTES,
                                   &f.splits, &f.n_splits, &partitions),
                done);
    n = (int)NB_MAX(1, NB_MIN(n, f.n_splits));
    workers = nb_arena_zalloc(arena, (size_t)n * sizeof(*workers));
    st = workers ? NB_OK : NB_NOMEM;
    for (int i = 0; i < n && st == NB_OK; i++) {
        workers[i].f = &f;
        workers[i].arena = nb_arena_new(rel->pool);
        st = workers[i].arena ? NB_OK : NB_NOMEM;
    }
    if (st < 0) {
        goto done;
    }
    nb_threads_run(n, infer_thread, workers);
    for (int i = 0; i < n; i++) {
        if (workers[i].status < 0 && st == NB_OK) {
            st = workers[i].status;
            if (err) {
                nb_error_move(&workers[i].error, err);
            }
        }
        if (i > 0 && st == NB_OK) {
            st = merge(&workers[0], &workers[0].root, &workers[i].root);
            workers[0].bad |= workers[i].bad;
            workers[0].negative = NB_MIN(workers[0].negative, workers[i].negative);
            note_twice(&workers[0], workers[i].twice);
        }
    }
    st = st == NB_OK ? schema_of(&workers[0], out, err) : st;
done:
    for (int i = 0; i < n && workers; i++) {
        nb_error_clear(&workers[i].error);
        nb_arena_free(workers[i].arena);
    }
    nb_arena_free(arena);
    return st;
}

nb_status
nb_json_infer_text(nb_arena *arena, const nb_json_options *o, const nb_session_info *info,
                   nb_str text, const nb_type **out, nb_error *err)
{
    nb_json_relation json = {.o = *o};
    nb_read_request request = {.info = info};
    inference f = {.json = &json, .request = &request};
    worker w = {.f = &f, .arena = arena};
    nb_json j = nb_json_of(text), check;
    nb_status st;

    j.rules = o->rules;
    j.max_depth = o->max_depth;
    check = j;
    if (nb_str_trim(text).len > 0) {
        if (!nb_json_skip(&check)) {
            return nb_raise(err, NB_COND_JSON_PARSE_EXCEPTION, "message", "The text is no JSON",
                            NULL);
        }
        st = infer_value(&w, &j, &w.root);
        nb_strbuf_free(&w.side);
        NB_TRY(st);
    }
    NB_TRY(check_found(&w, err));
    NB_TRY(type_of(&w, &w.root, out, err));
    if (*out == NULL) {
        *out = w.root.kind == G_STRUCT  ? nb_type_struct(NULL, 0)
               : w.root.kind == G_ARRAY ? nb_type_array(nb_type_of(NB_TYPE_STRING), true)
                                        : nb_type_of(NB_TYPE_STRING);
    }
    return *out ? NB_OK : NB_NOMEM;
}
