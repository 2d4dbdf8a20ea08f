/* SPDX-License-Identifier: Apache-2.0 */
/*
 * persist.c: objects as directories, which Apache Spark reads, as ours are read that it has written:
 *
 *     path/metadata/part-00000   {"class":…,"timestamp":…,"sparkVersion":…,"uid":…,"paramMap":{…},"defaultParamMap":{…}}
 *     path/data/part-*.parquet   of models: model_data.h
 *
 * Both have a _SUCCESS file. They are written below path._temporary, which then gets its name: what is at the path is whole.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "expr/number_text.h"
#include "io/allowed.h"
#include "ml/json.h"
#include "ml/model_data.h"

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
    case NB_ML_DOUBLES: add_doubles(b, v->x, (size_t)v->n); break;
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

/* The defaults of a class, by name. */
static void
add_defaults(nb_strbuf *b, const nb_ml_class *cls, nb_str uid)
{
    char text[NB_DOUBLE_TEXT];
    bool any = false;

    for (int i = 0; i < cls->n_params; i++) {
        const nb_ml_param *p = &cls->params[i];
        bool output = strcmp(p->name, "outputCol") == 0;

        if (p->standard == NULL && !output) {
            continue;
        }
        nb_strbuf_addf(b, "%s\"%s\":", any ? "," : "", p->name);
        any = true;
        if (output) {
            nb_strbuf_addf(b, "\"%.*s__output\"", (int)uid.len, uid.data);
        } else if (p->type == 's') {
            nb_json_add_string(b, nb_str_of(p->standard));
        } else if (p->type == 'd') {
            nb_strbuf_add(
                b, (nb_str){text, (size_t)nb_format_double(text, strtod(p->standard, NULL))});
        } else {
            nb_strbuf_adds(b, p->standard);
        }
    }
}

nb_status
nb_ml_save(const nb_analyzer_config *cfg, nb_str path, const nb_ml_class *cls, nb_str uid,
           const nb_ml_bag *params, const nb_ml_bag *values, nb_error *err)
{
    nb_arena *arena = cfg->arena;
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
    nb_strbuf_adds(&b, "},\"defaultParamMap\":{");
    add_defaults(&b, cls, uid);
    nb_strbuf_adds(&b, "}}\n");
    NB_TRY_GOTO(st, write_part(arena, metadata, &b, err), done);
    if (values != NULL) {
        NB_TRY_GOTO(st, nb_ml_data_write(cfg, arena, data, cls, values, err), done);
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

/* The first file of a directory whose name begins with "part-", in the order of names; NULL when there is none. */
static nb_status
first_part(nb_arena *arena, const char *directory, char **out, nb_error *err)
{
    const struct dirent *entry;
    DIR *dir = opendir(directory);
    char *first = NULL;

    *out = NULL;
    if (dir == NULL) {
        char *shown = nb_arena_printf(arena, "file:%s", directory);

        NB_ML_NEED(shown);
        return nb_raise(err, NB_COND_PATH_NOT_FOUND, "path", shown, NULL);
    }
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, "part-", 5) == 0 &&
            (first == NULL || strcmp(entry->d_name, first) < 0)) {
            first = nb_arena_strdup(arena, nb_str_of(entry->d_name));
            if (first == NULL) {
                closedir(dir);
                return NB_NOMEM;
            }
        }
    }
    closedir(dir);
    if (first == NULL) {
        return corrupt(err, directory);
    }
    *out = nb_arena_printf(arena, "%s/%s", directory, first);
    return *out ? NB_OK : NB_NOMEM;
}

nb_status
nb_ml_load_saved(const nb_analyzer_config *cfg, nb_str path, const nb_ml_class *cls, nb_str *uid,
                 nb_ml_bag *params, nb_ml_bag *values, nb_error *err)
{
    nb_arena *arena = params->arena;
    char *local, *metadata, *data, *directory;
    const nb_json *name, *id, *map;
    nb_ml_args args = {.cls = cls, .arena = arena};
    nb_str text;
    nb_json j;

    NB_TRY(local_path(arena, path, &local, err));
    directory = nb_arena_printf(arena, "%s/metadata", local);
    data = nb_arena_printf(arena, "%s/data", local);
    NB_ML_NEED(directory && data);
    NB_TRY(first_part(arena, directory, &metadata, err));
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
        NB_TRY(nb_ml_data_read(cfg, data, cls, values, err));
    }
    return NB_OK;
}
