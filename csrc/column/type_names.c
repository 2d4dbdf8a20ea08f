/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type_names.c: data types as text, in Spark's spellings (see type.h).
 */
#include "base/arena.h"
#include "base/ascii.h"
#include "column/type.h"

typedef enum spelling { SIMPLE, CATALOG, SQL } spelling;

/* spark.sql.debug.maxToStringFields: simpleString names this many fields of a struct. */
#define MAX_FIELDS 25

static const char *const simple_names[NB_N_TYPES] = {
#define NB_TYPE(ID, PHYS, NAME, ARROW) [NB_TYPE_##ID] = NAME,
#include "column/types.def"
#undef NB_TYPE
};

static void write_type(nb_strbuf *b, const nb_type *t, spelling how);

static void
add_cased(nb_strbuf *b, const char *s, spelling how)
{
    for (; *s; s++) {
        nb_strbuf_addc(b, how == SQL ? nb_to_upper(*s) : *s);
    }
}

static void
add_quoted(nb_strbuf *b, nb_str s, char quote, bool backslash)
{
    nb_strbuf_addc(b, quote);
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == quote) {
            nb_strbuf_addc(b, backslash ? '\\' : quote);
        }
        nb_strbuf_addc(b, s.data[i]);
    }
    nb_strbuf_addc(b, quote);
}

/* Names that are plain identifiers stay as they are (QuotingUtils.quoteIfNeeded). */
static void
add_name(nb_strbuf *b, nb_str name)
{
    bool plain = name.len > 0, digits = true;

    for (size_t i = 0; i < name.len && plain; i++) {
        unsigned char c = (unsigned char)name.data[i];
        plain = nb_is_word(c);
        digits = digits && nb_is_digit(c);
    }
    if (plain && !digits) {
        nb_strbuf_add(b, name);
    } else {
        add_quoted(b, name, '`', false);
    }
}

static void
write_interval(nb_strbuf *b, const nb_type *t, spelling how)
{
    static const char *const ym[] = {"year", "month"};
    static const char *const dt[] = {"day", "hour", "minute", "second"};
    const char *const *names = t->id == NB_TYPE_INTERVAL_YM ? ym : dt;

    add_cased(b, "interval ", how);
    add_cased(b, names[t->start_field], how);
    if (t->end_field != t->start_field) {
        add_cased(b, " to ", how);
        add_cased(b, names[t->end_field], how);
    }
}

static void
write_struct(nb_strbuf *b, const nb_type *t, spelling how)
{
    int n = how == SIMPLE ? NB_MIN(t->n_children, MAX_FIELDS) : t->n_children;

    add_cased(b, "struct<", how);
    for (int i = 0; i < n; i++) {
        const nb_field *f = &t->children[i];
        if (i > 0) {
            nb_strbuf_adds(b, how == SQL ? ", " : ",");
        }
        if (how == SQL) {
            add_name(b, f->name);
            nb_strbuf_adds(b, ": ");
        } else {
            nb_strbuf_add(b, f->name);
            nb_strbuf_addc(b, ':');
        }
        write_type(b, f->type, how);
        if (how == SQL && !f->nullable) {
            nb_strbuf_adds(b, " NOT NULL");
        }
    }
    if (n < t->n_children) {
        nb_strbuf_addf(b, ",... %d more fields", t->n_children - n);
    }
    nb_strbuf_addc(b, '>');
}

/* The simple name of the JVM class without its "UDT", as DataType.typeName makes it: "vector". */
static void
write_udt(nb_strbuf *b, const nb_type *t)
{
    nb_str s = t->udt_class;

    if (s.len == 0) {
        nb_strbuf_adds(b, "pythonuserdefined");
        return;
    }
    for (size_t i = s.len; i > 0; i--) {
        if (s.data[i - 1] == '.' || s.data[i - 1] == '$') {
            s = (nb_str){s.data + i, s.len - i};
            break;
        }
    }
    if (nb_str_ends_with(s, NB_STR("Type"))) {
        s.len -= 4;
    }
    if (nb_str_ends_with(s, NB_STR("UDT"))) {
        s.len -= 3;
    }
    for (size_t i = 0; i < s.len; i++) {
        nb_strbuf_addc(b, nb_to_lower(s.data[i]));
    }
}

static void
write_type(nb_strbuf *b, const nb_type *t, spelling how)
{
    switch (t->id) {
    case NB_TYPE_DECIMAL:
        add_cased(b, "decimal", how);
        nb_strbuf_addf(b, "(%d,%d)", t->precision, t->scale);
        return;
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
        add_cased(b, t->id == NB_TYPE_CHAR ? "char" : "varchar", how);
        nb_strbuf_addf(b, "(%d)", t->length);
        return;
    case NB_TYPE_TIME:
        add_cased(b, "time", how);
        nb_strbuf_addf(b, "(%d)", t->precision);
        return;
    case NB_TYPE_INTERVAL_YM:
    case NB_TYPE_INTERVAL_DT: write_interval(b, t, how); return;
    case NB_TYPE_ARRAY:
        add_cased(b, "array<", how);
        write_type(b, t->children[0].type, how);
        nb_strbuf_addc(b, '>');
        return;
    case NB_TYPE_MAP:
        add_cased(b, "map<", how);
        write_type(b, t->children[0].type, how);
        nb_strbuf_adds(b, how == SQL ? ", " : ",");
        write_type(b, t->children[1].type, how);
        nb_strbuf_addc(b, '>');
        return;
    case NB_TYPE_STRUCT: write_struct(b, t, how); return;
    case NB_TYPE_UDT:
        if (how == SIMPLE) {
            write_udt(b, t);
        } else {
            write_type(b, t->children[0].type, how);
        }
        return;
    default: add_cased(b, simple_names[t->id], how);
    }
}

static const char *
type_text(nb_arena *arena, const nb_type *t, spelling how)
{
    nb_strbuf b = {0};

    write_type(&b, t, how);
    return nb_strbuf_finish(arena, &b).data;
}

const char *
nb_type_simple_string(nb_arena *arena, const nb_type *t)
{
    return type_text(arena, t, SIMPLE);
}

const char *
nb_type_catalog_string(nb_arena *arena, const nb_type *t)
{
    return type_text(arena, t, CATALOG);
}

const char *
nb_type_sql(nb_arena *arena, const nb_type *t)
{
    return type_text(arena, t, SQL);
}

static void
write_class(nb_strbuf *b, const nb_type *t)
{
    static const char *const names[NB_N_TYPES] = {
        [NB_TYPE_NULL] = "NullType",
        [NB_TYPE_BOOL] = "BooleanType",
        [NB_TYPE_INT8] = "ByteType",
        [NB_TYPE_INT16] = "ShortType",
        [NB_TYPE_INT32] = "IntegerType",
        [NB_TYPE_INT64] = "LongType",
        [NB_TYPE_FLOAT32] = "FloatType",
        [NB_TYPE_FLOAT64] = "DoubleType",
        [NB_TYPE_STRING] = "StringType",
        [NB_TYPE_BINARY] = "BinaryType",
        [NB_TYPE_DATE] = "DateType",
        [NB_TYPE_TIMESTAMP] = "TimestampType",
        [NB_TYPE_TIMESTAMP_NTZ] = "TimestampNTZType",
        [NB_TYPE_INTERVAL] = "CalendarIntervalType",
    };

    switch (t->id) {
    case NB_TYPE_DECIMAL: nb_strbuf_addf(b, "DecimalType(%d,%d)", t->precision, t->scale); return;
    case NB_TYPE_CHAR: nb_strbuf_addf(b, "CharType(%d)", t->length); return;
    case NB_TYPE_VARCHAR: nb_strbuf_addf(b, "VarcharType(%d)", t->length); return;
    case NB_TYPE_TIME: nb_strbuf_addf(b, "TimeType(%d)", t->precision); return;
    case NB_TYPE_INTERVAL_YM:
        nb_strbuf_addf(b, "YearMonthIntervalType(%d,%d)", t->start_field, t->end_field);
        return;
    case NB_TYPE_INTERVAL_DT:
        nb_strbuf_addf(b, "DayTimeIntervalType(%d,%d)", t->start_field, t->end_field);
        return;
    case NB_TYPE_ARRAY:
        nb_strbuf_adds(b, "ArrayType(");
        write_class(b, t->children[0].type);
        nb_strbuf_addf(b, ",%s)", t->children[0].nullable ? "true" : "false");
        return;
    case NB_TYPE_MAP:
        nb_strbuf_adds(b, "MapType(");
        write_class(b, t->children[0].type);
        nb_strbuf_addc(b, ',');
        write_class(b, t->children[1].type);
        nb_strbuf_addf(b, ",%s)", t->children[1].nullable ? "true" : "false");
        return;
    case NB_TYPE_STRUCT:
        nb_strbuf_adds(b, "StructType(");
        for (int i = 0; i < t->n_children; i++) {
            nb_strbuf_adds(b, i ? ",StructField(" : "StructField(");
            nb_strbuf_add(b, t->children[i].name);
            nb_strbuf_addc(b, ',');
            write_class(b, t->children[i].type);
            nb_strbuf_addf(b, ",%s)", t->children[i].nullable ? "true" : "false");
        }
        nb_strbuf_addc(b, ')');
        return;
    default:
        if (names[t->id]) {
            nb_strbuf_adds(b, names[t->id]);
        } else {
            write_type(b, t, SQL);
        }
    }
}

const char *
nb_type_class_name(nb_arena *arena, const nb_type *t)
{
    nb_strbuf b = {0};

    write_class(&b, t);
    return nb_strbuf_finish(arena, &b).data;
}
