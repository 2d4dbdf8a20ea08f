/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_columns_line.c: records whose names stand where those of the records before did.
 *
 * Short numbers, ISO dates and strings without escapes are read right here by their type; any other value by json_columns.c, from its place in the
 * line. Half of the time of a plain parser goes into finding where things end, byte by byte; here that is known.
 */
#include "expr/date_text.h"
#include "expr/json_columns_internal.h"

/* A value that json_columns.c reads; where it ends, or NULL. */
static NB_NOINLINE const char *
read_carefully(nb_json_columns *r, nb_json j, nb_json_column *c)
{
    nb_json_column_read(r, &j, c);
    return r->malformed || r->nomem ? NULL : j.p;
}

/* The next row, if nothing is to be rounded. */
NB_INLINE bool
set_decimal(nb_json_column *c, int64_t unscaled, int scale)
{
    int more = c->type->scale - scale;
    nb_int128 x;

    if (more < 0 || more > 18) {
        return false;
    }
    x = (nb_int128)unscaled * nb_pow10_64[more];
    if (c->type->phys == NB_PHYS_INT64) {
        ((int64_t *)(void *)c->data)[c->n] = (int64_t)x;
    } else {
        memcpy(c->data + c->n * (int64_t)sizeof(x), &x, sizeof(x));
    }
    return nb_decimal_fits(x, c->type->precision);
}

/* The bytes of a value as the next row of the column, if it is plain for its type; string: it is one that lies between its quotes; stays: they do so there. */
static NB_NOINLINE bool
read_plainly(const nb_json_columns *r, const char *from, const char *to, bool string,
             const char *stays, nb_json_column *c)
{
    void *data = c->data;
    int64_t row = c->n;
    bool negative;
    const char *p;
    size_t n, point;
    uint64_t v;
    unsigned scale;

    switch (c->type->id) {
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
        if (!string || !r->how->text_stays) {
            return false;
        }
        ((nb_view *)data)[row] = nb_view_of(from + 1, (size_t)(to - from) - 2, stays + 1);
        return true;
    case NB_TYPE_INT32:
    case NB_TYPE_INT64:
        if (!nb_json_number_at(from, to, &negative, &p, &n, &point) || point < n ||
            !nb_digits18(p, n, &v)) {
            return false;
        }
        if (c->type->id == NB_TYPE_INT64) {
            ((int64_t *)data)[row] = negative ? -(int64_t)v : (int64_t)v;
            return true;
        }
        ((int32_t *)data)[row] = (int32_t)(negative ? -(int64_t)v : (int64_t)v);
        return v <= INT32_MAX;
    case NB_TYPE_FLOAT64:
        return nb_json_number_at(from, to, &negative, &p, &n, &point) &&
               nb_decimal_at(p, n, point, &v, &scale) &&
               nb_exact_double(v, scale, negative, (double *)data + row);
    case NB_TYPE_DECIMAL:
        return nb_json_number_at(from, to, &negative, &p, &n, &point) &&
               nb_decimal_at(p, n, point, &v, &scale) &&
               set_decimal(c, negative ? -(int64_t)v : (int64_t)v, (int)scale);
    case NB_TYPE_DATE:
        return string && r->how->date == NULL && to - from == 12 &&
               nb_parse_iso_date(from + 1, 10, (int32_t *)data + row);
    default: return false;
    }
}

NB_INLINE bool
read_line(nb_json_columns *r, nb_json_walk *w, const nb_json *how)
{
    nb_json_column *columns = r->root.children;
    nb_json_step step;

    while ((step = nb_json_walk_next(w)) == NB_JSON_STEP) {
        int k = w->field->field;
        bool string;
        nb_json_column *c;

        if (k < 0) {
            if (!nb_json_walk_skip(w, how)) {
                return false;
            }
            continue;
        }
        c = &columns[k];
        if (NB_UNLIKELY(c->n == c->cap) && !nb_json_column_grow(r, c)) {
            return false;
        }
        string = *w->from == '"' && nb_json_walk_is_plain(w);
        if (NB_LIKELY(
                read_plainly(r, w->from, w->to, string, nb_json_walk_origin(w, w->from), c))) {
            c->valid[c->n++] = 1;
        } else if (!nb_json_walk_ended(w, read_carefully(r, nb_json_walk_cursor(w, how), c))) {
            return false;
        }
    }
    return step == NB_JSON_DONE;
}

static void
resolve(nb_json_layout *layout, const nb_type *type)
{
    for (int i = 0; i < layout->n; i++) {
        nb_json_layout_field *f = &layout->fields[i];

        for (int k = 0; f->field == NB_JSON_UNRESOLVED && k < type->n_children; k++) {
            if (nb_str_equal(nb_json_layout_name(f), type->children[k].name)) {
                f->field = k;
            }
        }
        if (f->field == NB_JSON_UNRESOLVED) {
            f->field = -1;
        }
    }
}

bool
nb_json_columns_add_line(nb_json_columns *r, nb_json_layout *layout, const nb_json_line *line,
                         nb_json_fit *fit)
{
    nb_json_column *root = &r->root;
    int64_t row = root->n;
    nb_json how = {.rules = r->how->rules, .max_depth = r->how->max_depth};
    nb_json_walk walk;

    if (!nb_json_layout_awake(layout) || (root->n == root->cap && !nb_json_column_grow(r, root))) {
        return false;
    }
    r->malformed = r->misfit = r->failed = false;
    if (!nb_json_walk_begin(&walk, layout, line) || !read_line(r, &walk, &how)) {
        nb_json_column_cut(root, row);
        nb_json_layout_learn(layout, line->text, &how);
        resolve(layout, root->type);
        return false;
    }
    nb_json_layout_fits(layout);
    root->valid[row] = 1;
    root->n++;
    for (int k = 0; k < root->n_children; k++) {
        if (root->children[k].n == row) {
            nb_json_column_add_null(r, &root->children[k]);
        }
    }
    r->nomem |= r->name.failed | r->text.failed;
    *fit = r->misfit ? NB_JSON_MISFIT : NB_JSON_FITS;
    return true;
}
