/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_unpack.c: message_unpack(name, data), from protobuf bytes to dicts.
 *
 * The mirror of message_pack.c: fields that are present become keys, in the order in which they came.
 * Messages being read are frames on a stack of our own. As in protobuf, a singular message that comes
 * twice is merged, of a singular scalar (or the members of a oneof) the last wins, and unknown fields are skipped.
 */
#include "python/message.h"

#include <string.h>
#include "plan/message_unpack.h"
#include "python/errors.h"

#define VIEW_FROM 1024 /* shorter bytes are copied even where views are asked for */

typedef struct frame {
    const ProtobufCMessageDescriptor *descriptor;
    const nb_message_info *info;
    PyObject *dict; /* owned */
    PyObject *map;  /* borrowed: where the entry that dict is goes when it is complete; or NULL */
    const uint8_t *end;
    uint64_t oneofs[NB_MESSAGE_MAX_FIELDS / 64]; /* members of oneofs that the dict has */
} frame;

typedef struct unpacker {
    nb_message_cache *cache;
    const uint8_t *start, *at;
    PyObject *whole; /* a memoryview that long bytes become slices of; NULL = they are copied */
    frame *frames;
    size_t n_frames, capacity;
} unpacker;

static int
fail(unpacker *u, const char *what)
{
    const frame *f = &u->frames[u->n_frames - 1];

    PyErr_Format(PyExc_ValueError, "%s at byte %zd of %s", what, (Py_ssize_t)(u->at - u->start),
                 f->descriptor->name);
    return -1;
}

static int
read_varint(unpacker *u, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 70 && u->at < end; shift += 7) {
        uint8_t byte = *u->at++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (byte < 0x80) {
            *out = value;
            return 0;
        }
    }
    return fail(u, "a number that does not end");
}

/* The interned name of a field, borrowed. */
static PyObject *
field_name(unpacker *u, const ProtobufCFieldDescriptor *field)
{
    size_t slot = (uintptr_t)field / sizeof *field % NB_MESSAGE_CACHE_SLOTS;

    if (u->cache->by_field[slot].field != field) {
        PyObject *name = PyUnicode_InternFromString(field->name);
        if (name == NULL) {
            return NULL;
        }
        Py_XSETREF(u->cache->by_field[slot].name, name);
        u->cache->by_field[slot].field = field;
    }
    return u->cache->by_field[slot].name;
}

static bool
is_64bit(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_FIXED64 || type == PROTOBUF_C_TYPE_SFIXED64 ||
           type == PROTOBUF_C_TYPE_DOUBLE;
}

static bool
is_32bit(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_FIXED32 || type == PROTOBUF_C_TYPE_SFIXED32 ||
           type == PROTOBUF_C_TYPE_FLOAT;
}

static PyObject *
number_object(const ProtobufCFieldDescriptor *field, uint64_t n)
{
    double d;
    float f;

    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL: return PyBool_FromLong(n != 0);
    case PROTOBUF_C_TYPE_FLOAT: memcpy(&f, &n, sizeof f); return PyFloat_FromDouble((double)f);
    case PROTOBUF_C_TYPE_DOUBLE: memcpy(&d, &n, sizeof d); return PyFloat_FromDouble(d);
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SINT64: return PyLong_FromLongLong((long long)(n >> 1 ^ -(n & 1)));
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SFIXED32: return PyLong_FromLong((int32_t)n);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: return PyLong_FromUnsignedLong((uint32_t)n);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return PyLong_FromUnsignedLongLong(n);
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(field->descriptor, (int32_t)n);
        return value != NULL ? PyUnicode_InternFromString(value->name)
                             : PyLong_FromLong((int32_t)n);
    }
    default: return PyLong_FromLongLong((long long)n);
    }
}

/* Reads one number of field's type. */
static PyObject *
read_number(unpacker *u, const ProtobufCFieldDescriptor *field, const uint8_t *end)
{
    uint64_t n = 0;
    size_t width = is_64bit(field->type) ? 8 : is_32bit(field->type) ? 4 : 0;

    if (width == 0) {
        return read_varint(u, end, &n) < 0 ? NULL : number_object(field, n);
    }
    if ((size_t)(end - u->at) < width) {
        fail(u, "a number that is cut off");
        return NULL;
    }
    memcpy(&n, u->at, width);
    u->at += width;
    return number_object(field, n);
}

/* The list or dict that a repeated field or map collects in, borrowed; made at its first element. */
static PyObject *
collection(unpacker *u, frame *f, const ProtobufCFieldDescriptor *field, bool is_map)
{
    PyObject *name = field_name(u, field);
    if (name == NULL) {
        return NULL;
    }
    PyObject *found = PyDict_GetItemWithError(f->dict, name);
    if (found != NULL || PyErr_Occurred()) {
        return found;
    }
    found = is_map ? PyDict_New() : PyList_New(0);
    if (found != NULL && PyDict_SetItem(f->dict, name, found) < 0) {
        Py_CLEAR(found);
    }
    Py_XDECREF(found); /* the dict holds it */
    return found;
}

/* Takes out the member of field's oneof that came before it. */
static int
drop_rivals(unpacker *u, frame *f, const ProtobufCFieldDescriptor *field)
{
    unsigned index = (unsigned)(field - f->descriptor->fields);

    for (unsigned word = 0; word < NB_COUNT_OF(f->oneofs); word++) {
        for (uint64_t bits = f->oneofs[word]; bits != 0; bits &= bits - 1) {
            unsigned other = word * 64 + (unsigned)__builtin_ctzll(bits);
            const ProtobufCFieldDescriptor *rival = &f->descriptor->fields[other];
            if (other != index && rival->quantifier_offset == field->quantifier_offset) {
                PyObject *name = field_name(u, rival);
                f->oneofs[word] &= ~((uint64_t)1 << (other % 64));
                if (name == NULL || PyDict_DelItem(f->dict, name) < 0) {
                    return -1;
                }
            }
        }
    }
    f->oneofs[index / 64] |= (uint64_t)1 << (index % 64);
    return 0;
}

/* Stores value, which is taken over, as field of the top frame. */
static int
store(unpacker *u, const ProtobufCFieldDescriptor *field, PyObject *value)
{
    frame *f = &u->frames[u->n_frames - 1];
    PyObject *name = value != NULL ? field_name(u, field) : NULL;
    int failed = -1;

    if (name == NULL) {
        Py_XDECREF(value);
        return -1;
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        PyObject *list = collection(u, f, field, false);
        failed = list != NULL ? PyList_Append(list, value) : -1;
    } else {
        failed = 0;
        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            failed = drop_rivals(u, f, field);
            name = failed == 0 ? field_name(u, field) : NULL; /* the cache may have dropped it */
        }
        failed = failed == 0 && name != NULL ? PyDict_SetItem(f->dict, name, value) : -1;
    }
    Py_DECREF(value);
    return failed;
}

static int
push_frame(unpacker *u, const ProtobufCMessageDescriptor *descriptor, PyObject *dict, PyObject *map,
           const uint8_t *end)
{
    if (u->n_frames == NB_MESSAGE_MAX_DEPTH) {
        PyErr_Format(PyExc_RecursionError, "more than %d messages inside each other",
                     NB_MESSAGE_MAX_DEPTH);
        Py_DECREF(dict);
        return -1;
    }
    if (u->n_frames == u->capacity) {
        size_t capacity = u->capacity > 0 ? u->capacity * 2 : 32;
        frame *frames = PyMem_Realloc(u->frames, capacity * sizeof *frames);
        if (frames == NULL) {
            PyErr_NoMemory();
            Py_DECREF(dict);
            return -1;
        }
        u->frames = frames;
        u->capacity = capacity;
    }
    u->frames[u->n_frames++] = (frame){
        .descriptor = descriptor,
        .info = nb_message_info_of(descriptor),
        .dict = dict,
        .map = map,
        .end = end,
    };
    return 0;
}

/* The top frame goes on with a dict that has members already. */
static int
note_oneofs(unpacker *u)
{
    frame *f = &u->frames[u->n_frames - 1];

    for (unsigned i = 0; i < f->descriptor->n_fields; i++) {
        if (f->descriptor->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            PyObject *name = field_name(u, &f->descriptor->fields[i]);
            int has = name != NULL ? PyDict_Contains(f->dict, name) : -1;
            if (has < 0) {
                return -1;
            }
            f->oneofs[i / 64] |= (uint64_t)has << (i % 64);
        }
    }
    return 0;
}

/* Opens a sub-message that ends at end. */
static int
open_message(unpacker *u, const ProtobufCFieldDescriptor *field, const uint8_t *end)
{
    frame *f = &u->frames[u->n_frames - 1];

    if (nb_message_info_of(field->descriptor)->is_map_entry) {
        PyObject *map = collection(u, f, field, true);
        PyObject *entry = map != NULL ? PyDict_New() : NULL;
        return entry == NULL ? -1 : push_frame(u, field->descriptor, entry, map, end);
    }
    PyObject *dict = NULL;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        PyObject *name = field_name(u, field);
        dict = name != NULL ? PyDict_GetItemWithError(f->dict, name) : NULL;
        if (dict == NULL && PyErr_Occurred()) {
            return -1;
        }
        Py_XINCREF(dict);
    }
    if (dict == NULL) {
        dict = PyDict_New();
        if (dict == NULL || store(u, field, Py_NewRef(dict)) < 0) {
            Py_XDECREF(dict);
            return -1;
        }
    }
    if (push_frame(u, field->descriptor, dict, NULL, end) < 0) {
        return -1;
    }
    return PyDict_GET_SIZE(dict) > 0 ? note_oneofs(u) : 0;
}

/* What an absent key or value of a map entry means. */
static PyObject *
map_default(const ProtobufCFieldDescriptor *field, bool is_text)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return PyDict_New();
    }
    if (is_text) {
        return PyUnicode_New(0, 0);
    }
    return field->type == PROTOBUF_C_TYPE_BYTES ? PyBytes_FromStringAndSize(NULL, 0)
                                                : number_object(field, 0);
}

static int
close_frame(unpacker *u)
{
    frame *f = &u->frames[u->n_frames - 1];
    PyObject *pair[2] = {NULL, NULL};
    int failed = 0;

    if (f->map != NULL) {
        for (unsigned i = 0; i < 2 && failed == 0; i++) {
            PyObject *name = field_name(u, &f->descriptor->fields[i]);
            pair[i] = name != NULL ? PyDict_GetItemWithError(f->dict, name) : NULL;
            Py_XINCREF(pair[i]);
            if (pair[i] == NULL && !PyErr_Occurred()) {
                pair[i] = map_default(&f->descriptor->fields[i], nb_message_is_text(f->info, i));
            }
            failed = pair[i] == NULL ? -1 : 0;
        }
        failed = failed == 0 ? PyDict_SetItem(f->map, pair[0], pair[1]) : -1;
        Py_XDECREF(pair[0]);
        Py_XDECREF(pair[1]);
    }
    Py_DECREF(f->dict);
    u->n_frames--;
    return failed;
}

static int
read_delimited(unpacker *u, const ProtobufCFieldDescriptor *field, const uint8_t *end)
{
    frame *f = &u->frames[u->n_frames - 1];
    uint64_t n = 0;

    if (read_varint(u, end, &n) < 0) {
        return -1;
    }
    if (n > (uint64_t)(end - u->at)) {
        return fail(u, "a length beyond the end");
    }
    const uint8_t *stop = u->at + n;
    if (field == NULL) {
        u->at = stop;
        return 0;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return open_message(u, field, stop);
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES || field->type == PROTOBUF_C_TYPE_STRING) {
        PyObject *value = NULL;
        if (nb_message_is_text(f->info, (unsigned)(field - f->descriptor->fields))) {
            value = PyUnicode_DecodeUTF8((const char *)u->at, (Py_ssize_t)n, "strict");
            if (value == NULL) {
                PyErr_Clear();
                return fail(u, "text that is not UTF-8");
            }
        } else if (u->whole != NULL && n >= VIEW_FROM) {
            value = PySequence_GetSlice(u->whole, u->at - u->start, stop - u->start);
        } else {
            value = PyBytes_FromStringAndSize((const char *)u->at, (Py_ssize_t)n);
        }
        u->at = stop;
        return store(u, field, value);
    }
    while (u->at < stop) { /* packed numbers */
        PyObject *value = read_number(u, field, stop);
        if (value == NULL || store(u, field, value) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
read_field(unpacker *u)
{
    frame *f = &u->frames[u->n_frames - 1];
    const uint8_t *end = f->end;
    uint64_t tag = 0;

    if (read_varint(u, end, &tag) < 0) {
        return -1;
    }
    if (tag >> 3 == 0 || tag > UINT32_MAX) {
        return fail(u, "an invalid tag");
    }
    const ProtobufCFieldDescriptor *field = nb_message_field(f->descriptor, (uint32_t)(tag >> 3));
    unsigned wire_type = tag & 7;
    unsigned expected = PROTOBUF_C_WIRE_TYPE_VARINT;
    if (field != NULL) {
        expected = is_64bit(field->type)   ? PROTOBUF_C_WIRE_TYPE_64BIT
                   : is_32bit(field->type) ? PROTOBUF_C_WIRE_TYPE_32BIT
                   : field->type == PROTOBUF_C_TYPE_MESSAGE ||
                           field->type == PROTOBUF_C_TYPE_BYTES ||
                           field->type == PROTOBUF_C_TYPE_STRING
                       ? PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED
                       : PROTOBUF_C_WIRE_TYPE_VARINT;
        bool packed = field->label == PROTOBUF_C_LABEL_REPEATED &&
                      wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
        if (wire_type != expected && !packed) {
            field = NULL; /* of another type than we know: unknown, as for protobuf */
        }
    }
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED: return read_delimited(u, field, end);
    case PROTOBUF_C_WIRE_TYPE_VARINT:
    case PROTOBUF_C_WIRE_TYPE_32BIT:
    case PROTOBUF_C_WIRE_TYPE_64BIT: break;
    default: return fail(u, "a group or an invalid wire type");
    }
    if (field != NULL) {
        PyObject *value = read_number(u, field, end);
        return value == NULL ? -1 : store(u, field, value);
    }
    if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
        return read_varint(u, end, &tag);
    }
    size_t width = wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
    if ((size_t)(end - u->at) < width) {
        return fail(u, "a number that is cut off");
    }
    u->at += width;
    return 0;
}

PyDoc_STRVAR(
    message_unpack_doc,
    "message_unpack($module, name, data, views=False, /)\n--\n\n"
    "Read the protobuf message of this full name into a tree of dicts, as message_pack takes "
    "it.\n\n"
    "With views, long bytes are memoryviews of data. Enum values come as names where they have "
    "one. ValueError says where the bytes are wrong.");

static PyObject *
message_unpack(PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
    Py_buffer view;

    if (n_args != 2 && n_args != 3) {
        PyErr_Format(PyExc_TypeError, "message_unpack takes 2 or 3 arguments, not %zd", n_args);
        return NULL;
    }
    const ProtobufCMessageDescriptor *descriptor = nb_message_descriptor(args[0]);
    if (descriptor == NULL || PyObject_GetBuffer(args[1], &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    unpacker u = {
        .cache = nb_module_get_state(module)->messages, .start = view.buf, .at = view.buf};
    PyObject *result = PyDict_New();
    if (result != NULL && n_args == 3 && PyObject_IsTrue(args[2])) {
        u.whole = PyMemoryView_FromObject(args[1]);
        if (u.whole == NULL) {
            Py_CLEAR(result);
        }
    }
    int failed = result != NULL
                     ? push_frame(&u, descriptor, Py_NewRef(result), NULL, u.start + view.len)
                     : -1;
    while (failed == 0 && u.n_frames > 0) {
        failed = u.at < u.frames[u.n_frames - 1].end ? read_field(&u) : close_frame(&u);
    }
    /* From the top: the frames hold what lies in each other, so that no dictionary's end reaches into another's on a small stack. */
    for (size_t i = 0; i < u.n_frames; i++) {
        PyDict_Clear(u.frames[i].dict);
    }
    while (u.n_frames > 0) {
        Py_DECREF(u.frames[--u.n_frames].dict);
    }
    PyMem_Free(u.frames);
    Py_XDECREF(u.whole);
    PyBuffer_Release(&view);
    if (failed < 0) {
        Py_CLEAR(result);
    }
    return result;
}

PyDoc_STRVAR(
    message_check_doc,
    "message_check($module, name, data, /)\n--\n\n"
    "Read a message as the engine reads a plan, and raise the engine's error if it refuses.");

static PyObject *
message_check(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t n_args)
{
    Py_buffer view;
    nb_error err = NB_ERROR_INIT;
    ProtobufCMessage *message = NULL;

    if (n_args != 2) {
        PyErr_Format(PyExc_TypeError, "message_check takes 2 arguments, not %zd", n_args);
        return NULL;
    }
    const ProtobufCMessageDescriptor *descriptor = nb_message_descriptor(args[0]);
    if (descriptor == NULL || PyObject_GetBuffer(args[1], &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    nb_status status = NB_NOMEM;
    nb_arena *arena = nb_arena_new(NULL);
    if (arena != NULL) {
        Py_BEGIN_ALLOW_THREADS
        status = nb_message_unpack(arena, descriptor, view.buf, (size_t)view.len, &message, &err);
        Py_END_ALLOW_THREADS
    }
    nb_arena_free(arena);
    PyBuffer_Release(&view);
    return status < 0 ? nb_raise_python(status, &err) : Py_NewRef(Py_None);
}

PyMethodDef nb_message_unpack_methods[] = {
    {"message_check", (PyCFunction)(void (*)(void))message_check, METH_FASTCALL, message_check_doc},
    {"message_unpack", (PyCFunction)(void (*)(void))message_unpack, METH_FASTCALL,
     message_unpack_doc},
    {NULL, NULL, 0, NULL},
};
