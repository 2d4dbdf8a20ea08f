/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alter.c: ALTER TABLE, VIEW and DATABASE, COMMENT ON, ANALYZE, REFRESH.
 *
 * What Spark's file tables refuse is read as well, so that they say so by name.
 */
#include "sql/parse_state.h"

static nb_status
name_to(nb_sql_parser *p, nb_sql_name *out)
{
    nb_names name = {0};

    NB_TRY(nb_sql_parse_multipart(p, &name));
    return nb_names_copy(p, &name, out);
}

static nb_status
refused(nb_sql_parser *p, nb_sql_statement *out, const char *operation)
{
    out->kind = NB_SQL_ALTER_REFUSED;
    out->value = nb_str_of(operation);
    while (!nb_sql_is(p, NB_T_EOF) && !nb_sql_is(p, NB_T_SEMICOLON)) {
        nb_sql_skip(p);
    }
    return NB_OK;
}

static nb_status
parse_properties(nb_sql_parser *p, nb_sql_statement *out, bool unset)
{
    nb_sql_skip(p);
    nb_sql_skip(p);
    out->kind = NB_SQL_ALTER_PROPERTIES;
    out->overwrite = unset;
    if (unset) {
        out->if_exists = nb_sql_accept_kw2(p, NB_KW_IF, NB_KW_EXISTS);
    }
    return nb_sql_parse_properties(p, &out->properties, &out->n_properties);
}

/* ADD COLUMNS (a INT, b STRING), with or without parentheses */
static nb_status
parse_add(nb_sql_parser *p, nb_sql_statement *out)
{
    bool paren;

    nb_sql_skip(p);
    nb_sql_skip(p);
    out->kind = NB_SQL_ALTER_ADD_COLUMNS;
    paren = nb_sql_accept(p, NB_T_LPAREN);
    NB_TRY(nb_sql_parse_columns(p, &out->schema));
    return paren ? nb_sql_expect(p, NB_T_RPAREN) : NB_OK;
}

/* ALTER [COLUMN] a TYPE t | COMMENT '…'; CHANGE [COLUMN] a b t [COMMENT '…'] */
static nb_status
parse_column(nb_sql_parser *p, nb_sql_statement *out)
{
    bool change = nb_sql_is_kw(p, NB_KW_CHANGE);
    nb_names names = {0};
    nb_str name;

    nb_sql_skip(p);
    if (nb_sql_is_kw(p, NB_KW_COLUMN) && nb_sql_is_name(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
    }
    out->kind = NB_SQL_ALTER_COLUMN;
    NB_TRY(nb_sql_parse_ident(p, &name));
    NB_TRY(nb_names_push(p, &names, name));
    if (change) {
        NB_TRY(nb_sql_parse_ident(p, &name));
        NB_TRY(nb_names_push(p, &names, name));
        NB_TRY(nb_sql_parse_type(p, &out->schema));
        if (nb_sql_accept_kw(p, NB_KW_COMMENT)) {
            NB_TRY(nb_sql_parse_string(p, &out->comment));
        }
    } else if (nb_sql_accept_kw(p, NB_KW_TYPE)) {
        NB_TRY(nb_sql_parse_type(p, &out->schema));
    } else if (nb_sql_accept_kw(p, NB_KW_COMMENT)) {
        NB_TRY(nb_sql_parse_string(p, &out->comment));
    } else {
        return nb_raise_unsupported(p->err, "ALTER TABLE … ALTER COLUMN of this kind");
    }
    if (out->comment.data) {
        ProtobufCBinaryData metadata;
        NB_TRY(nb_sql_comment_metadata(p, out->comment, &metadata));
        out->value = (nb_str){(const char *)metadata.data, metadata.len};
    }
    return nb_names_copy(p, &names, &out->columns);
}

/* PARTITION (…) [LOCATION '…'] …: one after the other; with commas between them when they go */
static nb_status
parse_partitions(nb_sql_parser *p, nb_sql_statement *out, bool commas)
{
    for (nb_sql_statement *at = out;; at = at->inner) {
        NB_TRY(nb_sql_expect_kw(p, NB_KW_PARTITION));
        NB_TRY(nb_sql_parse_partition(p, at));
        if (!commas && nb_sql_accept_kw(p, NB_KW_LOCATION)) {
            return nb_raise_unsupported(p->err, "ALTER TABLE … ADD PARTITION … LOCATION");
        }
        if (commas ? !nb_sql_accept(p, NB_T_COMMA) : !nb_sql_is_kw(p, NB_KW_PARTITION)) {
            return NB_OK;
        }
        at->inner = NB_ARENA_NEW(p->arena, nb_sql_statement);
        NB_SQL_NEED(at->inner);
    }
}

/* ADD [IF NOT EXISTS] PARTITION …, DROP [IF EXISTS] PARTITION … [PURGE]; *done: it is one of these */
static nb_status
parse_partition_change(nb_sql_parser *p, nb_sql_statement *out, bool *done)
{
    bool drop = nb_sql_is_kw(p, NB_KW_DROP), guarded = nb_sql_ahead_is_kw(p, 1, NB_KW_IF);
    size_t words = guarded ? (drop ? 3 : 4) : 1;

    *done = (drop || nb_sql_is_kw(p, NB_KW_ADD)) && nb_sql_ahead_is_kw(p, words, NB_KW_PARTITION) &&
            (!guarded || nb_sql_ahead_is_kw(p, words - 1, NB_KW_EXISTS));
    if (!*done) {
        return NB_OK;
    }
    p->pos += words;
    out->kind = drop ? NB_SQL_DROP_PARTITION : NB_SQL_ADD_PARTITION;
    out->if_exists = drop && guarded;
    out->if_not_exists = !drop && guarded;
    NB_TRY(parse_partitions(p, out, drop));
    out->purge = drop && nb_sql_accept_kw(p, NB_KW_PURGE);
    return NB_OK;
}

static bool
is_database(const nb_sql_parser *p, size_t ahead)
{
    return nb_sql_ahead_is_kw(p, ahead, NB_KW_DATABASE) ||
           nb_sql_ahead_is_kw(p, ahead, NB_KW_SCHEMA) ||
           nb_sql_ahead_is_kw(p, ahead, NB_KW_NAMESPACE);
}

/* ALTER DATABASE d SET [DB]PROPERTIES (…) | UNSET [DB]PROPERTIES (…) | SET LOCATION '…' */
static nb_status
parse_database(nb_sql_parser *p, nb_sql_statement *out)
{
    bool unset;

    p->pos += 2;
    out->kind = NB_SQL_ALTER_DATABASE;
    NB_TRY(name_to(p, &out->name));
    unset = nb_sql_accept_kw(p, NB_KW_UNSET);
    if (!unset) {
        NB_TRY(nb_sql_expect_kw(p, NB_KW_SET));
    }
    if (!unset && nb_sql_accept_kw(p, NB_KW_LOCATION)) {
        return nb_sql_parse_string(p, &out->location);
    }
    if (!nb_sql_accept_kw(p, NB_KW_DBPROPERTIES)) {
        NB_TRY(nb_sql_expect_kw(p, NB_KW_PROPERTIES));
    }
    out->overwrite = unset;
    return nb_sql_parse_properties(p, &out->properties, &out->n_properties);
}

nb_status
nb_sql_parse_alter(nb_sql_parser *p, nb_sql_statement *out, bool *done)
{
    bool view = nb_sql_ahead_is_kw(p, 1, NB_KW_VIEW);
    size_t first = p->pos;

    if (is_database(p, 1)) {
        *done = true;
        return parse_database(p, out);
    }
    *done = view || nb_sql_ahead_is_kw(p, 1, NB_KW_TABLE);
    if (!*done) {
        return NB_OK;
    }
    nb_sql_skip(p);
    nb_sql_skip(p);
    NB_TRY(name_to(p, &out->name));
    out->global = view; /* of a view */
    if (view && (nb_sql_is_kw(p, NB_KW_AS) || nb_sql_at_query(p))) {
        nb_sql_accept_kw(p, NB_KW_AS);
        out->kind = NB_SQL_ALTER_VIEW_AS;
        NB_TRY(nb_sql_parse_query_at(p, &out->query));
        nb_sql_set_text(p, NULL, out->query);
        return NB_OK;
    }
    if (nb_sql_accept_kw2(p, NB_KW_RENAME, NB_KW_TO)) {
        out->kind = NB_SQL_ALTER_RENAME;
        return name_to(p, &out->columns);
    }
    if (nb_sql_is_kw(p, NB_KW_SET) && nb_sql_ahead_is_kw(p, 1, NB_KW_TBLPROPERTIES)) {
        return parse_properties(p, out, false);
    }
    if (nb_sql_is_kw(p, NB_KW_UNSET) && nb_sql_ahead_is_kw(p, 1, NB_KW_TBLPROPERTIES)) {
        return parse_properties(p, out, true);
    }
    if (!view) {
        bool partition;
        NB_TRY(parse_partition_change(p, out, &partition));
        if (partition) {
            return NB_OK;
        }
        bool column = nb_sql_ahead_is_kw(p, 1, NB_KW_COLUMN);
        bool columns = column || nb_sql_ahead_is_kw(p, 1, NB_KW_COLUMNS);
        if (nb_sql_is_kw(p, NB_KW_ADD) && columns) {
            return parse_add(p, out);
        }
        if (nb_sql_is_kw(p, NB_KW_RENAME) && column) {
            return refused(p, out, "RENAME COLUMN");
        }
        if (nb_sql_is_kw(p, NB_KW_DROP) && columns) {
            return refused(p, out, "DROP COLUMN");
        }
        if (nb_sql_is_kw(p, NB_KW_ALTER) || nb_sql_is_kw(p, NB_KW_CHANGE)) {
            return parse_column(p, out);
        }
    }
    p->pos = first;
    *done = false;
    return NB_OK;
}

/* COMMENT ON {TABLE | DATABASE} t IS '…' | NULL */
nb_status
nb_sql_parse_comment_on(nb_sql_parser *p, nb_sql_statement *out, bool *done)
{
    bool database = is_database(p, 2);

    *done =
        nb_sql_ahead_is_kw(p, 1, NB_KW_ON) && (database || nb_sql_ahead_is_kw(p, 2, NB_KW_TABLE));
    if (!*done) {
        return NB_OK;
    }
    p->pos += 3;
    out->kind = database ? NB_SQL_ALTER_DATABASE : NB_SQL_COMMENT_ON_TABLE;
    NB_TRY(name_to(p, &out->name));
    NB_TRY(nb_sql_expect_kw(p, NB_KW_IS));
    if (nb_sql_accept_kw(p, NB_KW_NULL)) {
        out->comment = database ? NB_STR("") : out->comment;
        return NB_OK;
    }
    return nb_sql_parse_string(p, &out->comment);
}

/* ANALYZE TABLE t [PARTITION (…)] COMPUTE STATISTICS …: statistics come from the files' metadata in any case */
nb_status
nb_sql_parse_analyze(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_sql_skip(p);
    out->kind = NB_SQL_ANALYZE;
    if (nb_sql_accept_kw(p, NB_KW_TABLES)) {
        if (nb_sql_accept_kw(p, NB_KW_FROM) || nb_sql_accept_kw(p, NB_KW_IN)) {
            nb_sql_name namespace;
            NB_TRY(name_to(p, &namespace));
        }
    } else {
        NB_TRY(nb_sql_expect_kw(p, NB_KW_TABLE));
        NB_TRY(name_to(p, &out->name));
        if (nb_sql_is_kw(p, NB_KW_PARTITION) && nb_sql_ahead(p, 1)->kind == NB_T_LPAREN) {
            p->pos = nb_sql_ahead(p, 1)->match ? nb_sql_ahead(p, 1)->match + 1 : p->pos;
        }
    }
    NB_TRY(nb_sql_expect_kw(p, NB_KW_COMPUTE));
    NB_TRY(nb_sql_expect_kw(p, NB_KW_STATISTICS));
    if (nb_sql_accept_kw(p, NB_KW_FOR)) {
        nb_names columns = {0};
        if (nb_sql_accept_kw(p, NB_KW_ALL)) {
            return nb_sql_expect_kw(p, NB_KW_COLUMNS);
        }
        NB_TRY(nb_sql_expect_kw(p, NB_KW_COLUMNS));
        do {
            nb_str column;
            NB_TRY(nb_sql_parse_ident(p, &column));
            NB_TRY(nb_names_push(p, &columns, column));
        } while (nb_sql_accept(p, NB_T_COMMA));
        return nb_names_copy(p, &columns, &out->columns);
    }
    if (nb_str_equal_nocase(nb_sql_token_text(p, nb_sql_cur(p)), NB_STR("NOSCAN"))) {
        nb_sql_skip(p);
    }
    return NB_OK;
}

/* REFRESH [TABLE] t, REFRESH 'path' */
nb_status
nb_sql_parse_refresh(nb_sql_parser *p, nb_sql_statement *out, bool *done)
{
    *done = !nb_sql_ahead_is_kw(p, 1, NB_KW_FUNCTION);
    if (!*done) {
        return NB_OK;
    }
    nb_sql_skip(p);
    if (nb_sql_is(p, NB_T_STRING)) {
        out->kind = NB_SQL_REFRESH_PATH;
        return nb_sql_parse_string(p, &out->value);
    }
    if (nb_sql_is_kw(p, NB_KW_TABLE) && nb_sql_is_name(nb_sql_ahead(p, 1))) {
        nb_sql_skip(p);
    }
    out->kind = NB_SQL_REFRESH_TABLE;
    return name_to(p, &out->name);
}

/* INSERT … PARTITION (a = 1, b): names in partitioning, values in arguments, of no kind where the rows bring them */
nb_status
nb_sql_parse_partition(nb_sql_parser *p, nb_sql_statement *out)
{
    nb_names names = {0};
    nb_ptrs values = {0};

    NB_TRY(nb_sql_expect(p, NB_T_LPAREN));
    do {
        nb_str name;
        Sc__Expression *e = NB_SQL_NEW(p, Sc__Expression, SC__EXPRESSION__INIT);
        NB_SQL_NEED(e);
        NB_TRY(nb_sql_parse_ident(p, &name));
        NB_TRY(nb_names_push(p, &names, name));
        if (nb_sql_accept(p, NB_T_EQ)) {
            NB_TRY(nb_sql_parse_primary(p, &e));
        }
        NB_TRY(nb_ptrs_push(p, &values, e));
    } while (nb_sql_accept(p, NB_T_COMMA));
    NB_TRY(nb_names_copy(p, &names, &out->partitioning));
    out->arguments = (Sc__Expression **)values.items;
    out->n_arguments = values.n;
    return nb_sql_expect(p, NB_T_RPAREN);
}
