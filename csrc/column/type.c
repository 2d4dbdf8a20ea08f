/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type.c: the interning table of data types.
 *
 * Types without parameters are static. All others live in one arena that is never freed, found through an open-addressing
 * table of pointers. One mutex guards both: types are made while plans are analysed, never per row. Growth stops at
 * TYPE_BYTES_MAX, because a client may send ever new struct types to a server that runs for months.
 */
#include "column/type.h"

#include <pthread.h>
#include "base/arena.h"

#define TYPE_BYTES_MAX ((size_t)256 << 20)
#define FIRST_SLOTS    256

static const nb_type simple_types[NB_N_TYPES] = {
#define NB_TYPE(ID, PHYS, NAME, ARROW)                             \
    [NB_TYPE_##ID] = {                                             \
        .id = NB_TYPE_##ID,                                        \
        .phys = NB_PHYS_##PHYS,                                    \
        .precision = NB_TYPE_##ID == NB_TYPE_DECIMAL ? 10          \
                     : NB_TYPE_##ID == NB_TYPE_TIME  ? 6           \
                                                     : 0,           \
        .end_field = NB_TYPE_##ID == NB_TYPE_INTERVAL_YM   ? 1     \
                     : NB_TYPE_##ID == NB_TYPE_INTERVAL_DT ? 3     \
                                                           : 0,    \
        .hash = (NB_TYPE_##ID + 1) * UINT64_C(0x9E3779B97F4A7C15), \
    },
#include "column/types.def"
#undef NB_TYPE
};

static struct {
    pthread_mutex_t lock;
    nb_arena *arena;
    const nb_type **slots;
    size_t n_slots, n_types;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9FB21C651E98DF25);
    return h ^ (h >> 32);
}

static uint64_t
mix_str(uint64_t h, nb_str s)
{
    h = mix(h, s.len);
    for (size_t i = 0; i < s.len; i++) {
        h = (h ^ (uint8_t)s.data[i]) * UINT64_C(0x100000001B3);
    }
    return mix(h, 1);
}

static uint64_t
type_hash(const nb_type *t)
{
    uint64_t h = mix(1, (uint64_t)t->id);

    h = mix(h, (uint64_t)t->precision << 8 | (uint8_t)t->scale);
    h = mix(h, (uint64_t)(uint32_t)t->length << 24 | (uint64_t)t->start_field << 16 |
                   (uint64_t)t->end_field << 8 | t->contains_null);
    for (int i = 0; i < t->n_children; i++) {
        const nb_field *f = &t->children[i];
        h = mix_str(h, f->name);
        h = mix(h, f->type->hash + f->nullable);
        h = mix_str(h, f->metadata);
    }
    h = mix_str(h, t->udt_class);
    h = mix_str(h, t->udt_py_class);
    return mix_str(h, t->udt_serialized);
}

/* Children are interned, so their pointers decide. */
static bool
type_equal(const nb_type *a, const nb_type *b)
{
    if (a->id != b->id || a->precision != b->precision || a->scale != b->scale ||
        a->length != b->length || a->start_field != b->start_field ||
        a->end_field != b->end_field || a->contains_null != b->contains_null ||
        a->n_children != b->n_children || !nb_str_equal(a->udt_class, b->udt_class) ||
        !nb_str_equal(a->udt_py_class, b->udt_py_class) ||
        !nb_str_equal(a->udt_serialized, b->udt_serialized)) {
        return false;
    }
    for (int i = 0; i < a->n_children; i++) {
        const nb_field *f = &a->children[i], *g = &b->children[i];
        if (f->type != g->type || f->nullable != g->nullable || !nb_str_equal(f->name, g->name) ||
            !nb_str_equal(f->metadata, g->metadata)) {
            return false;
        }
    }
    return true;
}

static bool
table_grow(void)
{
    size_t n = table.n_slots ? table.n_slots * 2 : FIRST_SLOTS;
    const nb_type **slots;

    if (table.arena == NULL && (table.arena = nb_arena_new(NULL)) == NULL) {
        return false;
    }
    slots = nb_arena_zalloc(table.arena, n * sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < table.n_slots; i++) {
        const nb_type *t = table.slots[i];
        if (t != NULL) {
            size_t at = t->hash & (n - 1);
            while (slots[at] != NULL) {
                at = (at + 1) & (n - 1);
            }
            slots[at] = t;
        }
    }
    table.slots = slots;
    table.n_slots = n;
    return true;
}

static bool
copy_str(nb_str *s)
{
    if (s->len == 0) {
        *s = (nb_str){"", 0};
        return true;
    }
    s->data = nb_arena_strdup(table.arena, *s);
    return s->data != NULL;
}

static const nb_type *
type_copy(const nb_type *key)
{
    nb_type *t = nb_arena_alloc(table.arena, sizeof(*t));

    if (t == NULL) {
        return NULL;
    }
    *t = *key;
    if (!copy_str(&t->udt_class) || !copy_str(&t->udt_py_class) || !copy_str(&t->udt_serialized)) {
        return NULL;
    }
    if (t->n_children > 0) {
        nb_field *f = NB_ARENA_ARRAY(table.arena, nb_field, t->n_children);
        if (f == NULL) {
            return NULL;
        }
        memcpy(f, key->children, sizeof(*f) * (size_t)t->n_children);
        for (int i = 0; i < t->n_children; i++) {
            if (!copy_str(&f[i].name) || !copy_str(&f[i].metadata)) {
                return NULL;
            }
        }
        t->children = f;
    }
    return t;
}

static const nb_type *
intern(nb_type *key)
{
    const nb_type *found = NULL;
    size_t at;

    key->depth = 0;
    for (int i = 0; i < key->n_children; i++) {
        if (key->children[i].type == NULL) {
            return NULL;
        }
        key->depth = NB_MAX(key->depth, key->children[i].type->depth + 1);
    }
    if (key->depth > NB_TYPE_MAX_DEPTH) {
        return NULL;
    }
    if (type_equal(key, &simple_types[key->id])) {
        return &simple_types[key->id];
    }
    key->hash = type_hash(key);
    pthread_mutex_lock(&table.lock);
    if (table.n_types * 2 >= table.n_slots && !table_grow()) {
        goto done;
    }
    for (at = key->hash & (table.n_slots - 1); table.slots[at] != NULL;
         at = (at + 1) & (table.n_slots - 1)) {
        if (table.slots[at]->hash == key->hash && type_equal(table.slots[at], key)) {
            found = table.slots[at];
            goto done;
        }
    }
    if (nb_arena_bytes(table.arena) > TYPE_BYTES_MAX) {
        goto done;
    }
    found = type_copy(key);
    if (found != NULL) {
        table.slots[at] = found;
        table.n_types++;
    }
done:
    pthread_mutex_unlock(&table.lock);
    return found;
}

const nb_type *
nb_type_of(nb_type_id id)
{
    return id == NB_TYPE_ARRAY || id == NB_TYPE_MAP || id == NB_TYPE_UDT ? NULL : &simple_types[id];
}

const nb_type *
nb_type_decimal(int precision, int scale)
{
    nb_type key = simple_types[NB_TYPE_DECIMAL];

    if (precision < 1 || precision > 38 || scale > precision || scale < -38) {
        return NULL;
    }
    key.precision = (uint8_t)precision;
    key.scale = (int8_t)scale;
    key.phys = precision <= 18 ? NB_PHYS_INT64 : NB_PHYS_INT128;
    return intern(&key);
}

const nb_type *
nb_type_char(nb_type_id id, int length)
{
    nb_type key = simple_types[id];

    if ((id != NB_TYPE_CHAR && id != NB_TYPE_VARCHAR) || length < 0) {
        return NULL;
    }
    key.length = length;
    return intern(&key);
}

const nb_type *
nb_type_time(int precision)
{
    nb_type key = simple_types[NB_TYPE_TIME];

    if (precision < 0 || precision > 6) {
        return NULL;
    }
    key.precision = (uint8_t)precision;
    return intern(&key);
}

static const nb_type *
interval(nb_type_id id, int start, int end, int last)
{
    nb_type key = simple_types[id];

    if (start < 0 || end > last || start > end) {
        return NULL;
    }
    key.start_field = (uint8_t)start;
    key.end_field = (uint8_t)end;
    return intern(&key);
}

const nb_type *
nb_type_interval_ym(int start, int end)
{
    return interval(NB_TYPE_INTERVAL_YM, start, end, 1);
}

const nb_type *
nb_type_interval_dt(int start, int end)
{
    return interval(NB_TYPE_INTERVAL_DT, start, end, 3);
}

const nb_type *
nb_type_array(const nb_type *element, bool contains_null)
{
    nb_field f = {NB_STR("element"), element, contains_null, {"", 0}};
    nb_type key = simple_types[NB_TYPE_ARRAY];

    key.contains_null = contains_null;
    key.n_children = 1;
    key.children = &f;
    return intern(&key);
}

const nb_type *
nb_type_map(const nb_type *key_type, const nb_type *value, bool value_contains_null)
{
    nb_field f[2] = {{NB_STR("key"), key_type, false, {"", 0}},
                     {NB_STR("value"), value, value_contains_null, {"", 0}}};
    nb_type key = simple_types[NB_TYPE_MAP];

    key.contains_null = value_contains_null;
    key.n_children = 2;
    key.children = f;
    return intern(&key);
}

const nb_type *
nb_type_struct(const nb_field *fields, int n)
{
    nb_type key = simple_types[NB_TYPE_STRUCT];

    key.n_children = n;
    key.children = fields;
    return intern(&key);
}

const nb_type *
nb_type_udt(nb_str jvm_class, nb_str py_class, nb_str serialized, const nb_type *storage)
{
    nb_field f = {NB_STR("storage"), storage, true, {"", 0}};
    nb_type key = simple_types[NB_TYPE_UDT];

    if (storage == NULL || storage->id == NB_TYPE_UDT) {
        return NULL;
    }
    key.phys = storage->phys;
    key.udt_class = jvm_class;
    key.udt_py_class = py_class;
    key.udt_serialized = serialized;
    key.n_children = 1;
    key.children = &f;
    return intern(&key);
}

const nb_type *
nb_type_ml_vector(void)
{
    const nb_type *ints = nb_type_array(nb_type_of(NB_TYPE_INT32), false);
    const nb_type *doubles = nb_type_array(nb_type_of(NB_TYPE_FLOAT64), false);
    nb_field f[4] = {{NB_STR("type"), nb_type_of(NB_TYPE_INT8), false, {"", 0}},
                     {NB_STR("size"), nb_type_of(NB_TYPE_INT32), true, {"", 0}},
                     {NB_STR("indices"), ints, true, {"", 0}},
                     {NB_STR("values"), doubles, true, {"", 0}}};

    return nb_type_udt(NB_STR("org.apache.spark.ml.linalg.VectorUDT"),
                       NB_STR("pyspark.ml.linalg.VectorUDT"), NB_STR(""), nb_type_struct(f, 4));
}

bool
nb_type_same_ignoring_null(const nb_type *a, const nb_type *b)
{
    if (a == b) {
        return true;
    }
    if (a->id != b->id || a->n_children == 0 || a->n_children != b->n_children) {
        return false;
    }
    if (a->id == NB_TYPE_UDT && (!nb_str_equal(a->udt_class, b->udt_class) ||
                                 !nb_str_equal(a->udt_py_class, b->udt_py_class))) {
        return false;
    }
    for (int i = 0; i < a->n_children; i++) {
        if (!nb_str_equal(a->children[i].name, b->children[i].name) ||
            !nb_type_same_ignoring_null(a->children[i].type, b->children[i].type)) {
            return false;
        }
    }
    return true;
}

static const nb_type *
struct_as_nullable(const nb_type *t)
{
    nb_arena *arena = nb_arena_new(NULL);
    nb_field *f = arena ? NB_ARENA_ARRAY(arena, nb_field, t->n_children) : NULL;
    const nb_type *out = NULL;

    if (f != NULL) {
        for (int i = 0; i < t->n_children; i++) {
            f[i] = t->children[i];
            f[i].nullable = true;
            f[i].type = nb_type_as_nullable(f[i].type);
        }
        out = nb_type_struct(f, t->n_children);
    }
    nb_arena_free(arena);
    return out;
}

const nb_type *
nb_type_as_nullable(const nb_type *t)
{
    if (t == NULL) {
        return NULL;
    }
    switch (t->id) {
    case NB_TYPE_ARRAY: return nb_type_array(nb_type_as_nullable(t->children[0].type), true);
    case NB_TYPE_MAP:
        return nb_type_map(nb_type_as_nullable(t->children[0].type),
                           nb_type_as_nullable(t->children[1].type), true);
    case NB_TYPE_STRUCT: return struct_as_nullable(t);
    default: return t;
    }
}

int
nb_phys_width(nb_phys phys)
{
    static const int width[] = {
        [NB_PHYS_NONE] = 0,   [NB_PHYS_BOOL] = 1,    [NB_PHYS_INT8] = 1,      [NB_PHYS_INT16] = 2,
        [NB_PHYS_INT32] = 4,  [NB_PHYS_INT64] = 8,   [NB_PHYS_INT128] = 16,   [NB_PHYS_FLOAT] = 4,
        [NB_PHYS_DOUBLE] = 8, [NB_PHYS_STRING] = 16, [NB_PHYS_INTERVAL] = 16, [NB_PHYS_LIST] = 8,
        [NB_PHYS_STRUCT] = 0,
    };
    return width[phys];
}

bool
nb_type_is_orderable(const nb_type *t)
{
    if (t->id == NB_TYPE_MAP || t->id == NB_TYPE_INTERVAL) {
        return false;
    }
    for (int i = 0; i < t->n_children; i++) {
        if (!nb_type_is_orderable(t->children[i].type)) {
            return false;
        }
    }
    return true;
}
