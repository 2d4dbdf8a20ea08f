/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c: filling error records.
 *
 * The whole message is made anew whenever a part of the record changes, so that it never disagrees with the parts. All pieces
 * are malloc'ed one by one; a piece for which there is no memory stays NULL, and a message that could not be made falls back
 * to the condition's name, which needs none.
 *
 * Layout (Spark's SparkThrowableHelper):  [NAME] text SQLSTATE: xxxxx
 *                                         == SQL (line 1, position 8) ==
 *                                         SELECT 1 / 0
 *                                                ^^^^^
 * The analyzer's errors end in "; line 1 pos 7" instead.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"

static const nb_condition_info CONDITIONS[] = {
#define NB_CONDITION(id, name, sqlstate, kind, template) \
    [NB_COND_##id] = {name, sqlstate, kind, template},
#include "base/error_conditions.def"
#undef NB_CONDITION
};

const nb_condition_info *
nb_condition_get(nb_condition cond)
{
    return &CONDITIONS[cond];
}

/* Does the row name a class of Java in place of a condition? */
static bool
is_plain(const nb_condition_info *info)
{
    return info->name[0] >= 'a' && info->name[0] <= 'z';
}

static const char *
find_param(const nb_error *err, const char *name, size_t len)
{
    for (int i = 0; i < err->n_params; i++) {
        if (err->keys[i] != NULL && strlen(err->keys[i]) == len &&
            memcmp(err->keys[i], name, len) == 0) {
            return err->values[i] ? err->values[i] : "";
        }
    }
    return NULL;
}

static void
fill_template(const nb_error *err, const char *t, nb_strbuf *out)
{
    while (*t) {
        const char *open = strchr(t, '<');
        const char *close = open ? strchr(open, '>') : NULL;
        const char *value;

        if (close == NULL) {
            nb_strbuf_adds(out, t);
            return;
        }
        nb_strbuf_add(out, (nb_str){t, (size_t)(open - t)});
        value = find_param(err, open + 1, (size_t)(close - open - 1));
        if (value != NULL) {
            nb_strbuf_adds(out, value);
            t = close + 1;
        } else {
            nb_strbuf_addc(out, '<');
            t = open + 1;
        }
    }
}

static void
make_message(nb_error *err)
{
    const nb_condition_info *info = &CONDITIONS[err->condition];
    nb_strbuf text = {0};

    if (err->is_foreign) {
        return;
    }
    if (info->kind == NB_KIND_PARSE) {
        nb_strbuf_addc(&text, '\n'); /* as Spark's ParseException */
    }
    if (strncmp(info->name, "_LEGACY_ERROR_", 14) != 0 && !is_plain(info)) {
        nb_strbuf_addf(&text, "[%s] ", info->name);
    }
    fill_template(err, info->message, &text);
    if (info->sqlstate[0]) {
        nb_strbuf_addf(&text, " SQLSTATE: %s", info->sqlstate);
    }
    if (info->kind == NB_KIND_ANALYSIS &&
        err->context != NULL) { /* the analyzer tells only where */
        if (!err->context->is_dataframe) {
            nb_strbuf_addf(&text, "; line %d pos %d", err->context->line, err->context->position);
        }
    } else if (err->context != NULL && err->context->summary != NULL) {
        nb_strbuf_addf(&text, "%s%s", err->context->is_syntax ? "" : "\n", err->context->summary);
    }
    if (text.failed) {
        nb_strbuf_free(&text);
        return;
    }
    free(err->message);
    err->message = text.data;
}

static void
put_param(nb_error *err, const char *key, const char *value)
{
    if (err->n_params == NB_ERROR_MAX_PARAMS || find_param(err, key, strlen(key)) != NULL) {
        return;
    }
    err->keys[err->n_params] = strdup(key);
    err->values[err->n_params] = strdup(value ? value : "");
    err->n_params++;
}

nb_status
nb_raise(nb_error *err, nb_condition cond, ...)
{
    va_list ap;

    if (err == NULL || err->set) {
        return NB_ERROR;
    }
    err->set = true;
    err->condition = cond;
    va_start(ap, cond);
    for (const char *key; (key = va_arg(ap, const char *)) != NULL;) {
        put_param(err, key, va_arg(ap, const char *));
    }
    va_end(ap);
    make_message(err);
    return NB_ERROR;
}

/* One parameter made by printf. */
static void
raise_text(nb_error *err, nb_condition cond, const char *key, const char *fmt, va_list ap)
{
    char *text = NULL;

    if (vasprintf(&text, fmt, ap) < 0) {
        text = NULL;
    }
    nb_raise(err, cond, key, text ? text : fmt, NULL);
    free(text);
}

nb_status
nb_raise_internal(nb_error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    raise_text(err, NB_COND_INTERNAL_ERROR, "message", fmt, ap);
    va_end(ap);
    return NB_ERROR;
}

nb_status
nb_raise_unsupported(nb_error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    raise_text(err, NB_COND_UNSUPPORTED_FEATURE, "feature", fmt, ap);
    va_end(ap);
    return NB_ERROR;
}

nb_status
nb_raise_foreign(nb_error *err, nb_str name, nb_str sqlstate, nb_error_kind kind, nb_str message,
                 const char *const *keys, const char *const *values, int n)
{
    if (err == NULL || err->set) {
        return NB_ERROR;
    }
    err->set = err->is_foreign = true;
    err->condition = NB_COND_FOREIGN;
    err->foreign_kind = kind;
    for (size_t i = 0; name.len > 0 && i < NB_COUNT_OF(CONDITIONS); i++) {
        if (CONDITIONS[i].kind == kind && nb_str_equal(name, nb_str_of(CONDITIONS[i].name))) {
            err->condition = (nb_condition)i;
            break;
        }
    }
    err->foreign_name = name.len ? nb_str_copy(name) : NULL;
    err->foreign_sqlstate = sqlstate.len ? nb_str_copy(sqlstate) : NULL;
    err->message = nb_str_copy(message);
    for (int i = 0; i < n; i++) {
        put_param(err, keys[i], values[i]);
    }
    return NB_ERROR;
}

nb_status
nb_raise_unreadable(nb_error *err, const char *path, const char *reason)
{
    nb_strbuf url = {0};

    nb_strbuf_adds(&url, "file://");
    nb_strbuf_adds(&url, path);
    nb_raise(err, NB_COND_FAILED_READ_FILE, "path", url.failed ? path : url.data, "reason", reason,
             NULL);
    nb_strbuf_free(&url);
    return NB_ERROR;
}

nb_status
nb_raise_errno(nb_error *err, const char *operation, const char *path, int errnum)
{
    static const char *const READS[] = {"open", "read", "stat", "list", "map", "seek"};
    char reason[160], system_text[96];
    nb_strbuf shown = {0};

    if (errnum == ENOENT) {
        return nb_raise(err, NB_COND_PATH_NOT_FOUND, "path", path, NULL);
    }
    snprintf(reason, sizeof(reason), "%s: %s", operation,
             strerror_r(errnum, system_text, sizeof(system_text)));
    for (size_t i = 0; i < NB_COUNT_OF(READS); i++) {
        if (strcmp(operation, READS[i]) == 0) {
            return nb_raise_unreadable(err, path, reason);
        }
    }
    nb_strbuf_adds(&shown, "file:");
    nb_strbuf_adds(&shown, path);
    nb_raise(err, NB_COND_TASK_WRITE_FAILED, "path", shown.failed ? path : shown.data, "reason",
             reason, NULL);
    nb_strbuf_free(&shown);
    return NB_ERROR;
}

void
nb_error_add_context(nb_error *err, const char *name, const char *value)
{
    if (err == NULL || !err->set) {
        return;
    }
    put_param(err, name, value);
    make_message(err);
}

/* Places of the text are counted in characters, as users see them, not in bytes. */
static bool
starts_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* The lines around the fragment, cut 32 characters to each side, with marks below it. */
static void
add_marked_text(nb_strbuf *out, const char *sql, int len, int start, int stop)
{
    enum { AROUND = 32 };
    int from = start, to = stop + 1, n;
    bool cut_left, cut_right;
    int at;

    for (n = 0; from > 0 && sql[from - 1] != '\n' && n < AROUND; n += starts_char(sql[from])) {
        from--;
    }
    cut_left = from > 0 && sql[from - 1] != '\n';
    for (n = 0; to < len && sql[to] != '\n' && n < AROUND; to++) {
        n += starts_char(sql[to]);
    }
    while (to < len && !starts_char(sql[to])) {
        to++;
    }
    cut_right = to < len && sql[to] != '\n';

    for (at = from; at < to || at == from;) {
        int end = at;

        while (end < to && sql[end] != '\n') {
            end++;
        }
        if (cut_left && at == from) {
            nb_strbuf_adds(out, "...");
        }
        nb_strbuf_add(out, (nb_str){sql + at, (size_t)(end - at)});
        if (cut_right && end == to) {
            nb_strbuf_adds(out, "...");
        }
        nb_strbuf_addc(out, '\n');
        if (cut_left && at == from) {
            nb_strbuf_adds(out, "   ");
        }
        for (int i = at; i < end && i <= stop; i++) {
            if (starts_char(sql[i])) {
                nb_strbuf_addc(out, i < start ? ' ' : '^');
            }
        }
        nb_strbuf_addc(out, '\n');
        at = end + 1;
    }
}

/* Conditions that Spark raises without a place, and errors that have no condition. The ends of names may be cut. */
static bool
has_no_place(const nb_error *err)
{
    static const char *const NAMES[] = {
        "CANNOT_PARSE_TIMESTAMP",   "DATETIME_FIELD_OUT_OF_BOUNDS", "DUPLICATED_MAP_KEY",
        "FIELD_NOT_FOUND",          "INVALID_DATETIME_PATTERN",     "INVALID_FORMAT",
        "INVALID_PARAMETER_VALUE.", "MALFORMED_RECORD_IN_PARSING",  "NULL_MAP_KEY",
        "PATH_NOT_FOUND",           "UNABLE_TO_INFER_SCHEMA"};
    const char *name = CONDITIONS[err->condition].name;

    for (size_t i = 0; i < NB_COUNT_OF(NAMES); i++) {
        if (strncmp(name, NAMES[i], strlen(NAMES[i])) == 0) {
            return true;
        }
    }
    return is_plain(&CONDITIONS[err->condition]);
}

void
nb_error_set_sql_context(nb_error *err, const char *sql, size_t sql_len, int start, int stop)
{
    nb_query_context *ctx;
    nb_strbuf text = {0};

    if (err == NULL || !err->set || err->context != NULL || sql_len == 0 || sql_len > INT32_MAX ||
        start < 0 || (size_t)start >= sql_len || stop < start || has_no_place(err)) {
        return;
    }
    if (err->condition == NB_COND_UNSUPPORTED_DATATYPE) {
        nb_error_set_syntax_context(err, sql, sql_len, (size_t)start);
        return;
    }
    stop = (int)NB_MIN((size_t)stop, sql_len - 1);
    ctx = calloc(1, sizeof(*ctx));
    if (ctx == NULL) {
        return;
    }
    ctx->line = 1;
    for (int i = 0; i < start; i++) {
        if (sql[i] == '\n') {
            ctx->line++;
            ctx->position = 0;
        } else {
            ctx->position += starts_char(sql[i]);
        }
        ctx->start_index += starts_char(sql[i]);
    }
    ctx->stop_index = ctx->start_index - 1;
    for (int i = start; i <= stop; i++) {
        ctx->stop_index += starts_char(sql[i]);
    }
    ctx->object_type = strdup("");
    ctx->object_name = strdup("");
    ctx->fragment = nb_str_copy((nb_str){sql + start, (size_t)(stop - start + 1)});
    nb_strbuf_addf(&text, "== SQL (line %d, position %d) ==\n", ctx->line, ctx->position + 1);
    add_marked_text(&text, sql, (int)sql_len, start, stop);
    ctx->summary = text.data;
    err->context = ctx;
    make_message(err);
}

void
nb_error_set_syntax_context(nb_error *err, const char *sql, size_t sql_len, size_t at)
{
    nb_query_context *ctx;
    nb_strbuf text = {0};
    size_t line_end = at;

    if (err == NULL || !err->set || err->context != NULL || at > sql_len || sql_len > INT32_MAX) {
        return;
    }
    ctx = calloc(1, sizeof(*ctx));
    if (ctx == NULL) {
        return;
    }
    ctx->is_syntax = true;
    ctx->line = 1;
    for (size_t i = 0; i < at; i++) {
        if (sql[i] == '\n') {
            ctx->line++;
            ctx->position = 0;
        } else {
            ctx->position += starts_char(sql[i]);
        }
        ctx->start_index += starts_char(sql[i]);
    }
    ctx->stop_index = ctx->start_index;
    ctx->object_type = strdup("");
    ctx->object_name = strdup("");
    ctx->fragment = nb_str_copy((nb_str){sql, sql_len});
    while (line_end < sql_len && sql[line_end] != '\n') {
        line_end++;
    }
    nb_strbuf_addf(&text, " (line %d, pos %d)\n\n== SQL ==\n", ctx->line, ctx->position);
    nb_strbuf_add(&text, (nb_str){sql, line_end});
    nb_strbuf_addc(&text, '\n');
    nb_strbuf_fill(&text, '-', (size_t)ctx->position);
    nb_strbuf_adds(&text, "^^^\n");
    if (line_end + 1 < sql_len) {
        nb_strbuf_add(&text, (nb_str){sql + line_end + 1, sql_len - line_end - 1});
        nb_strbuf_addc(&text, '\n');
    }
    ctx->summary = text.data;
    err->context = ctx;
    make_message(err);
}

void
nb_error_set_dataframe_context(nb_error *err, const char *fragment, const char *call_site)
{
    nb_query_context *ctx;
    nb_strbuf text = {0};

    if (err == NULL || !err->set || err->context != NULL || has_no_place(err)) {
        return;
    }
    ctx = calloc(1, sizeof(*ctx));
    if (ctx == NULL) {
        return;
    }
    ctx->is_dataframe = true;
    ctx->position = ctx->start_index = ctx->stop_index = -1;
    ctx->fragment = strdup(fragment);
    ctx->call_site = strdup(call_site);
    nb_strbuf_addf(&text, "== DataFrame ==\n\"%s\" was called from\n%s\n", fragment, call_site);
    ctx->summary = text.data;
    err->context = ctx;
    make_message(err);
}

const char *
nb_error_name(const nb_error *err)
{
    if (err->is_foreign) {
        return err->foreign_name ? err->foreign_name : "";
    }
    return is_plain(&CONDITIONS[err->condition]) ? "" : CONDITIONS[err->condition].name;
}

const char *
nb_error_java_class(const nb_error *err)
{
    if (err->condition == NB_COND_DATA_SOURCE_NOT_FOUND) {
        return "org.apache.spark.SparkClassNotFoundException";
    }
    return is_plain(&CONDITIONS[err->condition]) ? CONDITIONS[err->condition].name : NULL;
}

const char *
nb_error_sqlstate(const nb_error *err)
{
    if (err->is_foreign) {
        return err->foreign_sqlstate ? err->foreign_sqlstate : "";
    }
    return CONDITIONS[err->condition].sqlstate;
}

nb_error_kind
nb_error_get_kind(const nb_error *err)
{
    return err->is_foreign ? err->foreign_kind : CONDITIONS[err->condition].kind;
}

const char *
nb_error_message(const nb_error *err)
{
    if (err == NULL || !err->set) {
        return "";
    }
    return err->message ? err->message : CONDITIONS[err->condition].name;
}

const char *
nb_error_param(const nb_error *err, const char *name)
{
    return err == NULL ? NULL : find_param(err, name, strlen(name));
}

static char *
copy_string(const char *s)
{
    return s ? strdup(s) : NULL;
}

void
nb_error_copy(const nb_error *from, nb_error *to)
{
    *to = *from;
    for (int i = 0; i < from->n_params; i++) {
        to->keys[i] = copy_string(from->keys[i]);
        to->values[i] = copy_string(from->values[i]);
    }
    to->message = copy_string(from->message);
    to->foreign_name = copy_string(from->foreign_name);
    to->foreign_sqlstate = copy_string(from->foreign_sqlstate);
    to->context = from->context ? malloc(sizeof *to->context) : NULL;
    if (to->context) {
        *to->context = *from->context;
        to->context->object_type = copy_string(from->context->object_type);
        to->context->object_name = copy_string(from->context->object_name);
        to->context->fragment = copy_string(from->context->fragment);
        to->context->call_site = copy_string(from->context->call_site);
        to->context->summary = copy_string(from->context->summary);
    }
}

void
nb_error_move(nb_error *from, nb_error *to)
{
    if (to == NULL) {
        nb_error_clear(from);
        return;
    }
    *to = *from;
    *from = NB_ERROR_INIT;
}

void
nb_error_clear(nb_error *err)
{
    if (err == NULL) {
        return;
    }
    for (int i = 0; i < err->n_params; i++) {
        free(err->keys[i]);
        free(err->values[i]);
    }
    if (err->context != NULL) {
        free(err->context->object_type);
        free(err->context->object_name);
        free(err->context->fragment);
        free(err->context->call_site);
        free(err->context->summary);
        free(err->context);
    }
    free(err->message);
    free(err->foreign_name);
    free(err->foreign_sqlstate);
    *err = NB_ERROR_INIT;
}

void
nb_error_set_context(nb_error *err, const nb_query_context *from)
{
    nb_query_context *c;

    if (err == NULL || !err->set || err->context != NULL) {
        return;
    }
    c = calloc(1, sizeof(*c));
    if (c == NULL) {
        return;
    }
    *c = *from;
    c->object_type = from->object_type ? strdup(from->object_type) : NULL;
    c->object_name = from->object_name ? strdup(from->object_name) : NULL;
    c->fragment = from->fragment ? strdup(from->fragment) : NULL;
    c->call_site = from->call_site ? strdup(from->call_site) : NULL;
    c->summary = from->summary ? strdup(from->summary) : NULL;
    err->context = c;
    make_message(err);
}
