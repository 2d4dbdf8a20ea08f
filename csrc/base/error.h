/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h: what went wrong, kept apart as Spark keeps it: condition, parameters, query context.
 *
 * The condition is a row of error_conditions.def. An nb_error belongs to the caller (usually on its stack), starts as
 * NB_ERROR_INIT, is set once by whoever found the fault, travels up unchanged and is cleared by nb_error_clear. `err` may be
 * NULL wherever it is a parameter. Nothing here allocates through pools; when malloc fails while an error is made,
 * the message falls back to the condition's name.
 */
#ifndef NB_BASE_ERROR_H
#define NB_BASE_ERROR_H

#include <stdbool.h>
#include "base/status.h"
#include "base/str.h"

/* Which Python (and Java) exception class a condition becomes. */
typedef enum nb_error_kind {
    NB_KIND_ANALYSIS,         /* AnalysisException */
    NB_KIND_PARSE,            /* ParseException */
    NB_KIND_ARITHMETIC,       /* ArithmeticException */
    NB_KIND_NUMBER_FORMAT,    /* NumberFormatException */
    NB_KIND_DATETIME,         /* DateTimeException */
    NB_KIND_ARRAY_INDEX,      /* ArrayIndexOutOfBoundsException */
    NB_KIND_ILLEGAL_ARGUMENT, /* IllegalArgumentException */
    NB_KIND_UNSUPPORTED,      /* UnsupportedOperationException */
    NB_KIND_RUNTIME,          /* SparkRuntimeException */
    NB_KIND_UPGRADE,          /* SparkUpgradeException */
    NB_KIND_EXECUTION,        /* SparkException (PySpark: PythonException's base, SparkException) */
    NB_KIND_NO_SUCH_ELEMENT,  /* SparkNoSuchElementException */
    NB_KIND_PYTHON,           /* PythonException */
    NB_KIND_UNKNOWN, /* UnknownException: of a class of Java that Python knows no class for */
    NB_KIND_NOT_IMPLEMENTED, /* PySparkNotImplementedError */
    NB_KIND_CONNECT, /* SparkConnectGrpcException: what another process says, or that it cannot be asked */
} nb_error_kind;

typedef enum nb_condition {
#define NB_CONDITION(id, name, sqlstate, kind, template) NB_COND_##id,
#include "base/error_conditions.def"
#undef NB_CONDITION
    NB_N_CONDITIONS
} nb_condition;

typedef struct nb_condition_info {
    const char *name;     /* "UNRESOLVED_COLUMN.WITH_SUGGESTION" */
    const char *sqlstate; /* "42703" */
    nb_error_kind kind;
    const char *message; /* template; <name> is a parameter */
} nb_condition_info;

/* Where in the user's text or code a fault lies. SQL text has positions, a DataFrame call has fragment and call site. */
typedef struct nb_query_context {
    bool is_dataframe;
    char *object_type, *object_name;
    char *fragment; /* the piece of SQL, or the name of the method */
    char *call_site;
    int line, position; /* line is 1-based, position 0-based in the line; 0/-1 when unknown */
    int start_index, stop_index; /* in fragment's whole text, inclusive; -1 when unknown */
    char *summary;               /* "== SQL (line 1, position 8) ==\n..." */
    bool
        is_syntax; /* summary is " (line 1, pos 7)\n\n== SQL ==\n…": it follows the message on its line */
} nb_query_context;

#define NB_ERROR_MAX_PARAMS 12

typedef struct nb_error {
    bool set;
    nb_condition condition;
    int n_params;
    char *keys[NB_ERROR_MAX_PARAMS];
    char *values[NB_ERROR_MAX_PARAMS];
    char *message; /* whole text as users see it: "[COND] text SQLSTATE: xxxxx" + context summary */
    nb_query_context *context; /* at most one; NULL when none */
    /* Of another process (nb_raise_foreign), whose table of conditions need not be ours: */
    bool is_foreign;
    char *foreign_name, *foreign_sqlstate; /* NULL when it gave none */
    nb_error_kind foreign_kind;
} nb_error;

#define NB_ERROR_INIT ((nb_error){0})

const nb_condition_info *nb_condition_get(nb_condition cond);

/* Fills err (if not NULL and not already set) and returns NB_ERROR. Then come pairs of const char *: name, value; NULL ends. */
nb_status nb_raise(nb_error *err, nb_condition cond, ...) __attribute__((sentinel));

/* INTERNAL_ERROR with a printf message: for faults that no user input should be able to cause. */
nb_status nb_raise_internal(nb_error *err, const char *fmt, ...) NB_PRINTF(2, 3);

/* What another process raised, word for word. The condition is the row of that name where there is one, else FOREIGN. All is
 * copied; n parameters from keys and values. */
nb_status
nb_raise_foreign(nb_error *err, nb_str name, nb_str sqlstate, nb_error_kind kind, nb_str message,
                 const char *const *keys, const char *const *values, int n);

/* Something that Spark has and nbaspark has not (yet): PySparkNotImplementedError naming the feature. */
nb_status nb_raise_unsupported(nb_error *err, const char *fmt, ...) NB_PRINTF(2, 3);

/* An I/O fault: operation ("open", "write"), path, errno. ENOENT gives PATH_NOT_FOUND, EACCES and the rest FAILED_READ_FILE/… . */
nb_status nb_raise_errno(nb_error *err, const char *operation, const char *path, int errnum);

/* FAILED_READ_FILE of a file by its plain path; reason is for the parameters only, as Spark's cause is. */
nb_status nb_raise_unreadable(nb_error *err, const char *path, const char *reason);

/* Adds a name and value that a higher layer knows; a name already there is left alone. */
void nb_error_add_context(nb_error *err, const char *name, const char *value);

/* Attaches the place in SQL text: [start, stop] are byte offsets into sql, inclusive. Only the first call counts. */
void nb_error_set_sql_context(nb_error *err, const char *sql, size_t sql_len, int start, int stop);
/* The place of a syntax error, in the layout of Spark's parser: "(line 1, pos 7)", the whole text, marks below its line. */
void nb_error_set_syntax_context(nb_error *err, const char *sql, size_t sql_len, size_t at);
/* The same for a DataFrame call: fragment is the method's name, call_site "file:line" text. */
void nb_error_set_dataframe_context(nb_error *err, const char *fragment, const char *call_site);

/* Of an error that is set: condition ("" when it has none), SQLSTATE, kind. Borrowed. */
const char *nb_error_name(const nb_error *err);
const char *nb_error_sqlstate(const nb_error *err);
nb_error_kind nb_error_get_kind(const nb_error *err);
/* The class of Java that Spark throws where the condition does not say it; NULL for others. */
const char *nb_error_java_class(const nb_error *err);
/* A place that another process has found; copied. Only the first call counts. */
void nb_error_set_context(nb_error *err, const nb_query_context *from);

const char *nb_error_message(const nb_error *err);                 /* never NULL */
const char *nb_error_param(const nb_error *err, const char *name); /* NULL when absent */

/* to must be empty. */
void nb_error_copy(const nb_error *from, nb_error *to);
void nb_error_move(nb_error *from, nb_error *to); /* to must be empty; from is left empty */
void nb_error_clear(nb_error *err);

#endif
