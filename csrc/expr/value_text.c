/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_text.c: single values of any type as text, for casts to string, show() and messages.
 */
#include "expr/cast.h"

#include <stdlib.h>

#include "base/decimal.h"
#include "expr/date_text.h"
#include "expr/local_time.h"
#include "expr/number_text.h"

static nb_int128
decimal_at(const nb_vector *v, int64_t i)
{
    return v->type->phys == NB_PHYS_INT64 ? NB_DATA(int64_t, v)[i] : NB_DATA(nb_int128, v)[i];
}

/* ---- intervals ------------------------------------------------------------------------------------------------------------------------------- */

static void
format_year_month(nb_strbuf *out, const nb_type *t, int32_t months)
{
    int64_t a = months < 0 ? -(int64_t)months : months;
    const char *sign = months < 0 ? "-" : "";

    if (t->start_field == t->end_field) {
        nb_strbuf_addf(out, "INTERVAL '%s%lld' %s", sign,
                       (long long)(t->start_field == 0 ? a / 12 : a),
                       t->start_field == 0 ? "YEAR" : "MONTH");
    } else {
        nb_strbuf_addf(out, "INTERVAL '%s%lld-%lld' YEAR TO MONTH", sign, (long long)(a / 12),
                       (long long)(a % 12));
    }
}

static void
add_seconds(nb_strbuf *out, int64_t us, bool two_digits)
{
    char text[24];
    int64_t fraction = us % NB_US_PER_SECOND;

    nb_strbuf_addf(out, two_digits ? "%02lld" : "%lld", (long long)(us / NB_US_PER_SECOND));
    if (fraction != 0) {
        int n = 6;

        for (int i = 5; i >= 0; i--) {
            text[i] = (char)('0' + fraction % 10);
            fraction /= 10;
        }
        while (text[n - 1] == '0') {
            n--;
        }
        nb_strbuf_addc(out, '.');
        nb_strbuf_add(out, (nb_str){text, (size_t)n});
    }
}

static void
format_day_time(nb_strbuf *out, const nb_type *t, int64_t us)
{
    static const char *const names[] = {"DAY", "HOUR", "MINUTE", "SECOND"};
    static const int64_t units[] = {NB_US_PER_DAY, 3600 * NB_US_PER_SECOND, 60 * NB_US_PER_SECOND,
                                    1};
    uint64_t a = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    int from = t->start_field, to = t->end_field;

    nb_strbuf_adds(out, "INTERVAL '");
    if (us < 0) {
        nb_strbuf_addc(out, '-');
    }
    for (int f = from; f <= to; f++) {
        uint64_t unit = (uint64_t)units[f];

        if (f > from) {
            nb_strbuf_addc(out, f == 1 ? ' ' : ':');
        }
        if (f == 3) {
            add_seconds(out, (int64_t)a, true);
        } else {
            nb_strbuf_addf(out, f > 0 ? "%02llu" : "%llu", (unsigned long long)(a / unit));
            a %= unit;
        }
    }
    nb_strbuf_addf(out, "' %s", names[from]);
    if (to > from) {
        nb_strbuf_addf(out, " TO %s", names[to]);
    }
}

static void
add_unit(nb_strbuf *out, bool *first, int64_t n, const char *unit)
{
    if (n != 0) {
        nb_strbuf_addf(out, "%s%lld %s", *first ? "" : " ", (long long)n, unit);
        *first = false;
    }
}

static void
format_calendar(nb_strbuf *out, const nb_interval *v)
{
    bool first = true;
    int64_t rest = v->us;

    add_unit(out, &first, v->months / 12, "years");
    add_unit(out, &first, v->months % 12, "months");
    add_unit(out, &first, v->days, "days");
    add_unit(out, &first, rest / (3600 * NB_US_PER_SECOND), "hours");
    rest %= 3600 * NB_US_PER_SECOND;
    add_unit(out, &first, rest / (60 * NB_US_PER_SECOND), "minutes");
    rest %= 60 * NB_US_PER_SECOND;
    if (rest != 0) {
        nb_strbuf_adds(out, first ? "" : " ");
        if (rest < 0) {
            nb_strbuf_addc(out, '-');
        }
        add_seconds(out, rest < 0 ? -rest : rest, false);
        nb_strbuf_adds(out, " seconds");
        first = false;
    }
    if (first) {
        nb_strbuf_adds(out, "0 seconds");
    }
}

/* ML vectors: "[1.0,2.0]", "(3,[1],[2.0])". */
static void
format_vector(nb_strbuf *out, const nb_session_info *info, const nb_vector *v, int64_t row)
{
    enum { KIND, SIZE, INDICES, VALUES };
    bool sparse, first;

    for (int i = 0; i < 4; i++) {
        if (v->children[i].kind == NB_VEC_DICT) {
            return;
        }
    }
    sparse = NB_DATA(int8_t, &v->children[KIND])[nb_vector_slot(&v->children[KIND], row)] == 0;
    if (sparse) {
        nb_strbuf_addc(out, '(');
        nb_format_value(out, info, &v->children[SIZE], row, NB_TEXT_CAST);
        nb_strbuf_addc(out, ',');
    }
    for (int i = sparse ? INDICES : VALUES; i <= VALUES; i++) {
        const nb_vector *c = &v->children[i];
        nb_list list = NB_DATA(nb_list, c)[nb_vector_slot(c, row)];

        nb_strbuf_addc(out, '[');
        first = true;
        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            nb_strbuf_adds(out, first ? "" : ",");
            nb_format_value(out, info, &c->children[0], k, NB_TEXT_CAST);
            first = false;
        }
        nb_strbuf_adds(out, sparse && i == INDICES ? "]," : "]");
    }
    if (sparse) {
        nb_strbuf_addc(out, ')');
    }
}

/* ---- all types -------------------------------------------------------------------------------------------------------------------------------- */

static void
format_nested(nb_strbuf *out, const nb_session_info *info, const nb_vector *v, int64_t row,
              nb_text_style style)
{
    const nb_type *t = nb_type_storage(v->type);

    if (v->type == nb_type_ml_vector()) {
        format_vector(out, info, v, row);
    } else if (t->id == NB_TYPE_STRUCT) {
        nb_strbuf_addc(out, '{');
        for (int i = 0; i < t->n_children; i++) {
            nb_strbuf_adds(out, i > 0 ? ", " : "");
            nb_format_value(out, info, &v->children[i], row, style);
        }
        nb_strbuf_addc(out, '}');
    } else {
        nb_list list = NB_DATA(nb_list, v)[row];

        nb_strbuf_addc(out, t->id == NB_TYPE_MAP ? '{' : '[');
        for (uint32_t k = list.offset; k < list.offset + list.len; k++) {
            nb_strbuf_adds(out, k > list.offset ? ", " : "");
            nb_format_value(out, info, &v->children[0], k, style);
            if (t->id == NB_TYPE_MAP) {
                nb_strbuf_adds(out, " -> ");
                nb_format_value(out, info, &v->children[1], k, style);
            }
        }
        nb_strbuf_addc(out, t->id == NB_TYPE_MAP ? '}' : ']');
    }
}

void
nb_format_value(nb_strbuf *out, const nb_session_info *info, const nb_vector *v, int64_t row,
                nb_text_style style)
{
    const nb_type *t = nb_type_storage(v->type);
    char text[NB_DECIMAL_CHARS + NB_TIMESTAMP_TEXT];
    int n = 0;

    if (nb_vector_is_null(v, row)) {
        nb_strbuf_adds(out, style == NB_TEXT_PRETTY ? "NULL" : "null");
        return;
    }
    if (v->kind == NB_VEC_DICT) {
        nb_format_value(out, info, v->dict, v->indices[row], style);
        return;
    }
    row = nb_vector_slot(v, row);
    switch (t->id) {
    case NB_TYPE_NULL: return;
    case NB_TYPE_BOOL: nb_strbuf_adds(out, NB_DATA(uint8_t, v)[row] ? "true" : "false"); return;
    case NB_TYPE_INT8: n = nb_format_int64(text, NB_DATA(int8_t, v)[row]); break;
    case NB_TYPE_INT16: n = nb_format_int64(text, NB_DATA(int16_t, v)[row]); break;
    case NB_TYPE_INT32: n = nb_format_int64(text, NB_DATA(int32_t, v)[row]); break;
    case NB_TYPE_INT64: n = nb_format_int64(text, NB_DATA(int64_t, v)[row]); break;
    case NB_TYPE_FLOAT32: n = nb_format_float(text, NB_DATA(float, v)[row]); break;
    case NB_TYPE_FLOAT64: n = nb_format_double(text, NB_DATA(double, v)[row]); break;
    case NB_TYPE_DECIMAL:
        n = (int)(info != NULL && !info->ansi && style == NB_TEXT_CAST
                      ? nb_decimal_format_sci(decimal_at(v, row), t->scale, text)
                      : nb_decimal_format(decimal_at(v, row), t->scale, text));
        break;
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR: nb_strbuf_add(out, nb_view_str(NB_DATA(nb_view, v) + row)); return;
    case NB_TYPE_BINARY: {
        static const char hex[] = "0123456789ABCDEF";
        nb_str s = nb_view_str(NB_DATA(nb_view, v) + row);

        if (style != NB_TEXT_PRETTY) {
            nb_strbuf_add(out, s);
            return;
        }
        nb_strbuf_addc(out, '[');
        for (size_t i = 0; i < s.len; i++) {
            char byte[] = {' ', hex[(unsigned char)s.data[i] >> 4], hex[s.data[i] & 15]};

            nb_strbuf_add(out, (nb_str){byte + (i == 0), sizeof byte - (i == 0)});
        }
        nb_strbuf_addc(out, ']');
        return;
    }
    case NB_TYPE_DATE: n = nb_format_date(text, NB_DATA(int32_t, v)[row]); break;
    case NB_TYPE_TIMESTAMP:
        n = nb_format_timestamp(text, nb_local_from_utc(info, NB_DATA(int64_t, v)[row]));
        break;
    case NB_TYPE_TIMESTAMP_NTZ: n = nb_format_timestamp(text, NB_DATA(int64_t, v)[row]); break;
    case NB_TYPE_TIME: n = nb_format_time(text, NB_DATA(int64_t, v)[row]); break;
    case NB_TYPE_INTERVAL_YM: format_year_month(out, t, NB_DATA(int32_t, v)[row]); return;
    case NB_TYPE_INTERVAL_DT: format_day_time(out, t, NB_DATA(int64_t, v)[row]); return;
    case NB_TYPE_INTERVAL: format_calendar(out, NB_DATA(nb_interval, v) + row); return;
    default: format_nested(out, info, v, row, style); return;
    }
    nb_strbuf_add(out, (nb_str){text, (size_t)n});
}

static void
sql_value(nb_strbuf *out, const nb_vector *v, int64_t row)
{
    static const struct {
        nb_type_id id;
        const char *before, *after;
    } frames[] = {
        {NB_TYPE_INT8, "", "Y"},
        {NB_TYPE_INT16, "", "S"},
        {NB_TYPE_INT64, "", "L"},
        {NB_TYPE_DECIMAL, "", "BD"},
        {NB_TYPE_DATE, "DATE '", "'"},
        {NB_TYPE_TIMESTAMP, "TIMESTAMP '", "'"},
        {NB_TYPE_TIMESTAMP_NTZ, "TIMESTAMP_NTZ '", "'"},
    };

    if (nb_vector_is_null(v, row)) {
        nb_strbuf_adds(out, "NULL");
        return;
    }
    if (nb_type_is_string(v->type)) {
        nb_strbuf text = {0};

        nb_format_value(&text, NULL, v, row, NB_TEXT_CAST);
        nb_strbuf_addc(out, '\'');
        for (size_t i = 0; i < text.len; i++) {
            if (text.data[i] == '\'' || text.data[i] == '\\') {
                nb_strbuf_addc(out, '\\');
            }
            nb_strbuf_addc(out, text.data[i]);
        }
        nb_strbuf_addc(out, '\'');
        nb_strbuf_free(&text);
        return;
    }
    if (v->type->id == NB_TYPE_BINARY) {
        nb_strbuf_adds(out, "X'");
        nb_strbuf_add_hex(out, nb_view_str(NB_DATA(nb_view, v) + row));
        nb_strbuf_addc(out, '\'');
        return;
    }
    if (v->type->id == NB_TYPE_FLOAT64) {
        size_t before = out->len;

        nb_format_value(out, NULL, v, row, NB_TEXT_CAST);
        if (out->len > before && out->data[out->len - 1] >= '0' && out->data[out->len - 1] <= '9') {
            nb_strbuf_addc(out, 'D'); /* NaN and Infinity have none */
        }
        return;
    }
    for (size_t i = 0; i < NB_COUNT_OF(frames); i++) {
        if (frames[i].id == v->type->id) {
            nb_strbuf_adds(out, frames[i].before);
            nb_format_value(out, NULL, v, row, NB_TEXT_CAST);
            nb_strbuf_adds(out, frames[i].after);
            return;
        }
    }
    nb_format_value(out, NULL, v, row, NB_TEXT_CAST);
}

const char *
nb_sql_value(nb_arena *arena, const nb_vector *v, int64_t row)
{
    nb_strbuf text = {0};
    const char *copy;

    sql_value(&text, v, row);
    copy = nb_strbuf_finish(arena, &text).data;
    return copy ? copy : "";
}
