/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_schema.c: see out_schema.h.
 */
#include "io/parquet/out_schema.h"

typedef struct builder {
    nb_arena *arena;
    nb_pq_out_schema *schema;
    nb_strbuf elements;
    nb_str path[2 * NB_PQ_MAX_LEVEL + 8];
    int depth;
    int cap; /* of leaves */
} builder;

enum { REQUIRED, OPTIONAL, REPEATED };
enum { CONVERTED_MAP = 1, CONVERTED_LIST = 3 };

/* Bytes that hold a decimal of this precision. */
static int
decimal_bytes(int precision)
{
    nb_int128 max = 1;
    int n = 1;

    for (int i = 0; i < precision; i++) {
        max *= 10;
    }
    while (n < 16 && (((nb_int128)1 << (8 * n - 1)) < max)) {
        n++;
    }
    return n;
}

static void
form_of(const nb_type *t, nb_pq_out_leaf *leaf)
{
    static const struct {
        nb_pq_type physical;
        int width;
    } STORED[] = {[NB_PQ_BITS] = {NB_PQ_BOOLEAN, 1},      [NB_PQ_INTS] = {NB_PQ_INT32, 4},
                  [NB_PQ_LONGS] = {NB_PQ_INT64, 8},       [NB_PQ_FLOATS] = {NB_PQ_FLOAT, 4},
                  [NB_PQ_DOUBLES] = {NB_PQ_DOUBLE, 8},    [NB_PQ_WIDES] = {NB_PQ_FIXED, 16},
                  [NB_PQ_STRINGS] = {NB_PQ_BYTE_ARRAY, 0}};

    switch (t->phys) {
    case NB_PHYS_NONE:
    case NB_PHYS_BOOL: leaf->form = NB_PQ_BITS; break;
    case NB_PHYS_INT8:
    case NB_PHYS_INT16:
    case NB_PHYS_INT32: leaf->form = NB_PQ_INTS; break;
    case NB_PHYS_INT64:
        leaf->form = t->id == NB_TYPE_DECIMAL && t->precision <= 9 ? NB_PQ_INTS : NB_PQ_LONGS;
        break;
    case NB_PHYS_FLOAT: leaf->form = NB_PQ_FLOATS; break;
    case NB_PHYS_DOUBLE: leaf->form = NB_PQ_DOUBLES; break;
    case NB_PHYS_INT128: leaf->form = NB_PQ_WIDES; break;
    default: leaf->form = NB_PQ_STRINGS; break;
    }
    leaf->physical = STORED[leaf->form].physical;
    leaf->width = STORED[leaf->form].width;
    if (leaf->form == NB_PQ_WIDES) {
        leaf->width = decimal_bytes(t->precision);
    }
    leaf->is_text = nb_type_is_string(t);
}

/* ---- elements -------------------------------------------------------------------------------- */

static void
put_logical(nb_strbuf *b, int *last, const nb_type *t)
{
    int inner = 0, deep = 0, unit = 0;

    switch (t->id) {
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
    case NB_TYPE_DATE:
    case NB_TYPE_NULL:
        nb_thrift_put_field(b, last, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner,
                            t->id == NB_TYPE_DATE   ? 6
                            : t->id == NB_TYPE_NULL ? 11
                                                    : 1,
                            NB_T_STRUCT);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        break;
    case NB_TYPE_DECIMAL:
        nb_thrift_put_field(b, last, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner, 5, NB_T_STRUCT);
        nb_thrift_put_int(b, &deep, 1, NB_T_I32, t->scale);
        nb_thrift_put_int(b, &deep, 2, NB_T_I32, t->precision);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        break;
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ:
        nb_thrift_put_field(b, last, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner, 8, NB_T_STRUCT);
        nb_thrift_put_field(b, &deep, 1, t->id == NB_TYPE_TIMESTAMP ? NB_T_TRUE : NB_T_FALSE);
        nb_thrift_put_field(b, &deep, 2, NB_T_STRUCT);
        nb_thrift_put_field(b, &unit, 2, NB_T_STRUCT);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        break;
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
        nb_thrift_put_field(b, last, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &deep, 1, NB_T_BYTE);
        nb_strbuf_addc(b, t->id == NB_TYPE_INT8 ? 8 : 16);
        nb_thrift_put_field(b, &deep, 2, NB_T_TRUE);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        break;
    default: break;
    }
}

static int
converted_of(const nb_type *t)
{
    switch (t->id) {
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR: return 0;
    case NB_TYPE_DECIMAL: return 5;
    case NB_TYPE_DATE: return 6;
    case NB_TYPE_TIMESTAMP: return 10;
    case NB_TYPE_INT8: return 15;
    case NB_TYPE_INT16: return 16;
    default: return -1;
    }
}

static void
put_leaf(builder *b, const nb_pq_out_leaf *leaf, nb_str name, bool optional)
{
    nb_strbuf *e = &b->elements;
    int converted = converted_of(leaf->type), last = 0;

    nb_thrift_put_int(e, &last, 1, NB_T_I32, leaf->physical);
    if (leaf->physical == NB_PQ_FIXED) {
        nb_thrift_put_int(e, &last, 2, NB_T_I32, leaf->width);
    }
    nb_thrift_put_int(e, &last, 3, NB_T_I32, optional ? OPTIONAL : REQUIRED);
    nb_thrift_put_binary(e, &last, 4, name);
    if (converted >= 0) {
        nb_thrift_put_int(e, &last, 6, NB_T_I32, converted);
    }
    if (leaf->type->id == NB_TYPE_DECIMAL) {
        nb_thrift_put_int(e, &last, 7, NB_T_I32, leaf->type->scale);
        nb_thrift_put_int(e, &last, 8, NB_T_I32, leaf->type->precision);
    }
    put_logical(e, &last, leaf->type);
    nb_thrift_put_stop(e);
    b->schema->n_elements++;
}

/* converted: CONVERTED_LIST, CONVERTED_MAP or -1; the logical type goes with it. */
static void
put_group(builder *b, nb_str name, int repetition, int n_children, int converted)
{
    nb_strbuf *e = &b->elements;
    int last = 0, inner = 0;

    if (repetition >= 0) {
        nb_thrift_put_int(e, &last, 3, NB_T_I32, repetition);
    }
    nb_thrift_put_binary(e, &last, 4, name);
    nb_thrift_put_int(e, &last, 5, NB_T_I32, n_children);
    if (converted >= 0) {
        nb_thrift_put_int(e, &last, 6, NB_T_I32, converted);
        nb_thrift_put_field(e, &last, 10, NB_T_STRUCT);
        nb_thrift_put_field(e, &inner, converted == CONVERTED_LIST ? 3 : 2, NB_T_STRUCT);
        nb_thrift_put_stop(e);
        nb_thrift_put_stop(e);
    }
    nb_thrift_put_stop(e);
    b->schema->n_elements++;
}

/* ---- the tree -------------------------------------------------------------------------------- */

static nb_status
new_leaf(builder *b, const nb_pq_out_node *node, int rep)
{
    nb_pq_out_schema *s = b->schema;
    nb_str *path = NB_ARENA_ARRAY(b->arena, nb_str, b->depth);
    nb_pq_out_leaf *leaves =
        nb_arena_grow(b->arena, s->leaves, s->n_leaves, &b->cap, sizeof(nb_pq_out_leaf));
    nb_pq_out_leaf *leaf;

    if (!path || !leaves) {
        return NB_NOMEM;
    }
    s->leaves = leaves;
    memcpy(path, b->path, sizeof(nb_str) * (size_t)b->depth);
    leaf = &leaves[s->n_leaves++];
    *leaf = (nb_pq_out_leaf){
        .type = node->type, .path = path, .n_path = b->depth, .max_def = node->def, .max_rep = rep};
    form_of(node->type, leaf);
    put_leaf(b, leaf, node->name, node->optional);
    return NB_OK;
}

/* def, rep: of what is above. */
static nb_status
build(builder *b, nb_str name, const nb_type *type, bool optional, int def, int rep,
      nb_pq_out_node *out, nb_error *err)
{
    const nb_type *t = nb_type_storage(type);
    bool is_map = t->id == NB_TYPE_MAP, is_list = is_map || t->id == NB_TYPE_ARRAY;
    int depth = b->depth;

    *out = (nb_pq_out_node){.type = t, .name = name, .optional = optional || !t->phys};
    out->def = def + out->optional;
    out->leaf = b->schema->n_leaves;
    if (out->def >= NB_PQ_MAX_LEVEL || b->depth + 4 > 2 * NB_PQ_MAX_LEVEL) {
        return nb_raise_unsupported(err, "A Parquet column of more than %d levels",
                                    NB_PQ_MAX_LEVEL);
    }
    b->path[b->depth++] = name;
    if (!is_list && t->id != NB_TYPE_STRUCT) {
        NB_TRY(new_leaf(b, out, rep));
        b->depth = depth;
        return NB_OK;
    }
    out->kind = is_map ? NB_PQ_MAP : is_list ? NB_PQ_LIST : NB_PQ_STRUCT;
    out->n_children = t->n_children;
    out->children = NB_ARENA_ARRAY(b->arena, nb_pq_out_node, t->n_children + 1);
    if (!out->children) {
        return NB_NOMEM;
    }
    put_group(b, name, optional ? OPTIONAL : REQUIRED, is_list ? 1 : t->n_children,
              is_map    ? CONVERTED_MAP
              : is_list ? CONVERTED_LIST
                        : -1);
    if (is_list) {
        nb_str repeated = is_map ? NB_STR("key_value") : NB_STR("list");
        out->rep = rep + 1;
        b->path[b->depth++] = repeated;
        put_group(b, repeated, REPEATED, t->n_children, -1);
    }
    for (int i = 0; i < t->n_children; i++) {
        const nb_field *f = &t->children[i];
        nb_str inner = t->id == NB_TYPE_STRUCT ? f->name
                       : !is_map               ? NB_STR("element")
                       : i == 0                ? NB_STR("key")
                                               : NB_STR("value");
        bool may_be_null = t->id == NB_TYPE_STRUCT ? f->nullable : t->contains_null;
        NB_TRY(build(b, inner, f->type, may_be_null && !(is_map && i == 0), out->def + is_list,
                     rep + is_list, &out->children[i], err));
    }
    b->depth = depth;
    return NB_OK;
}

nb_status
nb_pq_out_schema_new(nb_arena *arena, const nb_type *schema, nb_pq_out_schema *out, nb_error *err)
{
    builder *b = NB_ARENA_NEW(arena, builder);
    nb_status st = NB_OK;

    *out = (nb_pq_out_schema){.n_fields = schema->n_children};
    out->fields = NB_ARENA_ARRAY(arena, nb_pq_out_node, schema->n_children + 1);
    if (!b || !out->fields) {
        return NB_NOMEM;
    }
    b->arena = arena;
    b->schema = out;
    put_group(b, NB_STR("spark_schema"), -1, schema->n_children, -1);
    for (int i = 0; i < schema->n_children && st >= 0; i++) {
        const nb_field *f = &schema->children[i];
        st = build(b, f->name, f->type, f->nullable, 0, 0, &out->fields[i], err);
    }
    if (st < 0) {
        nb_strbuf_free(&b->elements);
        return st;
    }
    out->elements = nb_strbuf_finish(arena, &b->elements);
    return out->elements.data ? NB_OK : NB_NOMEM;
}
