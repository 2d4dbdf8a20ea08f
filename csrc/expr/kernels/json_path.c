/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_path.c: get_json_object, json_array_length, json_object_keys.
 *
 * A path ($.a['b c'][0][*]) is compiled into steps and evaluated while the text is read, once from front to back. What wildcards give
 * follows Spark (and Hive): one match loses its array, two wildcards in a row flatten. Objects that look like those of the rows before are walked by their
 * layout to the first name of the path.
 */
#include "expr/json_rows.h"
#include "expr/kernels/string.h"

typedef enum step_kind { STEP_NAME, STEP_INDEX, STEP_ALL } step_kind;

typedef struct path_step {
    step_kind kind;
    nb_str name;
    int64_t index;
} path_step;

typedef struct path {
    path_step *steps;
    int n;
} path;

/* false: not a path; the result is null. */
static bool
compile_path(nb_arena *arena, nb_str s, path *out, bool *failed)
{
    size_t i = 1;

    *failed = false;
    out->n = 0;
    out->steps = NB_ARENA_ARRAY(arena, path_step, s.len + 1);
    if (out->steps == NULL) {
        *failed = true;
        return false;
    }
    if (s.len == 0 || s.data[0] != '$') {
        return false;
    }
    while (i < s.len) {
        path_step *step = &out->steps[out->n++];
        size_t from = i + 1, end;
        *step = (path_step){.kind = STEP_NAME};
        if (s.data[i] == '.') {
            for (end = from; end < s.len && s.data[end] != '.' && s.data[end] != '['; end++) {
            }
            step->name = (nb_str){s.data + from, end - from};
            if (end == from) {
                return false;
            }
            i = end;
        } else if (s.data[i] == '[' && from < s.len && s.data[from] == '\'') {
            for (end = from + 1; end < s.len && s.data[end] != '\''; end++) {
            }
            step->name = (nb_str){s.data + from + 1, end - from - 1};
            if (end + 1 >= s.len || s.data[end + 1] != ']' || step->name.len == 0) {
                return false;
            }
            i = end + 2;
        } else if (s.data[i] == '[') {
            for (end = from; end < s.len && s.data[end] != ']'; end++) {
            }
            nb_str text = {s.data + from, end - from};
            if (end >= s.len) {
                return false;
            }
            if (nb_str_equal(text, NB_STR("*"))) {
                step->kind = STEP_ALL;
            } else {
                step->kind = STEP_INDEX;
                if (!nb_str_to_int64(text, &step->index) || step->index < 0) {
                    return false;
                }
            }
            i = end + 1;
        } else {
            return false;
        }
    }
    return true;
}

typedef enum style { STYLE_RAW, STYLE_QUOTED, STYLE_FLATTEN } style;

typedef struct writer {
    nb_strbuf *out;
    bool array, any; /* inside an array: values are parted by commas */
} writer;

static void
before_value(writer *w)
{
    if (w->array && w->any) {
        nb_strbuf_addc(w->out, ',');
    }
    w->any = true;
}

/* Consumes one value; writes what the steps select of it. *bad = the text is malformed. */
static bool
evaluate(nb_json *j, const path_step *steps, int n, style how, writer *w, bool *bad)
{
    nb_json_kind kind = nb_json_peek(j);
    bool first = true, found = false;

    if (kind == NB_JSON_BAD) {
        *bad = true;
        return false;
    }
    if (n == 0) {
        if (kind == NB_JSON_STRING && how == STYLE_RAW) {
            *bad = !nb_json_string(j, w->out);
            return true;
        }
        if (kind == NB_JSON_ARRAY && how == STYLE_FLATTEN) {
            *bad = !nb_json_enter(j);
            while (!*bad && nb_json_more(j, ']', &first, bad)) {
                found |= evaluate(j, steps, 0, how, w, bad);
            }
            return found;
        }
        before_value(w);
        *bad = !nb_json_copy(j, w->out);
        return true;
    }
    if (kind == NB_JSON_OBJECT && steps[0].kind == STEP_NAME) {
        nb_strbuf name = {0};
        *bad = !nb_json_enter(j);
        while (!*bad && nb_json_more(j, '}', &first, bad)) {
            name.len = 0;
            if (!nb_json_name(j, &name)) {
                *bad = true;
            } else if (!found && nb_str_equal(nb_strbuf_str(&name), steps[0].name) &&
                       nb_json_peek(j) != NB_JSON_NULL) {
                found = evaluate(j, steps + 1, n - 1, how, w, bad);
            } else {
                *bad = !nb_json_skip(j);
            }
        }
        w->out->failed |= name.failed;
        nb_strbuf_free(&name);
        return found;
    }
    if (kind == NB_JSON_ARRAY && steps[0].kind == STEP_ALL) {
        bool doubled = n > 1 && steps[1].kind == STEP_ALL;
        nb_strbuf buffer = {0};
        writer inner = {.out = &buffer, .array = true};
        style next = doubled || how == STYLE_FLATTEN ? STYLE_FLATTEN : STYLE_QUOTED;
        int64_t matches = 0;
        *bad = !nb_json_enter(j);
        while (!*bad && nb_json_more(j, ']', &first, bad)) {
            matches +=
                evaluate(j, steps + (doubled ? 2 : 1), n - (doubled ? 2 : 1), next, &inner, bad);
        }
        if (doubled || how == STYLE_QUOTED || matches > 1) {
            before_value(w);
            nb_strbuf_addc(w->out, '[');
            nb_strbuf_add(w->out, nb_strbuf_str(&buffer));
            nb_strbuf_addc(w->out, ']');
        } else if (matches == 1) {
            before_value(w);
            nb_strbuf_add(w->out, nb_strbuf_str(&buffer));
        }
        w->out->failed |= buffer.failed;
        nb_strbuf_free(&buffer);
        return matches > 0;
    }
    if (kind == NB_JSON_ARRAY && steps[0].kind == STEP_INDEX) {
        style next = n > 1 && steps[1].kind == STEP_ALL ? STYLE_QUOTED : how;
        *bad = !nb_json_enter(j);
        for (int64_t k = 0; !*bad && nb_json_more(j, ']', &first, bad); k++) {
            if (k == steps[0].index) {
                found = evaluate(j, steps + 1, n - 1, next, w, bad);
            } else {
                *bad = !nb_json_skip(j);
            }
        }
        return found;
    }
    *bad = !nb_json_skip(j);
    return false;
}

typedef enum found {
    FOUND_NOTHING,
    FOUND_TEXT,  /* was written */
    FOUND_PLACE, /* is part of the text */
    FOUND_LOST   /* nobody knows: the text does not look like those before */
} found;

/* Is a fraction written as it would be again, which is the shortest way: 0.001 to 9999999.9? At most 15 digits are no more than needed. */
static bool
is_shortest(const char *digits, size_t n, size_t point)
{
    size_t zeros = point;

    while (zeros < n && (digits[zeros] == '0' || digits[zeros] == '.')) {
        zeros++;
    }
    return n <= 16 && point <= 7 && (digits[n - 1] != '0' || n == point + 2) &&
           (digits[0] != '0' || zeros < point + 4);
}

/* The value that is walked at, if it is the last step's and goes out as it stands. */
static bool
is_place(const nb_json_walk *w, int n_steps, nb_view *out)
{
    const char *stays = nb_json_walk_origin(w, w->from), *digits;
    size_t len = (size_t)(w->to - w->from), n, point;
    bool negative;

    if (n_steps > 1) {
        return false;
    }
    if (*w->from == '"') {
        *out = nb_view_of(w->from + 1, len - 2, stays + 1);
        return nb_json_walk_is_plain(w);
    }
    *out = nb_view_of(w->from, len, stays);
    return nb_json_number_at(w->from, w->to, &negative, &digits, &n, &point) &&
           (point == n || is_shortest(digits, n, point));
}

/* What the path selects of a line; its first step is a name. */
static found
find_by_line(nb_json_layout *layout, const nb_json_line *line, const path *p, writer *w,
             nb_view *place)
{
    const nb_json how = {0};
    nb_json_walk walk;
    nb_json_step step = NB_JSON_LOST;
    found what = FOUND_NOTHING;

    for (bool on = nb_json_walk_begin(&walk, layout, line); on;) {
        step = nb_json_walk_next(&walk);
        if (step != NB_JSON_STEP) {
            break;
        }
        if (walk.field->field < 0) {
            on = nb_json_walk_skip(&walk, &how);
        } else if (is_place(&walk, p->n, place)) {
            what = FOUND_PLACE;
        } else {
            nb_json j = nb_json_walk_cursor(&walk, &how);
            bool bad = false;

            if (nb_json_peek(&j) == NB_JSON_NULL) { /* is no match */
                bad = !nb_json_skip(&j);
            } else if (evaluate(&j, p->steps + 1, p->n - 1, STYLE_RAW, w, &bad)) {
                what = FOUND_TEXT;
            }
            on = nb_json_walk_ended(&walk, bad ? NULL : j.p);
        }
    }
    if (step == NB_JSON_DONE) {
        nb_json_layout_fits(layout);
        return what;
    }
    w->out->len = 0;
    nb_json_layout_learn(layout, line->text, &how);
    for (int i = 0; i < layout->n; i++) {
        layout->fields[i].field =
            nb_str_equal(nb_json_layout_name(&layout->fields[i]), p->steps[0].name) ? 0 : -1;
    }
    return FOUND_LOST;
}

static nb_status
get_json_object_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                       nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    nb_strbuf text = {0};
    nb_str last = {NULL, 0};
    path p = {0};
    bool valid = false, failed = false, by_line = false;
    nb_json_rows rows;
    nb_status st = NB_OK;

    if (args[1].kind == NB_VEC_CONST && n >= NB_JSON_ROWS_WORTH) {
        NB_TRY(nb_json_rows_init(&rows, ctx->arena, &args[0], n));
        by_line = true;
    }
    for (int64_t i = 0; i < n; i++) {
        nb_json_line line;
        found what = FOUND_LOST;
        nb_view place;

        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        nb_str path_text = nb_row_str(&args[1], i);
        if (last.data == NULL || !nb_str_equal(last, path_text)) {
            last = path_text;
            valid = compile_path(ctx->arena, path_text, &p, &failed);
        }
        nb_json j = nb_json_of(nb_row_str(&args[0], i));
        writer out_text = {.out = &text};
        bool bad = false;
        text.len = 0;
        if (by_line && valid && p.n > 0 && p.steps[0].kind == STEP_NAME &&
            nb_json_rows_line(&rows, i, &line) && nb_json_layout_awake(&rows.layout)) {
            what = find_by_line(&rows.layout, &line, &p, &out_text, &place);
        }
        if (what == FOUND_LOST) {
            what = valid && evaluate(&j, p.steps, p.n, STYLE_RAW, &out_text, &bad) && !bad
                       ? FOUND_TEXT
                       : FOUND_NOTHING;
        }
        if (failed || text.failed) {
            st = NB_NOMEM;
            break;
        }
        if (what == FOUND_NOTHING) {
            st = nb_row_null(ctx, out, i);
        } else if (what == FOUND_PLACE) {
            NB_DATA(nb_view, out)[i] = place;
        } else {
            char *room = nb_text_room(&w, text.len);
            if (room == NULL) {
                st = NB_NOMEM;
                break;
            }
            memcpy(room, nb_strbuf_str(&text).data, text.len);
            NB_DATA(nb_view, out)[i] = nb_text_done(&w, text.len);
        }
        if (st < 0) {
            break;
        }
    }
    nb_strbuf_free(&text);
    return st;
}

nb_status
nb_bind_get_json_object(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_exact(call, 0, 2, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_STRING, get_json_object_kernel);
}

static nb_status
json_array_length_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                         nb_vector *out)
{
    for (int64_t i = 0; i < n; i++) {
        nb_json j = nb_json_of(nb_row_str(args, i));
        bool first = true, bad = false;
        int32_t len = 0;
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (nb_json_peek(&j) != NB_JSON_ARRAY) {
            bad = true;
        } else {
            nb_json_enter(&j);
            while (!bad && nb_json_more(&j, ']', &first, &bad)) {
                bad = !nb_json_skip(&j);
                len++;
            }
        }
        NB_DATA(int32_t, out)[i] = len;
        if (bad) {
            NB_TRY(nb_row_null(ctx, out, i));
        }
    }
    return NB_OK;
}

nb_status
nb_bind_json_array_length(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_exact(call, 0, 1, NB_TYPE_STRING, err));
    return nb_bound(call, NB_TYPE_INT32, json_array_length_kernel);
}

static nb_status
json_object_keys_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n,
                        nb_vector *out)
{
    nb_text_writer w = {.arena = ctx->arena};
    nb_strbuf name = {0};
    nb_view *keys = NULL;
    int64_t total = 0, cap = 0;
    nb_status st = NB_OK;

    for (int64_t i = 0; i < n; i++) {
        nb_json j = nb_json_of(nb_row_str(args, i));
        int64_t from = total;
        bool first = true, bad = nb_json_peek(&j) != NB_JSON_OBJECT;
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)from, 0};
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        if (!bad) {
            nb_json_enter(&j);
        }
        while (!bad && nb_json_more(&j, '}', &first, &bad)) {
            name.len = 0;
            bad = !nb_json_name(&j, &name) || !nb_json_skip(&j);
            if (total == cap) {
                nb_view *more = NB_ARENA_ARRAY(ctx->arena, nb_view, cap ? cap * 2 : 256);
                if (more == NULL) {
                    st = NB_NOMEM;
                    goto done;
                }
                if (total) {
                    memcpy(more, keys, (size_t)total * sizeof *keys);
                }
                keys = more;
                cap = cap ? cap * 2 : 256;
            }
            char *room = name.failed ? NULL : nb_text_room(&w, name.len);
            if (room == NULL) {
                st = NB_NOMEM;
                goto done;
            }
            memcpy(room, nb_strbuf_str(&name).data, name.len);
            keys[total++] = nb_text_done(&w, name.len);
        }
        if (bad) {
            total = from;
            NB_TRY_GOTO(st, nb_row_null(ctx, out, i), done);
        }
        NB_DATA(nb_list, out)[i].len = (uint32_t)(total - from);
    }
    NB_TRY_GOTO(st,
                nb_vector_alloc(ctx->arena, out->type->children[0].type, total, &out->children[0]),
                done);
    if (total) {
        memcpy(out->children[0].data, keys, (size_t)total * sizeof *keys);
    }
done:
    nb_strbuf_free(&name);
    return st;
}

nb_status
nb_bind_json_object_keys(nb_bound_call *call, nb_error *err)
{
    NB_TRY(nb_bind_exact(call, 0, 1, NB_TYPE_STRING, err));
    call->type = nb_type_array(nb_type_of(NB_TYPE_STRING), true);
    call->kernel = json_object_keys_kernel;
    return call->type ? NB_OK : NB_NOMEM;
}
