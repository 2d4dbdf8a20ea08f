/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c: see status.h.
 *
 * Trailers are bounded (a client's limit is 8 or 16 KiB for all of them together), so the message is cut and the parameters left
 * out when they are long; the whole is for FetchErrorDetails.
 */
#include "rpc/status.h"

#include <stdio.h>
#include "base/arena.h"
#include "base/utf8.h"
#include "expr/json.h"
#include "google/rpc/status.pb-c.h"
#include "plan/message_unpack.h"

#define MESSAGE_BYTES    2048 /* as Spark cuts it */
#define PARAMETERS_BYTES 1024
#define DOMAIN           "org.apache.spark"
#define ERROR_INFO_URL   "type.googleapis.com/google.rpc.ErrorInfo"

static const char *const CODE_NAMES[] = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

const char *
nb_rpc_code_name(nb_rpc_code code)
{
    return (unsigned)code < NB_COUNT_OF(CODE_NAMES) ? CODE_NAMES[code] : "UNKNOWN";
}

void
nb_rpc_status_clear(nb_rpc_status *s)
{
    nb_strbuf_free(&s->message);
    nb_strbuf_free(&s->details);
    s->code = NB_RPC_OK;
}

/* ---- kinds and classes ---- */

#define MAX_CLASSES 6 /* with the NULL behind */

/* The first class of a row is its name: no two rows share it. Later rows may have it among their ancestors. */
static const char *const CLASSES[][MAX_CLASSES] = {
    [NB_KIND_ANALYSIS] = {"org.apache.spark.sql.AnalysisException", "java.lang.Exception"},
    [NB_KIND_PARSE] = {"org.apache.spark.sql.catalyst.parser.ParseException",
                       "org.apache.spark.sql.AnalysisException", "java.lang.Exception"},
    [NB_KIND_ARITHMETIC] = {"org.apache.spark.SparkArithmeticException",
                            "java.lang.ArithmeticException", "java.lang.RuntimeException"},
    [NB_KIND_NUMBER_FORMAT] = {"org.apache.spark.SparkNumberFormatException",
                               "java.lang.NumberFormatException",
                               "java.lang.IllegalArgumentException", "java.lang.RuntimeException"},
    [NB_KIND_DATETIME] = {"org.apache.spark.SparkDateTimeException", "java.time.DateTimeException",
                          "java.lang.RuntimeException"},
    [NB_KIND_ARRAY_INDEX] = {"org.apache.spark.SparkArrayIndexOutOfBoundsException",
                             "java.lang.ArrayIndexOutOfBoundsException",
                             "java.lang.RuntimeException"},
    [NB_KIND_ILLEGAL_ARGUMENT] = {"org.apache.spark.SparkIllegalArgumentException",
                                  "java.lang.IllegalArgumentException",
                                  "java.lang.RuntimeException"},
    [NB_KIND_UNSUPPORTED] = {"org.apache.spark.SparkUnsupportedOperationException",
                             "java.lang.UnsupportedOperationException",
                             "java.lang.RuntimeException"},
    [NB_KIND_RUNTIME] = {"org.apache.spark.SparkRuntimeException", "java.lang.RuntimeException"},
    [NB_KIND_UPGRADE] = {"org.apache.spark.SparkUpgradeException", "java.lang.RuntimeException"},
    [NB_KIND_EXECUTION] = {"org.apache.spark.SparkException", "java.lang.Exception"},
    [NB_KIND_NO_SUCH_ELEMENT] = {"org.apache.spark.SparkNoSuchElementException",
                                 "java.util.NoSuchElementException"},
    [NB_KIND_PYTHON] = {"org.apache.spark.api.python.PythonException",
                        "java.lang.RuntimeException"},
    [NB_KIND_UNKNOWN] = {"java.lang.Throwable"},
    /* Clients other than ours see an unsupported operation. */
    [NB_KIND_NOT_IMPLEMENTED] = {"nbaspark.PySparkNotImplementedError",
                                 "java.lang.UnsupportedOperationException",
                                 "java.lang.RuntimeException"},
    [NB_KIND_CONNECT] = {"java.lang.Exception"},
};

/* Java's and Connect's own classes that mean a kind, too. */
static const struct {
    const char *name;
    nb_error_kind kind;
} ANCESTORS[] = {
    {"java.lang.ArithmeticException", NB_KIND_ARITHMETIC},
    {"java.lang.NumberFormatException", NB_KIND_NUMBER_FORMAT},
    {"java.time.DateTimeException", NB_KIND_DATETIME},
    {"java.lang.ArrayIndexOutOfBoundsException", NB_KIND_ARRAY_INDEX},
    {"java.lang.IllegalArgumentException", NB_KIND_ILLEGAL_ARGUMENT},
    {"java.lang.UnsupportedOperationException", NB_KIND_UNSUPPORTED},
    {"org.apache.spark.sql.connect.common.InvalidPlanInput", NB_KIND_ANALYSIS},
};

static const char *const INVALID_PLAN_INPUT[] = {
    "org.apache.spark.sql.connect.common.InvalidPlanInput", "java.lang.RuntimeException", NULL};

static const char *const CLASS_NOT_FOUND[] = {"org.apache.spark.SparkClassNotFoundException",
                                              "java.lang.ClassNotFoundException", NULL};
/* The names of conditions that are classes of Java themselves (nb_error_java_class). */
static const char *const PLAIN_CLASSES[][2] = {
#define NB_CONDITION(id, name, sqlstate, kind, template) [NB_COND_##id] = {name, NULL},
#include "base/error_conditions.def"
#undef NB_CONDITION
};

const char *const *
nb_rpc_error_classes(const nb_error *err)
{
    const char *type;

    if (!err->is_foreign && nb_error_java_class(err) != NULL) {
        return err->condition == NB_COND_DATA_SOURCE_NOT_FOUND ? CLASS_NOT_FOUND
                                                               : PLAIN_CLASSES[err->condition];
    }

    /* conditions for which Spark has a class of their own, or one that depends on what was cast */
    if (nb_str_starts_with(nb_str_of(nb_error_name(err)), NB_STR("CONNECT_INVALID_PLAN"))) {
        return INVALID_PLAN_INPUT;
    }
    if (err->condition == NB_COND_CAST_INVALID_INPUT) {
        type = nb_error_param(err, "targetType");
        type = type ? type : "";
        if (strcmp(type, "\"BOOLEAN\"") == 0) {
            return CLASSES[NB_KIND_RUNTIME];
        }
        if (strncmp(type, "\"DATE", 5) == 0 || strncmp(type, "\"TIME", 5) == 0) {
            return CLASSES[NB_KIND_DATETIME];
        }
    }
    return CLASSES[nb_error_get_kind(err)];
}

nb_error_kind
nb_rpc_kind_of_classes(const nb_str *classes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < NB_COUNT_OF(CLASSES); k++) {
            if (k != NB_KIND_CONNECT && nb_str_equal(classes[i], nb_str_of(CLASSES[k][0]))) {
                return (nb_error_kind)k;
            }
        }
        for (size_t k = 0; k < NB_COUNT_OF(ANCESTORS); k++) {
            if (nb_str_equal(classes[i], nb_str_of(ANCESTORS[k].name))) {
                return ANCESTORS[k].kind;
            }
        }
    }
    return NB_KIND_CONNECT;
}

/* ---- error → status ---- */

static ProtobufCBinaryData
bytes_of(const nb_strbuf *b)
{
    return (ProtobufCBinaryData){b->len, (uint8_t *)b->data};
}

static nb_str
str_of(ProtobufCBinaryData b)
{
    return (nb_str){b.data ? (const char *)b.data : "", b.len};
}

static void
put_classes(nb_strbuf *out, const char *const *classes)
{
    nb_strbuf_addc(out, '[');
    for (int i = 0; classes[i]; i++) {
        nb_strbuf_addf(out, "%s\"%s\"", i ? "," : "", classes[i]);
    }
    nb_strbuf_addc(out, ']');
}

static void
put_parameters(nb_strbuf *out, const nb_error *err)
{
    nb_strbuf clean = {0};

    nb_strbuf_addc(out, '{');
    for (int i = 0; i < err->n_params; i++) {
        nb_strbuf_adds(out, i ? "," : "");
        nb_json_put_string(out, nb_str_of(err->keys[i] ? err->keys[i] : ""));
        nb_strbuf_addc(out, ':');
        clean.len = 0;
        nb_utf8_add_clean(&clean, nb_str_of(err->values[i] ? err->values[i] : ""),
                          PARAMETERS_BYTES + 1);
        nb_json_put_string(out, nb_strbuf_str(&clean));
    }
    nb_strbuf_addc(out, '}');
    out->failed |= clean.failed;
    nb_strbuf_free(&clean);
}

/* Appends the packed message. */
static void
pack(nb_strbuf *out, const ProtobufCMessage *m)
{
    size_t n = protobuf_c_message_get_packed_size(m), at = out->len;

    nb_strbuf_fill(out, 0, n);
    if (!out->failed) {
        protobuf_c_message_pack(m, (uint8_t *)out->data + at);
    }
}

void
nb_rpc_status_of_error(nb_rpc_status *out, nb_status st, const nb_error *err, nb_str error_id)
{
    enum { CLASS_LIST, NAME, SQLSTATE, PARAMETERS, ID, N };
    static const char *const KEYS[N] = {"classes", "errorClass", "sqlState", "messageParameters",
                                        "errorId"};
    nb_error made = NB_ERROR_INIT;
    nb_strbuf values[N] = {{0}}, packed = {0};
    Google__Rpc__ErrorInfo__MetadataEntry entries[N], *list[N];
    Google__Rpc__ErrorInfo info = {.base = {.descriptor = &google__rpc__error_info__descriptor}};
    Google__Rpc__Status status = {.base = {.descriptor = &google__rpc__status__descriptor}};
    Google__Protobuf__Any any = {.base = {.descriptor = &google__protobuf__any__descriptor}};
    Google__Protobuf__Any *details = &any;
    const char *const *classes;
    const char *reason;

    if (err == NULL || !err->set) {
        if (st == NB_NOMEM) {
            nb_raise(&made, NB_COND_OUT_OF_MEMORY, NULL);
        } else if (st == NB_CANCELLED) {
            nb_raise(&made, NB_COND_OPERATION_CANCELED, NULL);
        } else {
            nb_raise_internal(&made, "a call failed with status %d and no error", (int)st);
        }
        err = &made;
    }
    classes = nb_rpc_error_classes(err);
    out->code = NB_RPC_INTERNAL;
    nb_utf8_add_clean(&out->message, nb_str_of(nb_error_message(err)), MESSAGE_BYTES);
    put_classes(&values[CLASS_LIST], classes);
    nb_strbuf_adds(&values[NAME], nb_error_name(err));
    nb_strbuf_adds(&values[SQLSTATE], nb_error_sqlstate(err));
    put_parameters(&values[PARAMETERS], err);
    nb_strbuf_add(&values[ID], error_id);
    for (int i = 0; i < N; i++) {
        if (values[i].len == 0 || values[i].failed ||
            (i == PARAMETERS && values[i].len > PARAMETERS_BYTES)) {
            continue;
        }
        entries[i] = (Google__Rpc__ErrorInfo__MetadataEntry){
            .base = {.descriptor = &google__rpc__error_info__metadata_entry__descriptor},
            .key = (char *)KEYS[i],
            .has_value = true,
            .value = bytes_of(&values[i])};
        list[info.n_metadata++] = &entries[i];
    }
    info.metadata = list;
    reason = classes[0];
    info.has_reason = info.has_domain = true;
    info.reason = (ProtobufCBinaryData){strlen(reason), (uint8_t *)reason};
    info.domain = (ProtobufCBinaryData){strlen(DOMAIN), (uint8_t *)DOMAIN};
    pack(&packed, &info.base);
    any.has_type_url = any.has_value = true;
    any.type_url = (ProtobufCBinaryData){strlen(ERROR_INFO_URL), (uint8_t *)ERROR_INFO_URL};
    any.value = bytes_of(&packed);
    status.has_code = status.has_message = true;
    status.code = (int)out->code;
    status.message = bytes_of(&out->message);
    status.n_details = 1;
    status.details = &details;
    if (!packed.failed && !out->message.failed) {
        pack(&out->details, &status.base);
    }
    for (int i = 0; i < N; i++) {
        nb_strbuf_free(&values[i]);
    }
    nb_strbuf_free(&packed);
    nb_error_clear(&made);
}

/* ---- status → error ---- */

/* What an ErrorInfo says, in an arena. */
typedef struct info {
    nb_str message;
    nb_str name, sqlstate, error_id;
    nb_error_kind kind;
    const char *keys[NB_ERROR_MAX_PARAMS], *values[NB_ERROR_MAX_PARAMS];
    int n_params;
} info;

static void
read_classes(nb_str text, info *out)
{
    nb_json j = nb_json_of(text);
    nb_strbuf name = {0};
    bool first = true, bad = false, ours = false;
    int n = 0;

    out->kind = NB_KIND_CONNECT;
    if (nb_json_peek(&j) == NB_JSON_ARRAY && nb_json_enter(&j)) {
        while (out->kind == NB_KIND_CONNECT && nb_json_more(&j, ']', &first, &bad)) {
            nb_str class_name;
            name.len = 0;
            if (nb_json_peek(&j) != NB_JSON_STRING || !nb_json_string(&j, &name)) {
                break;
            }
            class_name = nb_strbuf_str(&name);
            ours |= n++ == 0 && nb_str_equal(class_name, nb_str_of(CLASSES[NB_KIND_CONNECT][0]));
            out->kind = nb_rpc_kind_of_classes(&class_name, 1);
        }
    }
    if (out->kind == NB_KIND_CONNECT && n > 0 && !ours) {
        out->kind = NB_KIND_UNKNOWN;
    }
    nb_strbuf_free(&name);
}

static void
read_parameters(nb_arena *arena, nb_str text, info *out)
{
    nb_json j = nb_json_of(text);
    nb_strbuf key = {0}, value = {0};
    bool first = true, bad = false;

    if (nb_json_peek(&j) == NB_JSON_OBJECT && nb_json_enter(&j)) {
        while (out->n_params < NB_ERROR_MAX_PARAMS && nb_json_more(&j, '}', &first, &bad)) {
            const char *k, *v;
            key.len = value.len = 0;
            if (!nb_json_name(&j, &key) || nb_json_peek(&j) != NB_JSON_STRING ||
                !nb_json_string(&j, &value)) {
                break;
            }
            k = nb_arena_strdup(arena, nb_strbuf_str(&key));
            v = nb_arena_strdup(arena, nb_strbuf_str(&value));
            if (!k || !v || key.failed || value.failed) {
                break;
            }
            out->keys[out->n_params] = k;
            out->values[out->n_params++] = v;
        }
    }
    nb_strbuf_free(&key);
    nb_strbuf_free(&value);
}

/* False when there is no ErrorInfo in the details that could be read. */
static bool
read_details(nb_arena *arena, const nb_rpc_status *s, info *out)
{
    ProtobufCMessage *m;
    const Google__Rpc__Status *status;
    const Google__Rpc__ErrorInfo *found = NULL;

    if (s->details.len == 0 || nb_message_unpack(arena, &google__rpc__status__descriptor,
                                                 s->details.data, s->details.len, &m, NULL) < 0) {
        return false;
    }
    status = (const Google__Rpc__Status *)m;
    for (size_t i = 0; i < status->n_details && !found; i++) {
        const Google__Protobuf__Any *any = status->details[i];
        if (nb_str_ends_with(str_of(any->type_url), NB_STR("/google.rpc.ErrorInfo")) &&
            nb_message_unpack(arena, &google__rpc__error_info__descriptor, any->value.data,
                              any->value.len, &m, NULL) >= 0) {
            found = (const Google__Rpc__ErrorInfo *)m;
        }
    }
    if (!found) {
        return false;
    }
    out->message = str_of(status->message);
    out->kind = NB_KIND_CONNECT;
    for (size_t i = 0; i < found->n_metadata; i++) {
        nb_str key = nb_str_of(found->metadata[i]->key), value = str_of(found->metadata[i]->value);
        if (nb_str_equal(key, NB_STR("classes"))) {
            read_classes(value, out);
        } else if (nb_str_equal(key, NB_STR("errorClass"))) {
            out->name = value;
        } else if (nb_str_equal(key, NB_STR("sqlState"))) {
            out->sqlstate = value;
        } else if (nb_str_equal(key, NB_STR("messageParameters"))) {
            read_parameters(arena, value, out);
        } else if (nb_str_equal(key, NB_STR("errorId"))) {
            out->error_id = value;
        }
    }
    return true;
}

nb_status
nb_rpc_status_raise(const nb_rpc_status *s, nb_strbuf *error_id, nb_error *err)
{
    nb_arena *arena;
    info i = {.kind = NB_KIND_CONNECT};
    nb_strbuf text = {0};

    if (error_id) {
        error_id->len = 0;
    }
    if (s->code == NB_RPC_OK) {
        return NB_OK;
    }
    arena = nb_arena_new(NULL);
    if (arena && read_details(arena, s, &i)) {
        nb_raise_foreign(err, i.name, i.sqlstate, i.kind, i.message, i.keys, i.values, i.n_params);
        if (error_id) {
            nb_strbuf_add(error_id, i.error_id);
        }
    } else {
        nb_strbuf_addf(&text, "%s: ", nb_rpc_code_name(s->code));
        nb_strbuf_add(&text, nb_strbuf_str(&s->message));
        nb_raise_foreign(err, (nb_str){NULL, 0}, (nb_str){NULL, 0}, NB_KIND_CONNECT,
                         nb_strbuf_str(&text), NULL, NULL, 0);
        nb_strbuf_free(&text);
    }
    nb_arena_free(arena);
    return NB_ERROR;
}
