/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sql.c: any text through every entry point of the SQL parser; what parses must also pack.
 *
 * The first byte chooses the entry point, so that the corpus grows for each of them.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "sql/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
pack(const ProtobufCMessage *msg)
{
    size_t n = protobuf_c_message_get_packed_size(msg);
    uint8_t *bytes;

    if (n > ((size_t)1 << 24)) { /* shared sub-trees may unfold */
        return;
    }
    bytes = malloc(n + 1);
    if (bytes) {
        if (protobuf_c_message_pack(msg, bytes) != n) {
            abort();
        }
        free(bytes);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_error err = NB_ERROR_INIT;
    nb_str text;
    nb_sql_statement statement;
    Sc__Expression *expr;
    Sc__DataType *type;
    nb_str *parts;
    size_t n;
    nb_status st;

    if (size < 1 || !arena) {
        nb_arena_free(arena);
        return 0;
    }
    text = (nb_str){(const char *)data + 1, size - 1};
    switch (data[0] & 7) {
    default:
        st = nb_sql_parse_statement(arena, text, NULL, &statement, &err);
        if (st >= 0 && statement.query) {
            pack(&statement.query->base);
        }
        break;
    case 4:
    case 5:
        st = nb_sql_parse_expression(arena, text, &expr, &err);
        if (st >= 0) {
            pack(&expr->base);
        }
        break;
    case 6:
        st = nb_sql_parse_table_schema(arena, text, &type, &err);
        if (st >= 0) {
            pack(&type->base);
        }
        break;
    case 7: st = nb_sql_parse_identifier(arena, text, &parts, &n, &err); break;
    }
    if (st < 0 && !err.set) {
        abort(); /* a failure without a reason */
    }
    nb_error_clear(&err);
    nb_arena_free(arena);
    return 0;
}
