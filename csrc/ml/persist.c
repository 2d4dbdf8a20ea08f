/* SPDX-License-Identifier: Apache-2.0 */
/*
 * persist.c: objects as directories that people can read:
 *
 *     path/metadata/part-00000   {"class":…,"timestamp":…,"sparkVersion":…,"uid":…,"paramMap":{…}}
 *     path/data/part-00000       one line of JSON per value: {"name":…,"kind":…,…}
 *
 * Both have a _SUCCESS file. They are written below path._temporary, which then gets its name: what is at the path is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "expr/number_text.h"
#include "io/allowed.h"
#include "ml/json.h"
#include "ml/model.h"

/* A local path of what the user gave, if it may be used: file: is dropped. */
static nb_status
local_path(nb_arena *arena, nb_str path, char **out, nb_error *err)
{
    if (nb_str_starts_with(path, NB_STR("file://"))) {
        path = (nb_str){path.data + 7, path.len - 7};
    } else if (nb_str_starts_with(path, NB_STR("file:"))) {
        path = (nb_str){path.data + 5, path.len - 5};
    }
    *out = nb_arena_strdup(arena, path);
    return *out ? nb_allowed_check(*out, err) : NB_NOMEM;
}

nb_status
nb_ml_prepare_path(nb_str path, bool overwrite, nb_arena *arena, nb_error *err)
{
    struct stat s;
    char *local;

    NB_TRY(local_path(arena, path, &local, err));
    if (stat(local, &s) != 0) {
        return NB_OK;
    }
    if (!overwrite) {
        char *text = nb_arena_printf(arena,
                                     "Path %s already exists. To overwrite it, please use "
                                     "write.overwrite().save(path) for Scala and use "
                                     "write().overwrite().save(path) for Java and Python.",
                                     local);

        return text ? nb_raise(err, NB_COND_IO_EXCEPTION, "message", text, NULL) : NB_NOMEM;
    }
    return nb_tree_remove(local) == 0 ? NB_OK : nb_raise_errno(err, "remove", local, errno);
}

static nb_status
make_dirs(nb_arena *arena, const char *path, nb_error *err)
{
    char *copy = nb_arena_strdup(arena, nb_str_of(path));

    NB_ML_NEED(copy);
    for (char *p = copy + 1;; p++) {
        if (*p == '/' || *p == 0) {
            char c = *p;

            *p = 0;
            if (mkdir(copy, 0777) != 0 && errno != EEXIST) {
                return nb_raise_errno(err, "create", copy, errno);
            }
            *p = c;
            if (c == 0) {
                return NB_OK;
            }
        }
    }
}

static nb_status
write_file(nb_arena *arena, const char *dir, const char *name, nb_str text, nb_error *err)
{
    char *path = nb_arena_printf(arena, "%s/%s", dir, name);
    FILE *f;
    bool ok;

    NB_ML_NEED(path);
    f = fopen(path, "wb");
    if (f == NULL) {
        return nb_raise_errno(err, "create", path, errno);
    }
    ok = fwrite(text.data, 1, text.len, f) == text.len;
    ok = fclose(f) == 0 && ok;
    return ok ? NB_OK : nb_raise_errno(err, "write", path, errno);
}

static nb_status
write_part(nb_arena *arena, const char *dir, nb_strbuf *text, nb_error *err)
{
    if (text->failed) {
        return NB_NOMEM;
    }
    NB_TRY(make_dirs(arena, dir, err));
    NB_TRY(write_file(arena, dir, "part-00000", nb_strbuf_str(text), err));
    return write_file(arena, dir, "_SUCCESS", NB_STR(""), err);
}

static void
add_doubles(nb_strbuf *b, const double *x, size_t n)
{
    char text[NB_DOUBLE_TEXT];

    nb_strbuf_addc(b, '[');
    for (size_t i = 0; i < n; i++) {
        nb_strbuf_adds(b, i ? "," : "");
        if (isfinite(x[i])) {
            nb_strbuf_add(b, (nb_str){text, (size_t)nb_format_double(text, x[i])});
        } else {
            nb_strbuf_adds(b, isnan(x[i]) ? "\"NaN\""
                              : x[i] > 0  ? "\"Infinity\""
                                          : "\"-Infinity\"");
        }
    }
    nb_strbuf_addc(b, ']');
}

static void
add_value(nb_strbuf *b, const nb_ml_value *v)
{
    switch (v->kind) {
    case NB_ML_STRING: nb_json_add_string(b, v->s); break;
    case NB_ML_STRINGS:
        nb_strbuf_addc(b, '[');
        for (int i = 0; i < v->n; i++) {
            nb_strbuf_adds(b, i ? "," : "");
            nb_json_add_string(b, v->strings[i]);
        }
        nb_strbuf_addc(b, ']');
        break;
    case NB_ML_LISTS:
        nb_strbuf_addc(b, '[');
        for (int i = 0; i < v->n; i++) {
            nb_strbuf_adds(b, i ? "," : "");
            add_value(b, &v->lists[i]);
        }
        nb_strbuf_addc(b, ']');
        break;
    case NB_ML_INTS:
        nb_strbuf_addc(b, '[');
        for (int i = 0; i < v->n; i++) {
            nb_strbuf_addf(b, "%s%d", i ? "," : "", v->ints[i]);
        }
        nb_strbuf_addc(b, ']');
        break;
    case NB_ML_DOUBLES:
    case NB_ML_VECTOR: add_doubles(b, v->x, (size_t)v->n); break;
    case NB_ML_MATRIX: add_doubles(b, v->x, (size_t)v->rows * (size_t)v->cols); break;
    case NB_ML_DOUBLE:
        if (!isfinite(v->d)) {
            nb_strbuf_adds(b, isnan(v->d) ? "\"NaN\""
                              : v->d > 0  ? "\"Infinity\""
                                          : "\"-Infinity\"");
            break;
        }
        nb_ml_print(b, v);
        break;
    default: nb_ml_print(b, v);
    }
}

nb_status
nb_ml_save(nb_arena *arena, nb_str path, const nb_ml_class *cls, nb_str uid,
           const nb_ml_bag *params, const nb_ml_bag *values, nb_error *err)
{
    char *local, *temporary, *metadata, *data;
    nb_strbuf b = {0};
    nb_status st;

    NB_TRY(local_path(arena, path, &local, err));
    while (strlen(local) > 1 && local[strlen(local) - 1] == '/') {
        local[strlen(local) - 1] = 0;
    }
    temporary = nb_arena_printf(arena, "%s._temporary", local);
    metadata = nb_arena_printf(arena, "%s/metadata", temporary);
    data = nb_arena_printf(arena, "%s/data", temporary);
    NB_ML_NEED(temporary && metadata && data);
    nb_tree_remove(temporary);
    nb_strbuf_addf(&b, "{\"class\":\"%s\",\"timestamp\":%lld,\"sparkVersion\":\"4.2.0\",\"uid\":",
                   cls->name, (long long)(nb_clock_us() / 1000));
    nb_json_add_string(&b, uid);
    nb_strbuf_adds(&b, ",\"paramMap\":{");
    for (int i = 0; i < params->n; i++) {
        nb_strbuf_adds(&b, i ? "," : "");
        nb_json_add_string(&b, params->names[i]);
        nb_strbuf_addc(&b, ':');
        add_value(&b, &params->values[i]);
    }
    nb_strbuf_adds(&b, "}}\n");
    NB_TRY_GOTO(st, write_part(arena, metadata, &b, err), done);
    if (values != NULL) {
        b.len = 0;
        for (int i = 0; i < values->n; i++) {
            const nb_ml_value *v = &values->values[i];

            if (nb_str_starts_with(values->names[i], NB_STR("summary."))) {
                continue;
            }
            nb_strbuf_adds(&b, "{\"name\":");
            nb_json_add_string(&b, values->names[i]);
            nb_strbuf_addf(&b, ",\"kind\":%d", (int)v->kind);
            if (v->kind == NB_ML_MATRIX) {
                nb_strbuf_addf(&b, ",\"rows\":%d,\"cols\":%d,\"isTransposed\":%s", v->rows, v->cols,
                               v->transposed ? "true" : "false");
            }
            nb_strbuf_adds(&b, ",\"value\":");
            add_value(&b, v);
            nb_strbuf_adds(&b, "}\n");
        }
        NB_TRY_GOTO(st, write_part(arena, data, &b, err), done);
    }
    st = b.failed ? NB_NOMEM : NB_OK;
    if (st == NB_OK && rename(temporary, local) != 0) {
        st = nb_raise_errno(err, "rename", local, errno);
    }
done:
    nb_strbuf_free(&b);
    if (st < 0) {
        nb_tree_remove(temporary);
    }
    return st;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------------- */

static nb_status
read_file(nb_arena *arena, const char *path, nb_str *out, nb_error *err)
{
    struct stat s;
    char *text;
    size_t n;
    FILE *f;

    NB_TRY(nb_allowed_check(path, err));
    f = fopen(path, "rb");
    if (f == NULL) {
        return nb_raise_errno(err, "open", path, errno);
    }
    if (fstat(fileno(f), &s) != 0 || s.st_size > INT32_MAX ||
        !(text = nb_arena_alloc(arena, (size_t)s.st_size + 1))) {
        fclose(f);
        return NB_NOMEM;
    }
    n = fread(text, 1, (size_t)s.st_size, f);
    fclose(f);
    *out = (nb_str){text, n};
    return NB_OK;
}

static double
number_of(const nb_json *j)
{
    double x;

    if (j->kind == NB_JSON_NUMBER) {
        return j->number;
    }
    return j->kind == NB_JSON_STRING && nb_parse_double(j->text.data, j->text.len, &x) ? x : NAN;
}

/* A JSON value as a value of this kind; NULL kind: whatever it looks like. */
static nb_status
value_of(nb_arena *arena, const nb_json *j, nb_ml_kind kind, nb_ml_value *out)
{
    *out = (nb_ml_value){.kind = kind, .n = j->n};
    switch (kind) {
    case NB_ML_BOOL: out->i = j->boolean; return NB_OK;
    case NB_ML_INT:
    case NB_ML_LONG: {
        int64_t i;

        out->i = nb_str_to_int64(j->text, &i) ? i : (int64_t)j->number;
        return NB_OK;
    }
    case NB_ML_DOUBLE: out->d = number_of(j); return NB_OK;
    case NB_ML_STRING: out->s = j->text; return NB_OK;
    case NB_ML_STRINGS:
        out->strings = NB_ARENA_ARRAY(arena, nb_str, j->n + 1);
        NB_ML_NEED(out->strings);
        for (int i = 0; i < j->n; i++) {
            out->strings[i] = j->items[i].text;
        }
        return NB_OK;
    case NB_ML_LISTS:
        out->lists = NB_ARENA_ARRAY(arena, nb_ml_value, j->n + 1);
        NB_ML_NEED(out->lists);
        for (int i = 0; i < j->n; i++) {
            NB_TRY(value_of(arena, &j->items[i], NB_ML_STRINGS, &out->lists[i]));
        }
        return NB_OK;
    case NB_ML_INTS:
        out->ints = NB_ARENA_ARRAY(arena, int32_t, j->n + 1);
        NB_ML_NEED(out->ints);
        for (int i = 0; i < j->n; i++) {
            out->ints[i] = (int32_t)j->items[i].number;
        }
        return NB_OK;
    default:
        out->x = NB_ARENA_ARRAY(arena, double, j->n + 1);
        NB_ML_NEED(out->x);
        for (int i = 0; i < j->n; i++) {
            out->x[i] = number_of(&j->items[i]);
        }
        return NB_OK;
    }
}

static nb_ml_kind
kind_of(const nb_json *j)
{
    int64_t i;

    switch (j->kind) {
    case NB_JSON_BOOL: return NB_ML_BOOL;
    case NB_JSON_STRING: return NB_ML_STRING;
    case NB_JSON_NUMBER: return nb_str_to_int64(j->text, &i) ? NB_ML_LONG : NB_ML_DOUBLE;
    case NB_JSON_ARRAY:
        return j->n > 0 && j->items[0].kind == NB_JSON_NUMBER ? NB_ML_DOUBLES : NB_ML_STRINGS;
    default: return NB_ML_NULL;
    }
}

static nb_status
corrupt(nb_error *err, const char *path)
{
    return nb_raise(err, NB_COND_FAILED_READ_FILE, "path", path, NULL);
}

static nb_status
read_values(nb_arena *arena, const char *path, nb_ml_bag *values, nb_error *err)
{
    nb_str text;

    NB_TRY(read_file(arena, path, &text, err));
    for (size_t at = 0; at < text.len;) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t n = end ? (size_t)(end - text.data) - at : text.len - at;
        const nb_json *name, *kind, *value, *rows, *cols, *transposed;
        nb_ml_value v;
        nb_json j;

        if (n > 0) {
            if (nb_json_parse(arena, (nb_str){text.data + at, n}, &j) != NB_OK ||
                !(name = nb_json_get(&j, "name")) || !(kind = nb_json_get(&j, "kind")) ||
                !(value = nb_json_get(&j, "value")) || kind->number < 0 ||
                kind->number > (double)NB_ML_LISTS) {
                return corrupt(err, path);
            }
            NB_TRY(value_of(arena, value, (nb_ml_kind)kind->number, &v));
            rows = nb_json_get(&j, "rows");
            cols = nb_json_get(&j, "cols");
            transposed = nb_json_get(&j, "isTransposed");
            if (v.kind == NB_ML_MATRIX) {
                if (!rows || !cols || !transposed || rows->number < 0 || cols->number < 0 ||
                    rows->number * cols->number != (double)value->n) {
                    return corrupt(err, path);
                }
                v.rows = (int)rows->number;
                v.cols = (int)cols->number;
                v.transposed = transposed->boolean;
            }
            NB_TRY(nb_ml_put(values, name->text, v));
        }
        at += n + 1;
    }
    return NB_OK;
}

static nb_status
need_values(const nb_ml_class *cls, const nb_ml_bag *values, const char *path, nb_error *err)
{
    static const struct {
        nb_ml_class_id cls;
        const char *name;
        nb_ml_kind kind;
    } needed[] = {
        {NB_ML_KMEANS_MODEL, "clusterCenterMatrix", NB_ML_MATRIX},
        {NB_ML_LINEAR_REGRESSION_MODEL, "coefficients", NB_ML_VECTOR},
        {NB_ML_LINEAR_REGRESSION_MODEL, "intercept", NB_ML_DOUBLE},
        {NB_ML_MIN_MAX_SCALER_MODEL, "originalMin", NB_ML_VECTOR},
        {NB_ML_MIN_MAX_SCALER_MODEL, "originalMax", NB_ML_VECTOR},
        {NB_ML_STANDARD_SCALER_MODEL, "mean", NB_ML_VECTOR},
        {NB_ML_STANDARD_SCALER_MODEL, "std", NB_ML_VECTOR},
        {NB_ML_STRING_INDEXER_MODEL, "labelsArray", NB_ML_LISTS},
        {NB_ML_ONE_HOT_ENCODER_MODEL, "categorySizes", NB_ML_INTS},
    };
    const nb_ml_value *first = NULL;

    for (size_t i = 0; i < NB_COUNT_OF(needed); i++) {
        if (needed[i].cls == cls->id) {
            const nb_ml_value *v = nb_ml_get(values, needed[i].name);

            if (v == NULL || v->kind != needed[i].kind ||
                (first && v->kind == NB_ML_VECTOR && first->kind == NB_ML_VECTOR &&
                 v->n != first->n)) {
                return corrupt(err, path);
            }
            first = first ? first : v;
        }
    }
    return NB_OK;
}

nb_status
nb_ml_load_saved(nb_str path, const nb_ml_class *cls, nb_str *uid, nb_ml_bag *params,
                 nb_ml_bag *values, nb_error *err)
{
    nb_arena *arena = params->arena;
    char *local, *metadata, *data, *directory;
    const nb_json *name, *id, *map;
    nb_ml_args args = {.cls = cls, .arena = arena};
    struct stat s;
    nb_str text;
    nb_json j;

    NB_TRY(local_path(arena, path, &local, err));
    directory = nb_arena_printf(arena, "%s/metadata", local);
    metadata = nb_arena_printf(arena, "%s/metadata/part-00000", local);
    data = nb_arena_printf(arena, "%s/data/part-00000", local);
    NB_ML_NEED(directory && metadata && data);
    if (stat(directory, &s) != 0) {
        char *shown = nb_arena_printf(arena, "file:%s", directory);

        NB_ML_NEED(shown);
        return nb_raise(err, NB_COND_PATH_NOT_FOUND, "path", shown, NULL);
    }
    NB_TRY(read_file(arena, metadata, &text, err));
    if (nb_json_parse(arena, nb_str_trim(text), &j) != NB_OK ||
        !(name = nb_json_get(&j, "class")) || !(id = nb_json_get(&j, "uid")) ||
        !(map = nb_json_get(&j, "paramMap")) || map->kind != NB_JSON_OBJECT) {
        return corrupt(err, metadata);
    }
    if (!nb_str_equal(name->text, nb_str_of(cls->name))) {
        return nb_ml_raise_illegal(
            err, arena,
            "requirement failed: Error loading metadata: Expected class name "
            "%s but found class name %.*s",
            cls->name, (int)name->text.len, name->text.data);
    }
    *uid = args.uid = id->text;
    args.given.arena = arena;
    for (int i = 0; i < map->n; i++) {
        nb_ml_value v;

        NB_TRY(value_of(arena, &map->items[i], kind_of(&map->items[i]), &v));
        NB_TRY(nb_ml_args_put(&args, map->keys[i], v, err));
    }
    NB_TRY(nb_ml_copy_all(params, &args.given));
    if (values != NULL) {
        NB_TRY(read_values(arena, data, values, err));
        NB_TRY(need_values(cls, values, data, err));
    }
    return NB_OK;
}
