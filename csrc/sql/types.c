/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.c: data types and lists of columns in DDL text.
 */
#include "sql/parse_state.h"

Sc__DataType *
nb_sql_type_simple(nb_sql_parser *p, Sc__DataType__KindCase kind)
{
    Sc__DataType *t = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);
    void *m = NULL;

    if (!t) {
        return NULL;
    }
    /* each kind has a message of its own; the members share one place in the union */
#define SIMPLE(KIND, T)                                                      \
    case SC__DATA_TYPE__KIND_##KIND:                                         \
        m = NB_SQL_NEW(p, Sc__DataType__##T, SC__DATA_TYPE__##KIND##__INIT); \
        break;
    switch (kind) {
        SIMPLE(NULL, NULL)
        SIMPLE(BINARY, Binary)
        SIMPLE(BOOLEAN, Boolean)
        SIMPLE(BYTE, Byte)
        SIMPLE(SHORT, Short)
        SIMPLE(INTEGER, Integer)
        SIMPLE(LONG, Long)
        SIMPLE(FLOAT, Float)
        SIMPLE(DOUBLE, Double)
        SIMPLE(STRING, String)
        SIMPLE(DATE, Date)
        SIMPLE(TIMESTAMP, Timestamp)
        SIMPLE(TIMESTAMP_NTZ, TimestampNTZ)
        SIMPLE(CALENDAR_INTERVAL, CalendarInterval)
        SIMPLE(VARIANT, Variant)
    default: return NULL;
    }
#undef SIMPLE
    if (!m) {
        return NULL;
    }
    t->kind_case = kind;
    t->null = m;
    return t;
}

/* (n[, m]) behind a type's name; *n is how many there were, at most max */
static nb_status
parse_sizes(nb_sql_parser *p, int64_t *sizes, size_t max, size_t *n)
{
    *n = 0;
    if (!nb_sql_is(p, NB_T_LPAREN)) {
        return NB_OK;
    }
    nb_sql_skip(p);
    do {
        if (!nb_sql_is(p, NB_T_INTEGER)) {
            return nb_sql_syntax_error(p);
        }
        if (*n < max && !nb_str_to_int64(nb_sql_token_text(p, nb_sql_cur(p)), &sizes[*n])) {
            sizes[*n] = INT64_MAX;
        }
        (*n)++;
        nb_sql_skip(p);
    } while (nb_sql_accept(p, NB_T_COMMA));
    return nb_sql_expect(p, NB_T_RPAREN);
}

static nb_status
unsupported_type(nb_sql_parser *p, size_t start, size_t end)
{
    const nb_token *a = &p->tokens.items[start], *b = &p->tokens.items[end];
    char *text = nb_arena_printf(p->arena, "\"%.*s\"", (int)(b->start + b->len - a->start),
                                 p->tokens.text.data + a->start);

    NB_SQL_NEED(text);
    for (char *c = text; *c; c++) {
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
    nb_raise(p->later, NB_COND_UNSUPPORTED_DATATYPE, "typeName", text, NULL);
    return nb_sql_error_at(p, start, end);
}

static nb_status
parse_decimal(nb_sql_parser *p, size_t start, Sc__DataType **out)
{
    Sc__DataType *t = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);
    Sc__DataType__Decimal *d = NB_SQL_NEW(p, Sc__DataType__Decimal, SC__DATA_TYPE__DECIMAL__INIT);
    int64_t sizes[2] = {10, 0};
    size_t n;

    NB_SQL_NEED(t);
    NB_SQL_NEED(d);
    NB_TRY(parse_sizes(p, sizes, 2, &n));
    if (n > 2) {
        return unsupported_type(p, start, p->pos - 1);
    }
    if (sizes[0] > 38) {
        nb_raise(p->later, NB_COND_DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION, "precision",
                 nb_arena_printf(p->arena, "%lld", (long long)sizes[0]), "maxPrecision", "38",
                 NULL);
        return nb_sql_error_here(p, start);
    }
    if (sizes[1] > sizes[0]) {
        nb_raise(p->later, NB_COND_INVALID_DECIMAL_SCALE, "scale",
                 nb_arena_printf(p->arena, "%lld", (long long)sizes[1]), "precision",
                 nb_arena_printf(p->arena, "%lld", (long long)sizes[0]), NULL);
        return nb_sql_error_here(p, start);
    }
    d->has_precision = d->has_scale = true;
    d->precision = (int32_t)sizes[0];
    d->scale = (int32_t)sizes[1];
    t->kind_case = SC__DATA_TYPE__KIND_DECIMAL;
    t->decimal = d;
    *out = t;
    return NB_OK;
}

/* CHAR(n), VARCHAR(n) */
static nb_status
parse_sized_string(nb_sql_parser *p, size_t start, bool varying, Sc__DataType **out)
{
    Sc__DataType *t = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);
    int64_t size = 0;
    size_t n;

    NB_SQL_NEED(t);
    NB_TRY(parse_sizes(p, &size, 1, &n));
    if (n != 1) {
        const char *name = varying                                                 ? "\"VARCHAR\""
                           : nb_sql_token_text(p, &p->tokens.items[start]).len > 4 ? "\"CHARACTER\""
                                                                                   : "\"CHAR\"";
        if (n > 1) {
            return unsupported_type(p, start, p->pos - 1);
        }
        nb_raise(p->later, NB_COND_DATATYPE_MISSING_SIZE, "type", name, NULL);
        return nb_sql_error_here(p, start);
    }
    if (size < 1 || size > INT32_MAX) {
        return unsupported_type(p, start, p->pos - 1);
    }
    if (varying) {
        Sc__DataType__VarChar *c =
            NB_SQL_NEW(p, Sc__DataType__VarChar, SC__DATA_TYPE__VAR_CHAR__INIT);
        NB_SQL_NEED(c);
        c->has_length = true;
        c->length = (int32_t)size;
        t->kind_case = SC__DATA_TYPE__KIND_VAR_CHAR;
        t->var_char = c;
    } else {
        Sc__DataType__Char *c = NB_SQL_NEW(p, Sc__DataType__Char, SC__DATA_TYPE__CHAR__INIT);
        NB_SQL_NEED(c);
        c->has_length = true;
        c->length = (int32_t)size;
        t->kind_case = SC__DATA_TYPE__KIND_CHAR;
        t->char_ = c;
    }
    *out = t;
    return NB_OK;
}

static int
interval_field(nb_keyword kw, bool *year_month)
{
    *year_month = kw == NB_KW_YEAR || kw == NB_KW_MONTH;
    switch (kw) {
    case NB_KW_YEAR:
    case NB_KW_DAY: return 0;
    case NB_KW_MONTH:
    case NB_KW_HOUR: return 1;
    case NB_KW_MINUTE: return 2;
    case NB_KW_SECOND: return 3;
    default: return -1;
    }
}

/* INTERVAL [unit [TO unit]] */
static nb_status
parse_interval_type(nb_sql_parser *p, size_t start, Sc__DataType **out)
{
    bool year_month, other;
    int low = interval_field(
            (nb_keyword)(nb_sql_is(p, NB_T_WORD) ? nb_sql_cur(p)->kw : NB_NOT_KEYWORD),
            &year_month),
        high = low;
    Sc__DataType *t;

    if (low < 0) {
        *out = nb_sql_type_simple(p, SC__DATA_TYPE__KIND_CALENDAR_INTERVAL);
        NB_SQL_NEED(*out);
        return NB_OK;
    }
    nb_sql_skip(p);
    if (nb_sql_accept_kw(p, NB_KW_TO)) {
        high = interval_field(
            (nb_keyword)(nb_sql_is(p, NB_T_WORD) ? nb_sql_cur(p)->kw : NB_NOT_KEYWORD), &other);
        if (high < 0 || other != year_month) {
            return nb_sql_syntax_error(p);
        }
        nb_sql_skip(p);
        if (high <= low) {
            return unsupported_type(p, start, p->pos - 1);
        }
    }
    t = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);
    NB_SQL_NEED(t);
    if (year_month) {
        Sc__DataType__YearMonthInterval *i = NB_SQL_NEW(p, Sc__DataType__YearMonthInterval,
                                                        SC__DATA_TYPE__YEAR_MONTH_INTERVAL__INIT);
        NB_SQL_NEED(i);
        i->has_start_field = i->has_end_field = true;
        i->start_field = low;
        i->end_field = high;
        t->kind_case = SC__DATA_TYPE__KIND_YEAR_MONTH_INTERVAL;
        t->year_month_interval = i;
    } else {
        Sc__DataType__DayTimeInterval *i =
            NB_SQL_NEW(p, Sc__DataType__DayTimeInterval, SC__DATA_TYPE__DAY_TIME_INTERVAL__INIT);
        NB_SQL_NEED(i);
        i->has_start_field = i->has_end_field = true;
        i->start_field = low;
        i->end_field = high;
        t->kind_case = SC__DATA_TYPE__KIND_DAY_TIME_INTERVAL;
        t->day_time_interval = i;
    }
    *out = t;
    return NB_OK;
}

nb_status
nb_sql_comment_metadata(nb_sql_parser *p, nb_str comment, ProtobufCBinaryData *out)
{
    static const char digits[] = "0123456789abcdef";
    nb_str head = NB_STR("{\"comment\":\"");
    char *text = nb_arena_alloc(p->arena, comment.len * 6 + head.len + 2), *at = text;

    NB_SQL_NEED(text);
    memcpy(at, head.data, head.len);
    at += head.len;
    for (size_t i = 0; i < comment.len; i++) {
        unsigned char c = (unsigned char)comment.data[i];
        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else if (c < 0x20) {
            memcpy(at, "\\u00", 4);
            at[4] = digits[c >> 4];
            at[5] = digits[c & 15];
            at += 6;
        } else {
            *at++ = (char)c;
        }
    }
    memcpy(at, "\"}", 2);
    at += 2;
    *out = nb_sql_bytes((nb_str){text, (size_t)(at - text)});
    return NB_OK;
}

/* name [:] type [NOT NULL] [COMMENT '…'] */
static nb_status
parse_field(nb_sql_parser *p, bool colon, Sc__DataType__StructField **out)
{
    Sc__DataType__StructField *f =
        NB_SQL_NEW(p, Sc__DataType__StructField, SC__DATA_TYPE__STRUCT_FIELD__INIT);
    nb_str name, comment;

    NB_SQL_NEED(f);
    NB_TRY(nb_sql_parse_ident(p, &name));
    if (colon) {
        nb_sql_accept(p, NB_T_COLON);
    }
    NB_TRY(nb_sql_parse_type(p, &f->data_type));
    f->has_name = true;
    f->name = nb_sql_bytes(name);
    f->has_nullable = true;
    f->nullable = true;
    for (;;) {
        if (nb_sql_is_kw(p, NB_KW_NOT) || nb_sql_is(p, NB_T_BANG)) {
            nb_sql_skip(p);
            NB_TRY(nb_sql_expect_kw(p, NB_KW_NULL));
            f->nullable = false;
        } else if (nb_sql_is_kw(p, NB_KW_COMMENT) && nb_sql_ahead(p, 1)->kind == NB_T_STRING) {
            nb_sql_skip(p);
            NB_TRY(nb_sql_parse_string(p, &comment));
            f->has_metadata = true;
            NB_TRY(nb_sql_comment_metadata(p, comment, &f->metadata));
        } else {
            break;
        }
    }
    *out = f;
    return NB_OK;
}

static nb_status
make_struct(nb_sql_parser *p, const nb_ptrs *fields, Sc__DataType **out)
{
    Sc__DataType *t = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);
    Sc__DataType__Struct *s = NB_SQL_NEW(p, Sc__DataType__Struct, SC__DATA_TYPE__STRUCT__INIT);

    NB_SQL_NEED(t);
    NB_SQL_NEED(s);
    s->fields = (Sc__DataType__StructField **)fields->items;
    s->n_fields = fields->n;
    t->kind_case = SC__DATA_TYPE__KIND_STRUCT;
    t->struct_ = s;
    *out = t;
    return NB_OK;
}

nb_status
nb_sql_parse_columns(nb_sql_parser *p, Sc__DataType **out)
{
    nb_ptrs fields = {0};

    do {
        Sc__DataType__StructField *f;
        NB_TRY(parse_field(p, false, &f));
        NB_TRY(nb_ptrs_push(p, &fields, f));
    } while (nb_sql_accept(p, NB_T_COMMA));
    return make_struct(p, &fields, out);
}

static nb_status
parse_nested_parts(nb_sql_parser *p, nb_keyword kw, Sc__DataType **out)
{
    Sc__DataType *t;

    if (kw == NB_KW_STRUCT) {
        nb_ptrs fields = {0};
        if (!nb_sql_accept(p, NB_T_NEQ)) {
            nb_sql_skip(p);
            if (!nb_sql_is(p, NB_T_GT)) {
                do {
                    Sc__DataType__StructField *f;
                    NB_TRY(parse_field(p, true, &f));
                    NB_TRY(nb_ptrs_push(p, &fields, f));
                } while (nb_sql_accept(p, NB_T_COMMA));
            }
            NB_TRY(nb_sql_expect(p, NB_T_GT));
        }
        return make_struct(p, &fields, out);
    }
    nb_sql_skip(p);
    t = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);
    NB_SQL_NEED(t);
    if (kw == NB_KW_ARRAY) {
        Sc__DataType__Array *a = NB_SQL_NEW(p, Sc__DataType__Array, SC__DATA_TYPE__ARRAY__INIT);
        NB_SQL_NEED(a);
        NB_TRY(nb_sql_parse_type(p, &a->element_type));
        a->has_contains_null = a->contains_null = true;
        t->kind_case = SC__DATA_TYPE__KIND_ARRAY;
        t->array = a;
    } else {
        Sc__DataType__Map *m = NB_SQL_NEW(p, Sc__DataType__Map, SC__DATA_TYPE__MAP__INIT);
        NB_SQL_NEED(m);
        NB_TRY(nb_sql_parse_type(p, &m->key_type));
        NB_TRY(nb_sql_expect(p, NB_T_COMMA));
        NB_TRY(nb_sql_parse_type(p, &m->value_type));
        m->has_value_contains_null = m->value_contains_null = true;
        t->kind_case = SC__DATA_TYPE__KIND_MAP;
        t->map = m;
    }
    *out = t;
    return nb_sql_expect(p, NB_T_GT);
}

/* ARRAY<…>, MAP<…, …>, STRUCT<…>; the cursor is on "<" (STRUCT<> is one token). A text that ends too early is a fault of that bracket. */
static nb_status
parse_nested(nb_sql_parser *p, nb_keyword kw, Sc__DataType **out)
{
    size_t open = p->pos;
    nb_status st = parse_nested_parts(p, kw, out);

    if (st == NB_ERROR && nb_sql_is(p, NB_T_EOF)) {
        nb_error_clear(p->err);
        p->pos = open;
        return nb_sql_syntax_error(p);
    }
    return st;
}

static nb_status
parse_time_type(nb_sql_parser *p, size_t start, Sc__DataType **out)
{
    Sc__DataType *t = NB_SQL_NEW(p, Sc__DataType, SC__DATA_TYPE__INIT);
    Sc__DataType__Time *m = NB_SQL_NEW(p, Sc__DataType__Time, SC__DATA_TYPE__TIME__INIT);
    int64_t precision = 6;
    size_t n;

    NB_SQL_NEED(t);
    NB_SQL_NEED(m);
    NB_TRY(parse_sizes(p, &precision, 1, &n));
    if (n > 1 || precision > 6) {
        return unsupported_type(p, start, p->pos - 1);
    }
    m->has_precision = true;
    m->precision = (int32_t)precision;
    t->kind_case = SC__DATA_TYPE__KIND_TIME;
    t->time = m;
    *out = t;
    return NB_OK;
}

static Sc__DataType__KindCase
simple_kind(nb_keyword kw)
{
    switch (kw) {
    case NB_KW_BOOLEAN: return SC__DATA_TYPE__KIND_BOOLEAN;
    case NB_KW_TINYINT:
    case NB_KW_BYTE: return SC__DATA_TYPE__KIND_BYTE;
    case NB_KW_SMALLINT:
    case NB_KW_SHORT: return SC__DATA_TYPE__KIND_SHORT;
    case NB_KW_INT:
    case NB_KW_INTEGER: return SC__DATA_TYPE__KIND_INTEGER;
    case NB_KW_BIGINT:
    case NB_KW_LONG: return SC__DATA_TYPE__KIND_LONG;
    case NB_KW_FLOAT:
    case NB_KW_REAL: return SC__DATA_TYPE__KIND_FLOAT;
    case NB_KW_DOUBLE: return SC__DATA_TYPE__KIND_DOUBLE;
    case NB_KW_DATE: return SC__DATA_TYPE__KIND_DATE;
    case NB_KW_TIMESTAMP:
    case NB_KW_TIMESTAMP_LTZ: return SC__DATA_TYPE__KIND_TIMESTAMP;
    case NB_KW_TIMESTAMP_NTZ: return SC__DATA_TYPE__KIND_TIMESTAMP_NTZ;
    case NB_KW_STRING: return SC__DATA_TYPE__KIND_STRING;
    case NB_KW_BINARY: return SC__DATA_TYPE__KIND_BINARY;
    case NB_KW_VOID: return SC__DATA_TYPE__KIND_NULL;
    case NB_KW_VARIANT: return SC__DATA_TYPE__KIND_VARIANT;
    default: return SC__DATA_TYPE__KIND__NOT_SET;
    }
}

static nb_status
parse_type(nb_sql_parser *p, Sc__DataType **out)
{
    size_t start = p->pos;
    const nb_token *t = nb_sql_cur(p);
    nb_keyword kw = t->kind == NB_T_WORD ? (nb_keyword)t->kw : NB_NOT_KEYWORD;
    Sc__DataType__KindCase kind = simple_kind(kw);

    if (!nb_sql_is_name(t)) {
        return nb_sql_syntax_error(p);
    }
    *out = nb_sql_type_simple(p, SC__DATA_TYPE__KIND_NULL); /* what stands for an invalid one */
    NB_SQL_NEED(*out);
    nb_sql_skip(p);
    if (kind != SC__DATA_TYPE__KIND__NOT_SET) {
        *out = nb_sql_type_simple(p, kind);
        NB_SQL_NEED(*out);
        if (kind == SC__DATA_TYPE__KIND_STRING && nb_sql_is_kw(p, NB_KW_COLLATE) &&
            nb_sql_is_name(nb_sql_ahead(p, 1))) {
            nb_str name;
            nb_sql_skip(p);
            NB_TRY(nb_sql_parse_ident(p, &name));
            (*out)->string->has_collation = true;
            (*out)->string->collation = nb_sql_bytes(name);
        }
        if (nb_sql_is(p, NB_T_LPAREN) && nb_sql_ahead(p, 1)->kind == NB_T_INTEGER) {
            int64_t ignored;
            size_t n;
            NB_TRY(parse_sizes(p, &ignored, 1, &n));
            if (kind == SC__DATA_TYPE__KIND_TIMESTAMP ||
                kind == SC__DATA_TYPE__KIND_TIMESTAMP_NTZ || n > 0) {
                return unsupported_type(p, start, p->pos - 1);
            }
        }
        return NB_OK;
    }
    switch (kw) {
    case NB_KW_DECIMAL:
    case NB_KW_DEC:
    case NB_KW_NUMERIC: return parse_decimal(p, start, out);
    case NB_KW_VARCHAR: return parse_sized_string(p, start, true, out);
    case NB_KW_CHAR:
    case NB_KW_CHARACTER: return parse_sized_string(p, start, false, out);
    case NB_KW_INTERVAL: return parse_interval_type(p, start, out);
    case NB_KW_TIME: return parse_time_type(p, start, out);
    case NB_KW_ARRAY:
    case NB_KW_MAP:
    case NB_KW_STRUCT:
        if (nb_sql_is(p, NB_T_LT) || (kw == NB_KW_STRUCT && nb_sql_is(p, NB_T_NEQ))) {
            return parse_nested(p, kw, out);
        }
        {
            char *name = nb_arena_printf(p->arena, "\"%s\"", nb_keyword_text(kw));
            NB_SQL_NEED(name);
            nb_raise(p->later,
                     kw == NB_KW_ARRAY ? NB_COND_INCOMPLETE_TYPE_DEFINITION_ARRAY
                     : kw == NB_KW_MAP ? NB_COND_INCOMPLETE_TYPE_DEFINITION_MAP
                                       : NB_COND_INCOMPLETE_TYPE_DEFINITION_STRUCT,
                     "elementType", "<INT>", NULL);
            return nb_sql_error_at(p, start, start);
        }
    default: return unsupported_type(p, start, start);
    }
}

/* CHAR(n) and VARCHAR(n) inside of t become STRING. Types nest no deeper than the parser let them. */
static nb_status
lengths_to_string(nb_sql_parser *p, Sc__DataType *t)
{
    NB_TRY(nb_sql_enter(p));
    switch (t->kind_case) {
    case SC__DATA_TYPE__KIND_CHAR:
    case SC__DATA_TYPE__KIND_VAR_CHAR: {
        Sc__DataType *string = nb_sql_type_simple(p, SC__DATA_TYPE__KIND_STRING);
        NB_SQL_NEED(string);
        *t = *string;
        break;
    }
    case SC__DATA_TYPE__KIND_ARRAY: NB_TRY(lengths_to_string(p, t->array->element_type)); break;
    case SC__DATA_TYPE__KIND_MAP:
        NB_TRY(lengths_to_string(p, t->map->key_type));
        NB_TRY(lengths_to_string(p, t->map->value_type));
        break;
    case SC__DATA_TYPE__KIND_STRUCT:
        for (size_t i = 0; i < t->struct_->n_fields; i++) {
            NB_TRY(lengths_to_string(p, t->struct_->fields[i]->data_type));
        }
        break;
    default: break;
    }
    nb_sql_leave(p);
    return NB_OK;
}

nb_status
nb_sql_parse_cast_type(nb_sql_parser *p, Sc__DataType **out)
{
    NB_TRY(nb_sql_parse_type(p, out));
    return lengths_to_string(p, *out);
}

nb_status
nb_sql_parse_type(nb_sql_parser *p, Sc__DataType **out)
{
    NB_TRY(nb_sql_enter(p));
    NB_TRY(parse_type(p, out));
    nb_sql_leave(p);
    return NB_OK;
}
