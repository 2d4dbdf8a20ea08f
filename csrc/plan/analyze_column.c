/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze_column.c: names to attributes, as Spark resolves them.
 *
 * A reference has parts: [qualifier.…]name[.field…]. First the longest qualifier that fits is tried, then the bare name; what is left are
 * struct fields. df["a"] carries the id of its DataFrame's plan: the name is looked up there, wherever in the inputs that plan stands, and what it
 * means must still be among the inputs' columns. Lambda parameters come before columns; columns of the query around a subquery after.
 */
#include <limits.h>
#include <stdlib.h>
#include "plan/analyzer_internal.h"
#include "base/config.h"
#include "base/utf8.h"
#include "sql/encoding.h"
#include "sql/parser.h"

bool
nb_names_equal(const nb_analyzer *an, nb_str a, nb_str b)
{
    return an->case_sensitive ? nb_str_equal(a, b) : nb_str_equal_nocase(a, b);
}

nb_status
nb_split_identifier(nb_analyzer *an, nb_str text, nb_str **parts, size_t *n, nb_error *err)
{
    bool plain = text.len > 0;

    for (size_t i = 0; i < text.len && plain; i++) {
        plain = text.data[i] != '.' && text.data[i] != '`';
    }
    if (!plain) {
        /* Not SQL identifiers in general: `df["my col"]` is a name with a space. Only dots and backquotes have a meaning. */
        size_t cap = 1;
        for (size_t i = 0; i < text.len; i++) {
            cap += text.data[i] == '.';
        }
        nb_str *out = NB_ARENA_ARRAY(an->arena, nb_str, cap);
        size_t at = 0, count = 0;
        NB_NEED(out);
        for (;;) {
            char *buf = nb_arena_alloc(an->arena, text.len + 1);
            size_t len = 0;
            NB_NEED(buf);
            if (at < text.len && text.data[at] == '`') {
                at++;
                for (;;) {
                    if (at >= text.len) {
                        return nb_raise(err, NB_COND_INVALID_ATTRIBUTE_NAME_SYNTAX, "name",
                                        nb_arena_strdup(an->arena, text), NULL);
                    }
                    if (text.data[at] == '`') {
                        if (at + 1 < text.len && text.data[at + 1] == '`') {
                            at++;
                        } else {
                            at++;
                            break;
                        }
                    }
                    buf[len++] = text.data[at++];
                }
                if (at < text.len && text.data[at] != '.') {
                    return nb_raise(err, NB_COND_INVALID_ATTRIBUTE_NAME_SYNTAX, "name",
                                    nb_arena_strdup(an->arena, text), NULL);
                }
            } else {
                while (at < text.len && text.data[at] != '.') {
                    if (text.data[at] == '`') {
                        return nb_raise(err, NB_COND_INVALID_ATTRIBUTE_NAME_SYNTAX, "name",
                                        nb_arena_strdup(an->arena, text), NULL);
                    }
                    buf[len++] = text.data[at++];
                }
                if (len == 0) {
                    return nb_raise(err, NB_COND_INVALID_ATTRIBUTE_NAME_SYNTAX, "name",
                                    nb_arena_strdup(an->arena, text), NULL);
                }
            }
            out[count++] = (nb_str){buf, len};
            if (at >= text.len) {
                break;
            }
            at++; /* the dot */
        }
        *parts = out;
        *n = count;
        return NB_OK;
    }
    *parts = NB_ARENA_ARRAY(an->arena, nb_str, 1);
    NB_NEED(*parts);
    (*parts)[0] = text;
    *n = 1;
    return NB_OK;
}

/* Do the reference's first k parts fit the end of the attribute's qualifier? */
static bool
qualifier_fits(const nb_analyzer *an, const nb_attr *a, const nb_str *parts, int k)
{
    if (k > a->n_qualifier) {
        return false;
    }
    for (int i = 0; i < k; i++) {
        if (!nb_names_equal(an, a->qualifier[a->n_qualifier - k + i], parts[i])) {
            return false;
        }
    }
    return true;
}

typedef struct match {
    const nb_attr *attr;
    int n_used; /* parts that named it; the rest are fields */
    int n_found;
} match;

/* Looks in one plan's outputs; longer qualifiers win over shorter ones. */
static void
match_plan(const nb_analyzer *an, const nb_plan *p, const nb_str *parts, int n, match *m)
{
    for (int i = 0; i < p->n_attrs; i++) {
        const nb_attr *a = &p->attrs[i];
        int top = NB_MIN(n - 1, a->n_qualifier);
        for (int k = top; k >= (a->hidden ? 1 : 0); k--) {
            if (!nb_names_equal(an, a->name, parts[k]) || !qualifier_fits(an, a, parts, k)) {
                continue;
            }
            /* struct fields may follow only where there is something to take them from */
            if (m->attr && m->n_used > k + 1) {
                break;
            }
            if (m->attr && m->n_used == k + 1) {
                if (m->attr->id != a->id) {
                    m->n_found++;
                }
            } else {
                m->attr = a;
                m->n_used = k + 1;
                m->n_found = 1;
            }
            break;
        }
    }
}

nb_status
nb_backquote(nb_analyzer *an, const nb_str *parts, int n, char **out)
{
    nb_strbuf b = {0};

    for (int i = 0; i < n; i++) {
        if (i) {
            nb_strbuf_addc(&b, '.');
        }
        nb_strbuf_addc(&b, '`');
        for (size_t k = 0; k < parts[i].len; k++) {
            if (parts[i].data[k] == '`') {
                nb_strbuf_addc(&b, '`');
            }
            nb_strbuf_addc(&b, parts[i].data[k]);
        }
        nb_strbuf_addc(&b, '`');
    }
    *out = (char *)nb_strbuf_finish(an->arena, &b).data;
    return *out ? NB_OK : NB_NOMEM;
}

/* The name of a column with its last n qualifiers, in quotes. */
static nb_status
qualified_name(nb_analyzer *an, const nb_attr *a, int n, char **out)
{
    nb_str full[8];
    int q = NB_MIN(n, NB_MIN(a->n_qualifier, 7));

    for (int w = 0; w < q; w++) {
        full[w] = a->qualifier[a->n_qualifier - q + w];
    }
    full[q] = a->name;
    return nb_backquote(an, full, q + 1, out);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static nb_status
raise_ambiguous(nb_analyzer *an, const nb_scope *scope, const nb_str *parts, int n, nb_error *err)
{
    nb_strbuf b = {0};
    char *name = NULL, **names = NULL;
    int n_names = 0, cap = 0;
    nb_status st;

    NB_TRY(nb_backquote(an, parts, n, &name));
    for (int i = 0; i < scope->n_plans; i++) {
        for (int j = 0; j < scope->plans[i]->n_attrs; j++) {
            const nb_attr *a = &scope->plans[i]->attrs[j];
            if (!a->hidden && nb_names_equal(an, a->name, parts[n - 1])) {
                names = nb_arena_grow(an->arena, names, n_names, &cap, sizeof *names);
                NB_NEED(names);
                NB_TRY(qualified_name(an, a, a->n_qualifier, &names[n_names++]));
            }
        }
    }
    if (n_names > 0) {
        qsort(names, (size_t)n_names, sizeof *names, by_text);
    }
    nb_strbuf_addc(&b, '[');
    for (int i = 0; i < n_names; i++) {
        nb_strbuf_addf(&b, "%s%s", i ? ", " : "", names[i]);
    }
    nb_strbuf_addc(&b, ']');
    st = nb_raise(err, NB_COND_AMBIGUOUS_REFERENCE, "name", name, "referenceNames",
                  b.data ? b.data : "", NULL);
    nb_strbuf_free(&b);
    return st;
}

/* Levenshtein distance over bytes, lower-cased: for suggestions. */
static int
edit_distance(nb_str a, nb_str b)
{
    int row[65];
    int n = (int)NB_MIN(a.len, 64), m = (int)NB_MIN(b.len, 64);

    for (int j = 0; j <= m; j++) {
        row[j] = j;
    }
    for (int i = 1; i <= n; i++) {
        int diag = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int keep = row[j];
            int cost = (a.data[i - 1] | 32) != (b.data[j - 1] | 32);
            row[j] = NB_MIN(NB_MIN(row[j] + 1, row[j - 1] + 1), diag + cost);
            diag = keep;
        }
    }
    return row[m];
}

void
nb_sort_by_likeness(nb_str wanted, nb_str *names, int n)
{
    for (int i = 1; i < n; i++) {
        for (int k = i;
             k > 0 && edit_distance(names[k], wanted) < edit_distance(names[k - 1], wanted); k--) {
            nb_str keep = names[k];
            names[k] = names[k - 1];
            names[k - 1] = keep;
        }
    }
}

const char *
nb_field_names(nb_analyzer *an, const nb_plan *p)
{
    const char *text = "";

    for (int i = 0; i < p->n_attrs && text; i++) {
        if (!p->attrs[i].hidden) {
            text = nb_arena_printf(an->arena, "%s%s%.*s", text, *text ? ", " : "",
                                   (int)p->attrs[i].name.len, p->attrs[i].name.data);
        }
    }
    return text ? text : "";
}

/* Have all visible columns the same qualifiers, but for the last n? */
static bool
share_qualifiers(const nb_scope *scope, int n)
{
    const nb_attr *first = NULL;

    for (int i = 0; i < scope->n_plans; i++) {
        for (int j = 0; j < scope->plans[i]->n_attrs; j++) {
            const nb_attr *a = &scope->plans[i]->attrs[j];
            int n_own = NB_MAX(a->n_qualifier - n, 0);

            if (a->hidden) {
                continue;
            }
            first = first ? first : a;
            if (n_own != NB_MAX(first->n_qualifier - n, 0)) {
                return false;
            }
            for (int w = 0; w < n_own; w++) {
                if (!nb_str_equal(a->qualifier[w], first->qualifier[w])) {
                    return false;
                }
            }
        }
    }
    return true;
}

nb_status
nb_raise_unresolved_column(nb_analyzer *an, const nb_scope *scope, nb_str name, nb_error *err)
{
    struct {
        nb_str text;
        int distance;
    } best[5];
    int n_best = 0;
    nb_str *parts;
    size_t n_parts;
    nb_strbuf b = {0};
    char *object, *one;
    int shown; /* qualifiers of proposals */
    nb_status st;

    NB_TRY(nb_split_identifier(an, name, &parts, &n_parts, err));
    NB_TRY(nb_backquote(an, parts, (int)n_parts, &object));
    shown = n_parts == 1 && share_qualifiers(scope, 0)   ? 0
            : n_parts <= 2 && share_qualifiers(scope, 1) ? 1
                                                         : INT_MAX;
    for (int i = 0; i < scope->n_plans; i++) {
        for (int j = 0; j < scope->plans[i]->n_attrs; j++) {
            const nb_attr *a = &scope->plans[i]->attrs[j];
            int at, d;
            if (a->hidden) {
                continue;
            }
            NB_TRY(qualified_name(an, a, shown, &one));
            d = edit_distance(nb_str_of(one),
                              n_parts > 1 ? name : parts[0]); /* with its quotes, as Spark's */
            for (at = n_best; at > 0 && (best[at - 1].distance > d ||
                                         (best[at - 1].distance == d &&
                                          nb_str_compare(best[at - 1].text, nb_str_of(one)) > 0));
                 at--) {
                if (at < 5) {
                    best[at] = best[at - 1];
                }
            }
            if (at < 5) {
                best[at].text = nb_str_of(one);
                best[at].distance = d;
                n_best = NB_MIN(n_best + 1, 5);
            }
        }
    }
    if (n_best == 0) {
        return nb_raise(err, NB_COND_UNRESOLVED_COLUMN_WITHOUT_SUGGESTION, "objectName", object,
                        NULL);
    }
    for (int i = 0; i < n_best; i++) {
        nb_strbuf_addf(&b, "%s%.*s", i ? ", " : "", (int)best[i].text.len, best[i].text.data);
    }
    st = nb_raise(err, NB_COND_UNRESOLVED_COLUMN_WITH_SUGGESTION, "objectName", object, "proposal",
                  b.data ? b.data : "", NULL);
    nb_strbuf_free(&b);
    return st;
}

nb_status
nb_extract_field(nb_analyzer *an, nb_expr *child, nb_str field, nb_expr **out, nb_error *err)
{
    nb_expr *name = nb_expr_string(an->arena, field);

    NB_NEED(name);
    return nb_extract(an, child, name, out, err);
}

nb_status
nb_extract(nb_analyzer *an, nb_expr *child, nb_expr *extraction, nb_expr **out, nb_error *err)
{
    return nb_call2(an, "getitem", child, extraction, out, err);
}

static nb_status
with_fields(nb_analyzer *an, nb_expr *e, const nb_str *fields, int n, nb_expr **out, nb_error *err)
{
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_extract_field(an, e, fields[i], &e, err));
    }
    *out = e;
    return NB_OK;
}

/* A column of the plan df.a speaks of, and how far that plan stands below the scope. */
typedef struct candidate {
    const nb_attr *attr;
    int n_used;
    int depth;
} candidate;

/* df.a, looked for in all nodes of df's plan id below the scope. Spark 4.2's rule (ColumnResolutionHelper): candidates must be among the outputs of every
 * node above them; of several, one at the top of the scope wins over those further down, and otherwise none does. */
typedef struct id_search {
    nb_analyzer *an;
    const nb_str *parts;
    int n;
    int64_t plan_id;
    bool hidden;            /* columns that a join by names hides count, too */
    bool matched;           /* the plan is there */
    const nb_plan *unclear; /* where the plan has several columns of the name */
    candidate *found;
    int n_found, cap;
} id_search;

static nb_status
search_id(id_search *s, const nb_plan *p, int depth)
{
    int first = s->n_found, n = first;

    if (p->plan_id == s->plan_id) {
        match m = {0};
        s->matched = true;
        match_plan(s->an, p, s->parts, s->n, &m);
        s->unclear = m.n_found > 1 ? p : s->unclear;
        if (m.attr) {
            s->found = nb_arena_grow(s->an->arena, s->found, n, &s->cap, sizeof *s->found);
            NB_NEED(s->found);
            s->found[s->n_found++] = (candidate){m.attr, m.n_used, depth};
        }
    } else {
        for (int i = 0; i < p->n_children; i++) {
            NB_TRY(search_id(s, p->children[i], depth + 1));
        }
    }
    for (int i = first; i < s->n_found; i++) {
        const nb_attr *live = nb_plan_find_attr(p, s->found[i].attr->id);
        if (live && (!live->hidden || s->hidden)) {
            s->found[n++] = s->found[i];
        }
    }
    s->n_found = n;
    return NB_OK;
}

/* NB_DONE: no column of that plan comes up to the scope. */
static nb_status
find_by_id(id_search *s, const nb_scope *scope, nb_str text, candidate *out, nb_error *err)
{
    int n_top = 0;

    s->n_found = 0;
    for (int i = 0; i < scope->n_plans; i++) {
        NB_TRY(search_id(s, scope->plans[i], 0));
    }
    for (int i = 0; i < s->n_found; i++) {
        n_top += s->found[i].depth == 0;
        *out = i == 0 || s->found[i].depth == 0 ? s->found[i] : *out;
    }
    if (s->n_found > 1 && n_top != 1) {
        return nb_raise(err, NB_COND_AMBIGUOUS_COLUMN_REFERENCE, "name",
                        nb_arena_printf(s->an->arena, "\"%.*s\"", (int)text.len, text.data), NULL);
    }
    return s->n_found ? NB_OK : NB_DONE;
}

/* Is the scope the results of an aggregation, and the one around it the rows below? */
static bool
is_over_groups(const nb_scope *s)
{
    const nb_plan *p = s->n_plans == 1 ? s->plans[0] : NULL;

    if (!p || !s->outer || s->outer->n_plans != 1 || p->n_children != 1 ||
        s->outer->plans[0] != p->children[0]) {
        return false;
    }
    return p->kind == NB_PLAN_AGGREGATE ||
           (p->kind == NB_PLAN_PROJECT && p->children[0]->kind == NB_PLAN_AGGREGATE);
}

static nb_status
resolve_in_plan_id(nb_analyzer *an, const nb_scope *scope, const nb_str *parts, int n, nb_str text,
                   int64_t plan_id, nb_expr **out, nb_error *err)
{
    id_search s = {.an = an, .parts = parts, .n = n, .plan_id = plan_id};

    for (; scope; scope = scope->outer) {
        candidate found = {0};
        nb_status st;
        int n_used;

        for (int pass = 0; pass < 2; pass++) {
            s.hidden = pass == 1;
            st = find_by_id(&s, scope, text, &found, err);
            NB_TRY(st);
            if (s.unclear) {
                nb_plan *one = (nb_plan *)s.unclear;
                nb_scope inner = {.plans = &one, .n_plans = 1};
                return raise_ambiguous(an, &inner, parts, n, err);
            }
            if (st == NB_OK) {
                nb_expr *e = nb_attr_expr(an->arena, found.attr);
                NB_NEED(e);
                return with_fields(an, e, parts + found.n_used, n - found.n_used, out, err);
            }
        }
        if (s.matched && is_over_groups(scope)) { /* a result of that name comes before the rows */
            match now = {0};
            match_plan(an, scope->plans[0], parts, n, &now);
            if (now.attr && now.n_found == 1) {
                nb_expr *e = nb_attr_expr(an->arena, now.attr);
                NB_NEED(e);
                return with_fields(an, e, parts + now.n_used, n - now.n_used, out, err);
            }
        }
        st = s.matched ? nb_resolve_metadata(an, scope, parts, n, out, &n_used) : NB_DONE;
        if (st != NB_DONE) {
            return st < 0 ? st : with_fields(an, *out, parts + n_used, n - n_used, out, err);
        }
    }
    return nb_raise(err, NB_COND_CANNOT_RESOLVE_DATAFRAME_COLUMN, "name",
                    nb_arena_printf(an->arena, "\"%.*s\"", (int)text.len, text.data), NULL);
}

nb_status
nb_resolve_column(nb_analyzer *an, const nb_scope *scope, nb_str text, int64_t plan_id,
                  const nb_origin *origin, nb_expr **out, nb_error *err)
{
    nb_str *parts;
    size_t n;
    match m = {0};

    (void)origin;
    NB_TRY(nb_split_identifier(an, text, &parts, &n, err));
    for (const nb_lambda_scope *l = an->lambdas; l && plan_id < 0; l = l->up) {
        for (int i = 0; i < l->n; i++) {
            if (nb_names_equal(an, l->names[i], parts[0])) {
                nb_expr *e = nb_attr_expr(an->arena, &l->params[i]);
                NB_NEED(e);
                return with_fields(an, e, parts + 1, (int)n - 1, out, err);
            }
        }
    }
    if (plan_id >= 0) {
        return resolve_in_plan_id(an, scope, parts, (int)n, text, plan_id, out, err);
    }
    for (const nb_scope *s = scope; s; s = s->outer) {
        m = (match){0};
        for (int i = 0; i < s->n_plans; i++) {
            match_plan(an, s->plans[i], parts, (int)n, &m);
        }
        if (m.attr && m.n_found > 1) {
            if (s->passes_ambiguous) {
                continue;
            }
            return raise_ambiguous(an, s, parts, (int)n, err);
        }
        if (m.attr) {
            nb_expr *e = nb_attr_expr(an->arena, m.attr);
            nb_error quiet = NB_ERROR_INIT;
            nb_status st;
            NB_NEED(e);
            st = with_fields(an, e, parts + m.n_used, (int)n - m.n_used, out,
                             s == scope ? err : &quiet);
            nb_error_clear(&quiet);
            if (st >= 0 || s == scope || st != NB_ERROR) {
                return st;
            }
            break; /* x.y, where an x further out has no y: what is missing is a column of the query itself */
        }
        {
            int n_used;
            nb_status st = nb_resolve_metadata(an, s, parts, (int)n, out, &n_used);
            if (st != NB_DONE) {
                return st < 0 ? st
                              : with_fields(an, *out, parts + n_used, (int)n - n_used, out, err);
            }
        }
        if (s == scope) {
            nb_expr *e;
            nb_status st = nb_lateral_find(an, scope, parts[0], &e, err);
            NB_TRY(st);
            if (st != NB_DONE) {
                return with_fields(an, e, parts + 1, (int)n - 1, out, err);
            }
        }
    }
    return nb_raise_unresolved_column(an, scope, text, err);
}

const nb_attr *
nb_find_by_name(nb_analyzer *an, const nb_plan *p, nb_str name, bool *ambiguous)
{
    const nb_attr *found = NULL;

    *ambiguous = false;
    for (int i = 0; i < p->n_attrs; i++) {
        if (!p->attrs[i].hidden && nb_names_equal(an, p->attrs[i].name, name)) {
            *ambiguous |= found != NULL;
            found = found ? found : &p->attrs[i];
        }
    }
    return found;
}

nb_status
nb_need_by_name(nb_analyzer *an, const nb_plan *p, nb_str name, const nb_attr **out, nb_error *err)
{
    bool ambiguous;
    nb_plan *one = (nb_plan *)p;
    nb_scope scope = {.plans = &one, .n_plans = 1};

    *out = nb_find_by_name(an, p, name, &ambiguous);
    if (ambiguous) {
        return raise_ambiguous(an, &scope, &name, 1, err);
    }
    if (!*out) {
        /* as a quoted name, so that dots stay part of it */
        char *quoted;
        NB_TRY(nb_backquote(an, &name, 1, &quoted));
        return nb_raise_unresolved_column(an, &scope, nb_str_of(quoted), err);
    }
    return NB_OK;
}

static int
compare_names(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

nb_status
nb_quoted_columns(nb_analyzer *an, const nb_plan *p, bool sorted, const char **out, nb_error *err)
{
    nb_str *names = NB_ARENA_ARRAY(an->arena, nb_str, p->n_attrs + 1);
    size_t count = 0;
    nb_strbuf b = {0};

    NB_NEED(names);
    for (int i = 0; i < p->n_attrs; i++) {
        nb_str *parts;
        size_t n;
        char *one;
        if (!p->attrs[i].hidden) {
            NB_TRY(nb_split_identifier(an, p->attrs[i].name, &parts, &n, err));
            NB_TRY(nb_backquote(an, parts, (int)n, &one));
            names[count++] = nb_str_of(one);
        }
    }
    if (sorted) {
        qsort(names, count, sizeof *names, compare_names);
    }
    for (size_t i = 0; i < count; i++) {
        nb_strbuf_adds(&b, i ? ", " : "");
        nb_strbuf_add(&b, names[i]);
    }
    *out = nb_strbuf_finish(an->arena, &b).data;
    return *out ? NB_OK : NB_NOMEM;
}

nb_status
nb_resolve_named(nb_analyzer *an, nb_plan *p, nb_str text, nb_expr **out, nb_error *err)
{
    nb_scope scope = {.plans = &p, .n_plans = 1};
    nb_error found = NB_ERROR_INIT;
    nb_status st = nb_resolve_column(an, &scope, text, -1, NULL, out, &found);
    nb_str *parts;
    size_t n;
    char *object;
    const char *all;

    if (st >= 0 || st == NB_NOMEM || found.condition != NB_COND_UNRESOLVED_COLUMN_WITH_SUGGESTION) {
        if (found.set) {
            nb_error_move(&found, err);
        }
        return st;
    }
    nb_error_clear(&found);
    NB_TRY(nb_split_identifier(an, text, &parts, &n, err));
    NB_TRY(nb_backquote(an, parts, (int)n, &object));
    NB_TRY(nb_quoted_columns(an, p, false, &all, err));
    return nb_raise(err, NB_COND_UNRESOLVED_COLUMN_WITH_SUGGESTION, "objectName", object,
                    "proposal", all, NULL);
}

bool
nb_is_star(const Sc__Expression *e)
{
    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        nb_str name = nb_pb_str(e->unresolved_function->function_name);
        return e->unresolved_function->is_internal &&
               nb_str_equal(name, NB_STR(NB_SQL_FN_STAR_EXCEPT));
    }
    return e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR ||
           e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_REGEX;
}

typedef struct expr_list {
    nb_expr **items;
    int n, cap;
} expr_list;

static nb_status
push(nb_analyzer *an, expr_list *l, nb_expr *e)
{
    if (l->n == l->cap) {
        int cap = l->cap ? l->cap * 2 : 16;
        nb_expr **items = NB_ARENA_ARRAY(an->arena, nb_expr *, cap);
        NB_NEED(items);
        if (l->n) {
            memcpy(items, l->items, sizeof(nb_expr *) * (size_t)l->n);
        }
        l->items = items;
        l->cap = cap;
    }
    NB_NEED(e);
    l->items[l->n++] = e;
    return NB_OK;
}

/* `struct_column.*` */
static nb_status
expand_struct(nb_analyzer *an, const nb_scope *scope, nb_str target, expr_list *l, nb_error *err)
{
    nb_expr *e, *field;
    const nb_type *t;

    NB_TRY(nb_resolve_column(an, scope, target, -1, NULL, &e, err));
    t = nb_type_storage(e->type);
    if (t->id != NB_TYPE_STRUCT) {
        return nb_raise(err, NB_COND_CANNOT_RESOLVE_STAR_EXPAND, "targetString",
                        nb_arena_strdup(an->arena, target), "columns", "", NULL);
    }
    for (int i = 0; i < t->n_children; i++) {
        NB_TRY(nb_extract_field(an, e, t->children[i].name, &field, err));
        NB_TRY(
            push(an, l, nb_expr_alias(an->arena, field, t->children[i].name, nb_attr_next_id())));
    }
    return NB_OK;
}

bool
nb_is_name_pattern(const nb_analyzer *an, const Sc__Expression *e)
{
    nb_str text;
    size_t from;

    if (e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE ||
        !nb_config_bool(an->cfg.info->config, NB_CONF_QUOTED_REGEX_COLUMNS)) {
        return false;
    }
    text = nb_pb_str(e->unresolved_attribute->unparsed_identifier);
    if (text.len < 3 || text.data[text.len - 1] != '`') {
        return false;
    }
    for (from = text.len - 1; from > 0 && text.data[from - 1] != '`'; from--) {
    }
    return from > 0;
}

/* Columns of a qualifier whose name the pattern matches as a whole. */
static nb_status
expand_pattern(nb_analyzer *an, const nb_scope *scope, const nb_str *parts, int n_parts,
               expr_list *l, nb_error *err)
{
    nb_str text = parts[n_parts - 1];
    nb_expr *args[2], *test;

    args[1] = nb_expr_string(an->arena, nb_str_of(nb_arena_printf(an->arena, "^(?%s:%.*s)$",
                                                                  an->case_sensitive ? "" : "i",
                                                                  (int)text.len, text.data)));
    NB_NEED(args[1]);
    for (int i = 0; i < scope->n_plans; i++) {
        for (int j = 0; j < scope->plans[i]->n_attrs; j++) {
            const nb_attr *a = &scope->plans[i]->attrs[j];
            const nb_vector *v;
            args[0] = nb_expr_string(an->arena, a->name);
            NB_NEED(args[0]);
            NB_TRY(nb_call(an, "rlike", args, 2, &test, err));
            NB_TRY(nb_expr_fold(an->arena, test, an->cfg.info, &test, err));
            v = test->u.literal.value;
            if (!a->hidden && qualifier_fits(an, a, parts, n_parts - 1) &&
                !nb_vector_is_null(v, 0) && NB_DATA(uint8_t, v)[0]) {
                NB_TRY(push(an, l, nb_attr_expr(an->arena, a)));
            }
        }
    }
    return NB_OK;
}

/* Spark turns `colRegex` text in backquotes into a pattern; without them it is an ordinary name. */
static nb_status
expand_regex(nb_analyzer *an, const nb_scope *scope, const Sc__Expression__UnresolvedRegex *r,
             expr_list *l, nb_error *err)
{
    nb_str text = nb_pb_str(r->col_name);
    nb_expr *subject;

    if (text.len < 2 || text.data[0] != '`' || text.data[text.len - 1] != '`') {
        NB_TRY(nb_resolve_column(an, scope, text, r->has_plan_id ? r->plan_id : -1, NULL, &subject,
                                 err));
        return push(an, l, subject);
    }
    text = (nb_str){text.data + 1, text.len - 2};
    return expand_pattern(an, scope, &text, 1, l, err);
}

/* The node of a plan id whose columns all come up to p, and how many there are. */
static const nb_plan *
find_plan_id(const nb_plan *p, int64_t plan_id, int *n_found)
{
    const nb_plan *found = NULL;

    if (p->plan_id == plan_id) {
        *n_found += 1;
        return p;
    }
    for (int i = 0; i < p->n_children; i++) {
        int n = 0;
        const nb_plan *f = find_plan_id(p->children[i], plan_id, &n);
        for (int j = 0; f && j < f->n_attrs; j++) {
            if (!f->attrs[j].hidden && !nb_plan_find_attr(p, f->attrs[j].id)) {
                f = NULL;
            }
        }
        found = found ? found : f;
        *n_found += f ? n : 0;
    }
    return found;
}

/* df["*"] */
static nb_status
expand_plan(nb_analyzer *an, const nb_scope *scope, int64_t plan_id, expr_list *l, nb_error *err)
{
    const nb_plan *p = NULL;
    int n_found = 0;

    for (int i = 0; i < scope->n_plans; i++) {
        const nb_plan *f = find_plan_id(scope->plans[i], plan_id, &n_found);
        p = p ? p : f;
    }
    if (n_found != 1) {
        return nb_raise(err,
                        n_found ? NB_COND_AMBIGUOUS_COLUMN_REFERENCE
                                : NB_COND_CANNOT_RESOLVE_DATAFRAME_COLUMN,
                        "name", "\"unresolveddataframestar()\"", NULL);
    }
    for (int j = 0; j < p->n_attrs; j++) {
        for (int i = 0; i < scope->n_plans && !p->attrs[j].hidden; i++) {
            const nb_attr *live = nb_plan_find_attr(scope->plans[i], p->attrs[j].id);
            if (live) {
                NB_TRY(push(an, l, nb_attr_expr(an->arena, live)));
                break;
            }
        }
    }
    return NB_OK;
}

/* A struct without the field at the end of the path: a new struct, which is not null where the old one was, as Spark makes it. */
static nb_status
without_field(nb_analyzer *an, nb_expr *from, const nb_str *path, int n, nb_str column,
              nb_expr **out, nb_error *err)
{
    const nb_type *t = nb_type_storage(from->type);
    nb_expr **args, *gone;
    int count = 0;

    NB_TRY(nb_extract_field(an, from, path[0], &gone, err));
    if (t->id != NB_TYPE_STRUCT) {
        return nb_raise(err, NB_COND_EXCEPT_NESTED_COLUMN_INVALID_TYPE, "columnName",
                        nb_arena_strdup(an->arena, column), "dataType",
                        nb_type_sql(an->arena, from->type), NULL);
    }
    args = NB_ARENA_ARRAY(an->arena, nb_expr *, 2 * (size_t)t->n_children + 1);
    NB_NEED(args);
    for (int i = 0; i < t->n_children; i++) {
        bool it = nb_names_equal(an, t->children[i].name, path[0]);
        nb_expr *field;
        if (it && n == 1) {
            continue;
        }
        NB_TRY(nb_extract_field(an, from, t->children[i].name, &field, err));
        if (it) {
            NB_TRY(without_field(an, field, path + 1, n - 1, column, &field, err));
        }
        args[count] = nb_expr_string(an->arena, t->children[i].name);
        NB_NEED(args[count]);
        args[count + 1] = field;
        count += 2;
    }
    return nb_call(an, "named_struct", args, count, out, err);
}

/* One name of an EXCEPT list: the column of the star it is, and the fields that follow. */
typedef struct left_out {
    int at;
    const nb_str *fields;
    int n_fields;
} left_out;

/* Is one of them the other, or a part of it? */
static bool
overlap(const nb_analyzer *an, const left_out *a, const left_out *b)
{
    bool same = a->at == b->at;

    for (int i = 0; same && i < NB_MIN(a->n_fields, b->n_fields); i++) {
        same = nb_names_equal(an, a->fields[i], b->fields[i]);
    }
    return same;
}

/* The column that a star stands for, with the qualifier that it has where it comes from. */
static nb_attr
qualified(const nb_scope *scope, const nb_expr *e)
{
    nb_attr made = nb_attr_of_expr(e);

    for (int i = 0; e->kind == NB_EXPR_COLUMN && i < scope->n_plans; i++) {
        for (int k = 0; k < scope->plans[i]->n_attrs; k++) {
            const nb_attr *a = &scope->plans[i]->attrs[k];
            if (a->id == made.id) {
                made = *a;
                made.hidden = false;
                return made;
            }
        }
    }
    return made;
}

static nb_status
raise_overlapping(nb_analyzer *an, const Sc__Expression__UnresolvedFunction *except, nb_error *err)
{
    nb_strbuf b = {0};
    nb_str all;

    for (size_t k = 1; k < except->n_arguments; k++) {
        nb_strbuf_adds(&b, k > 1 ? ", " : "");
        nb_strbuf_add(&b,
                      nb_pb_str(except->arguments[k]->unresolved_attribute->unparsed_identifier));
    }
    all = nb_strbuf_finish(an->arena, &b);
    NB_NEED(all.data);
    return nb_raise(err, NB_COND_EXCEPT_OVERLAPPING_COLUMNS, "columns", all.data, NULL);
}

/* * EXCEPT (a, s.b, …): the names are those of the columns that the star stands for, and of nothing else. */
static nb_status
leave_out(nb_analyzer *an, const nb_scope *from, const Sc__Expression__UnresolvedFunction *except,
          expr_list *l, nb_error *err)
{
    nb_plan shown = {0}, *plans = &shown;
    nb_scope scope = {.plans = &plans, .n_plans = 1};
    size_t n_names = except->n_arguments - 1;
    left_out *names = NB_ARENA_ARRAY(an->arena, left_out, n_names + 1);
    bool *gone = NB_ARENA_ARRAY(an->arena, bool, (size_t)l->n + 1);
    nb_attr *attrs = NB_ARENA_ARRAY(an->arena, nb_attr, (size_t)l->n + 1);
    int kept = 0;

    NB_NEED(names && gone && attrs);
    for (int i = 0; i < l->n; i++) {
        gone[i] = false;
        attrs[i] = qualified(from, l->items[i]);
    }
    shown.attrs = attrs;
    shown.n_attrs = l->n;
    for (size_t k = 0; k < n_names; k++) {
        nb_str text =
            nb_pb_str(except->arguments[k + 1]->unresolved_attribute->unparsed_identifier);
        match m = {0};
        nb_str *parts;
        size_t n;
        NB_TRY(nb_split_identifier(an, text, &parts, &n, err));
        match_plan(an, &shown, parts, (int)n, &m);
        if (m.attr == NULL) {
            return nb_raise_unresolved_column(an, &scope, text, err);
        }
        if (m.n_found > 1) {
            return raise_ambiguous(an, &scope, parts, (int)n, err);
        }
        names[k] = (left_out){(int)(m.attr - shown.attrs), parts + m.n_used, (int)n - m.n_used};
        for (size_t i = 0; i < k; i++) {
            if (names[i].n_fields + names[k].n_fields > 0 && overlap(an, &names[i], &names[k])) {
                return raise_overlapping(an, except, err);
            }
        }
    }
    for (size_t k = 0; k < n_names; k++) {
        nb_expr **item = &l->items[names[k].at], *value = *item;
        if (names[k].n_fields == 0) {
            for (int i = 0; i < l->n; i++) {
                gone[i] |= attrs[i].id == attrs[names[k].at].id;
            }
            continue;
        }
        value = value->kind == NB_EXPR_ALIAS ? value->args[0] : value;
        NB_TRY(without_field(
            an, value, names[k].fields, names[k].n_fields,
            nb_pb_str(except->arguments[k + 1]->unresolved_attribute->unparsed_identifier), &value,
            err));
        *item = nb_expr_alias(an->arena, value, shown.attrs[names[k].at].name, nb_attr_next_id());
        NB_NEED(*item);
    }
    for (int i = 0; i < l->n; i++) {
        if (!gone[i]) {
            l->items[kept++] = l->items[i];
        }
    }
    l->n = kept;
    return NB_OK;
}

nb_status
nb_expand_star(nb_analyzer *an, const nb_scope *scope, const Sc__Expression *e, nb_expr ***out,
               int *n, nb_error *err)
{
    expr_list l = {0};
    const Sc__Expression__UnresolvedFunction *except = NULL;
    const Sc__Expression *star = e;
    nb_str target, *parts = NULL;
    size_t n_parts = 0;
    bool any = false;

    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_REGEX) {
        NB_TRY(expand_regex(an, scope, e->unresolved_regex, &l, err));
        *out = l.items;
        *n = l.n;
        return NB_OK;
    }
    if (nb_is_name_pattern(an, e)) {
        NB_TRY(nb_split_identifier(an, nb_pb_str(e->unresolved_attribute->unparsed_identifier),
                                   &parts, &n_parts, err));
        NB_TRY(expand_pattern(an, scope, parts, (int)n_parts, &l, err));
        *out = l.items;
        *n = l.n;
        return NB_OK;
    }
    if (e->expr_type_case == SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_FUNCTION) {
        except = e->unresolved_function;
        star = except->arguments[0];
    }
    target = nb_pb_str(star->unresolved_star->unparsed_target);
    if (target.len > 2 && target.data[target.len - 1] == '*' &&
        target.data[target.len - 2] == '.') {
        target.len -= 2;
    }
    if (star->unresolved_star->has_plan_id) {
        NB_TRY(expand_plan(an, scope, star->unresolved_star->plan_id, &l, err));
        *out = l.items;
        *n = l.n;
        return NB_OK;
    }
    if (target.len) {
        NB_TRY(nb_split_identifier(an, target, &parts, &n_parts, err));
    }
    for (int i = 0; i < scope->n_plans; i++) {
        const nb_plan *p = scope->plans[i];
        /* of t.*, what USING has hidden comes first, as where it is not hidden */
        for (int at = n_parts ? 0 : p->n_attrs; at < 2 * p->n_attrs; at++) {
            const nb_attr *a = &p->attrs[at % p->n_attrs];
            bool fits = a->hidden == (at < p->n_attrs) &&
                        (n_parts == 0 || qualifier_fits(an, a, parts, (int)n_parts));
            any |= fits;
            if (fits) {
                NB_TRY(push(an, &l, nb_attr_expr(an->arena, a)));
            }
        }
    }
    if (n_parts && !any) {
        NB_TRY(expand_struct(an, scope, target, &l, err));
    }
    if (except) {
        NB_TRY(nb_located(leave_out(an, scope, except, &l, err), nb_origin_of(an, e), err));
    }
    *out = l.items;
    *n = l.n;
    return NB_OK;
}
