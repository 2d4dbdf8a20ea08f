/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_pack.c: message_pack(name, tree), from dicts to protobuf bytes.
 *
 * The bytes are written from the last to the first: a message's length is known when its tag is
 * written, so that no pass over the sizes is needed. Messages being written are frames on a stack of
 * our own, hence a plan may be as deep as NB_MESSAGE_MAX_DEPTH whatever the thread's stack is.
 *
 * Frames and items
 *     A frame is one open message. When it opens, the fields that its dict sets go onto the stack of
 *     items, ordered by number; they are written from the top, highest number first. An item of a
 *     sub-message leaves the stack and becomes a frame. A repeated sub-message or a map stays with
 *     its frame as `sequence` until all its elements have been frames.
 *
 * The result equals what protobuf's Python classes serialise, with map entries in the dict's order.
 */
#include "python/message.h"

#include <stdarg.h>
#include <string.h>
enum { LOCAL_BYTES = 2048, LOCAL_FRAMES = 32, LOCAL_ITEMS = 64 };

typedef struct item {
    const ProtobufCFieldDescriptor *field;
    PyObject *value; /* owned */
} item;

typedef struct frame {
    const ProtobufCMessageDescriptor *descriptor;
    const ProtobufCFieldDescriptor *entered_by; /* the parent's field; NULL at the root */
    PyObject *owner;                            /* the dict, owned, or NULL for a map entry */
    size_t first_item;
    size_t end; /* bytes written before this message */
    const ProtobufCFieldDescriptor *sequence_field;
    PyObject *sequence; /* owned list or tuple that is being written, or NULL */
    Py_ssize_t index;   /* elements of it that are still to be written */
} frame;

typedef struct packer {
    nb_message_cache *cache;
    uint8_t *bytes; /* the last `n` of `capacity` bytes are written */
    size_t n, capacity;
    frame *frames;
    size_t n_frames, frames_capacity;
    item *items;
    size_t n_items, items_capacity;
    uint8_t local_bytes[LOCAL_BYTES];
    frame local_frames[LOCAL_FRAMES];
    item local_items[LOCAL_ITEMS];
} packer;

/* --- errors ---------------------------------------------------------------------------------- */

/* Raises type with "path: text"; the path leads from the root to field of the top frame. */
static int
fail(packer *p, const ProtobufCFieldDescriptor *field, PyObject *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyObject *text = PyUnicode_FromFormatV(format, args);
    va_end(args);
    PyObject *path =
        PyUnicode_FromString(p->n_frames > 0 ? p->frames[0].descriptor->name : "message");
    size_t first = p->n_frames > 24 ? p->n_frames - 24 : 1;

    if (first > 1 && path != NULL) {
        Py_SETREF(path, PyUnicode_FromFormat("%U...", path));
    }
    for (size_t i = first; i <= p->n_frames && path != NULL; i++) {
        const frame *parent = &p->frames[i - 1];
        const ProtobufCFieldDescriptor *step = i < p->n_frames ? p->frames[i].entered_by : field;
        if (step == NULL) {
            break;
        }
        if (parent->sequence != NULL && parent->sequence_field == step) {
            Py_SETREF(path, PyUnicode_FromFormat("%U.%s[%zd]", path, step->name, parent->index));
        } else {
            Py_SETREF(path, PyUnicode_FromFormat("%U.%s", path, step->name));
        }
    }
    if (text != NULL && path != NULL) {
        PyErr_Format(type, "%U: %U", path, text);
    }
    Py_XDECREF(text);
    Py_XDECREF(path);
    return -1;
}

static int
fail_type(packer *p, const ProtobufCFieldDescriptor *field, const char *expected, PyObject *value)
{
    return fail(p, field, PyExc_TypeError, "expected %s, not %s", expected,
                Py_TYPE(value)->tp_name);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* Makes room for n more bytes in front of those written. */
static int
reserve(packer *p, size_t n)
{
    if (p->capacity - p->n >= n) {
        return 0;
    }
    size_t capacity = p->capacity * 2;
    while (capacity - p->n < n) {
        capacity *= 2;
    }
    uint8_t *bytes = PyMem_Malloc(capacity);
    if (bytes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(bytes + capacity - p->n, p->bytes + p->capacity - p->n, p->n);
    if (p->bytes != p->local_bytes) {
        PyMem_Free(p->bytes);
    }
    p->bytes = bytes;
    p->capacity = capacity;
    return 0;
}

static int
put_bytes(packer *p, const void *bytes, size_t n)
{
    if (reserve(p, n) < 0) {
        return -1;
    }
    p->n += n;
    if (n > 0) {
        memcpy(p->bytes + p->capacity - p->n, bytes, n);
    }
    return 0;
}

static int
put_varint(packer *p, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;

    while (value >= 0x80) {
        bytes[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[n++] = (uint8_t)value;
    return put_bytes(p, bytes, n);
}

static int
put_tag(packer *p, const ProtobufCFieldDescriptor *field, unsigned wire_type)
{
    return put_varint(p, (uint64_t)field->id << 3 | wire_type);
}

/* --- scalars --------------------------------------------------------------------------------- */

static unsigned
wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default: return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

/* Reads an integer between low and high. */
static int
get_int(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value, int64_t low,
        uint64_t high, uint64_t *out)
{
    PyObject *number = value;
    int overflow = 0;
    int failed = 0;

    if (PyLong_Check(value)) {
        Py_INCREF(number);
    } else {
        number = PyIndex_Check(value) ? PyNumber_Index(value) : NULL;
        if (number == NULL) {
            PyErr_Clear();
            return fail_type(p, field, "int", value);
        }
    }
    long long n = PyLong_AsLongLongAndOverflow(number, &overflow);
    *out = (uint64_t)n;
    if (overflow > 0 && high > INT64_MAX) {
        *out = PyLong_AsUnsignedLongLong(number);
        failed = *out == UINT64_MAX && PyErr_Occurred() != NULL;
        PyErr_Clear();
    } else if (overflow != 0 || n < low || (n > 0 && (uint64_t)n > high)) {
        failed = 1;
    }
    if (failed) {
        fail(p, field, PyExc_ValueError, "%S is out of range", number);
    }
    Py_DECREF(number);
    return -failed;
}

static int
get_enum(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value, uint64_t *out)
{
    if (!PyUnicode_Check(value)) {
        return get_int(p, field, value, INT32_MIN, INT32_MAX, out);
    }
    const char *name = PyUnicode_AsUTF8(value);
    if (name == NULL) {
        PyErr_Clear();
        name = "";
    }
    const ProtobufCEnumValue *found =
        protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, name);
    if (found == NULL) {
        const ProtobufCEnumDescriptor *descriptor = field->descriptor;
        return fail(p, field, PyExc_ValueError, "%R is no value of %s", value, descriptor->name);
    }
    *out = (uint64_t)(int64_t)found->value;
    return 0;
}

static int
get_double(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value, double *out)
{
    *out = PyFloat_AsDouble(value);
    if (*out == -1.0 && PyErr_Occurred()) {
        bool too_large = PyErr_ExceptionMatches(PyExc_OverflowError);
        PyErr_Clear();
        return too_large ? fail(p, field, PyExc_ValueError, "%S is out of range", value)
                         : fail_type(p, field, "float", value);
    }
    return 0;
}

static uint64_t
zigzag(int64_t n)
{
    return (uint64_t)n << 1 ^ (uint64_t)(n >> 63);
}

/* Writes a number without its tag. With skip_zero, *skipped says that nothing was written. */
static int
put_number(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value, bool skip_zero,
           bool *skipped)
{
    uint64_t n = 0;
    double d = 0;
    float f = 0;
    int failed = 0;

    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL: failed = get_int(p, field, value, 0, 1, &n); break;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        failed = get_int(p, field, value, INT32_MIN, INT32_MAX, &n);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: failed = get_int(p, field, value, 0, UINT32_MAX, &n); break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: failed = get_int(p, field, value, 0, UINT64_MAX, &n); break;
    case PROTOBUF_C_TYPE_ENUM: failed = get_enum(p, field, value, &n); break;
    case PROTOBUF_C_TYPE_FLOAT:
        failed = get_double(p, field, value, &d);
        f = (float)d;
        memcpy(&n, &f, sizeof f);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        failed = get_double(p, field, value, &d);
        memcpy(&n, &d, sizeof d);
        break;
    default: failed = get_int(p, field, value, INT64_MIN, INT64_MAX, &n); break;
    }
    if (failed < 0) {
        return -1;
    }
    *skipped = skip_zero && n == 0;
    if (*skipped) {
        return 0;
    }
    switch (wire_type_of(field->type)) {
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return put_bytes(p, &n, 4); /* little-endian machines only, as NumPy's wheels */
    case PROTOBUF_C_WIRE_TYPE_64BIT: return put_bytes(p, &n, 8);
    default:
        if (field->type == PROTOBUF_C_TYPE_SINT32 || field->type == PROTOBUF_C_TYPE_SINT64) {
            n = zigzag((int64_t)n);
        }
        return put_varint(p, n);
    }
}

/* Writes text or bytes with their length but without a tag. */
static int
put_string(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value, bool skip_empty,
           bool *skipped)
{
    const char *bytes = NULL;
    Py_ssize_t n = 0;
    Py_buffer view = {0};

    if (PyUnicode_Check(value)) {
        bytes = PyUnicode_AsUTF8AndSize(value, &n);
        if (bytes == NULL) {
            PyErr_Clear();
            return fail(p, field, PyExc_ValueError, "the text holds a lone surrogate");
        }
    } else if (PyBytes_Check(value)) {
        bytes = PyBytes_AS_STRING(value);
        n = PyBytes_GET_SIZE(value);
    } else if (PyObject_CheckBuffer(value) && PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) == 0) {
        bytes = view.buf;
        n = view.len;
    } else {
        PyErr_Clear();
        return fail_type(p, field, "str or bytes", value);
    }
    *skipped = skip_empty && n == 0;
    int failed = *skipped ? 0 : put_bytes(p, bytes, (size_t)n);
    if (failed == 0 && !*skipped) {
        failed = put_varint(p, (uint64_t)n);
    }
    if (view.obj != NULL) {
        PyBuffer_Release(&view);
    }
    return failed;
}

/* Writes a value that is not a message, with its tag. */
static int
put_scalar(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value, bool skip_zero)
{
    bool skipped = false;
    unsigned wire_type = wire_type_of(field->type);
    int failed = wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED
                     ? put_string(p, field, value, skip_zero, &skipped)
                     : put_number(p, field, value, skip_zero, &skipped);

    return failed < 0 || skipped ? failed : put_tag(p, field, wire_type);
}

/* Writes all elements of a repeated field of scalars; sequence is a list or tuple. */
static int
put_scalars(packer *p, const ProtobufCFieldDescriptor *field, PyObject *sequence)
{
    bool packed = (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0;
    bool skipped = false;
    size_t end = p->n;

    for (Py_ssize_t i = PySequence_Fast_GET_SIZE(sequence); i-- > 0;) {
        if (i >= PySequence_Fast_GET_SIZE(sequence)) {
            return fail(p, field, PyExc_ValueError, "the list changed while it was read");
        }
        PyObject *value = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
        int failed = packed ? put_number(p, field, value, false, &skipped)
                            : put_scalar(p, field, value, false);
        Py_DECREF(value);
        if (failed < 0) {
            return -1;
        }
    }
    if (!packed || p->n == end) {
        return 0;
    }
    return put_varint(p, p->n - end) < 0 ? -1
                                         : put_tag(p, field, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
}

/* --- frames ---------------------------------------------------------------------------------- */

/* Doubles a stack that begins in local memory. */
static void *
grow(void *stack, const void *local, size_t *capacity, size_t size)
{
    void *larger = PyMem_Malloc(*capacity * 2 * size);

    if (larger == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(larger, stack, *capacity * size);
    if (stack != local) {
        PyMem_Free(stack);
    }
    *capacity *= 2;
    return larger;
}

/* Opens a message; owner is taken over, also on failure. */
static frame *
push_frame(packer *p, const ProtobufCMessageDescriptor *descriptor,
           const ProtobufCFieldDescriptor *by, PyObject *owner)
{
    if (p->n_frames >= NB_MESSAGE_MAX_DEPTH) {
        Py_XDECREF(owner);
        fail(p, by, PyExc_RecursionError, "more than %d messages inside each other",
             NB_MESSAGE_MAX_DEPTH);
        return NULL;
    }
    if (p->n_frames == p->frames_capacity) {
        frame *frames = grow(p->frames, p->local_frames, &p->frames_capacity, sizeof *frames);
        if (frames == NULL) {
            Py_XDECREF(owner);
            return NULL;
        }
        p->frames = frames;
    }
    frame *f = &p->frames[p->n_frames++];
    *f = (frame){.descriptor = descriptor,
                 .entered_by = by,
                 .owner = owner,
                 .first_item = p->n_items,
                 .end = p->n};
    return f;
}

/* Adds a field of the top frame at its place in the order of numbers; borrows value. */
static int
push_item(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value)
{
    if (p->n_items == p->items_capacity) {
        item *items = grow(p->items, p->local_items, &p->items_capacity, sizeof *items);
        if (items == NULL) {
            return -1;
        }
        p->items = items;
    }
    size_t first = p->frames[p->n_frames - 1].first_item;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        for (size_t i = first; i < p->n_items; i++) {
            const ProtobufCFieldDescriptor *other = p->items[i].field;
            if ((other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
                other->quantifier_offset == field->quantifier_offset) {
                return fail(p, field, PyExc_ValueError,
                            "%s is set too, and only one of them may be", other->name);
            }
        }
    }
    size_t place = p->n_items++;
    while (place > first && p->items[place - 1].field->id > field->id) {
        p->items[place] = p->items[place - 1];
        place--;
    }
    p->items[place] = (item){field, Py_NewRef(value)};
    return 0;
}

static const ProtobufCFieldDescriptor *
find_field(packer *p, const ProtobufCMessageDescriptor *descriptor, PyObject *key)
{
    size_t slot = ((uintptr_t)key >> 4 ^ (uintptr_t)descriptor >> 3) % NB_MESSAGE_CACHE_SLOTS;
    const ProtobufCFieldDescriptor *field = NULL;

    if (p->cache->by_name[slot].name == key && p->cache->by_name[slot].descriptor == descriptor) {
        return p->cache->by_name[slot].field;
    }
    if (!PyUnicode_Check(key)) {
        fail(p, NULL, PyExc_TypeError, "the keys of a message must be str, not %s",
             Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t n = 0;
    const char *name = PyUnicode_AsUTF8AndSize(key, &n);
    if (name == NULL) {
        PyErr_Clear();
    } else if (strlen(name) == (size_t)n) {
        field = protobuf_c_message_descriptor_get_field_by_name(descriptor, name);
    }
    if (field == NULL) {
        fail(p, NULL, PyExc_ValueError, "%s has no field %R", descriptor->name, key);
        return NULL;
    }
    Py_XSETREF(p->cache->by_name[slot].name, Py_NewRef(key));
    p->cache->by_name[slot].descriptor = descriptor;
    p->cache->by_name[slot].field = field;
    return field;
}

/* Opens a message for a dict, or writes one that is packed already. Takes value over. */
static int
push_message(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value)
{
    if (PyBytes_Check(value)) {
        size_t n = (size_t)PyBytes_GET_SIZE(value);
        int failed = put_bytes(p, PyBytes_AS_STRING(value), n) < 0 || put_varint(p, n) < 0 ||
                             put_tag(p, field, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) < 0
                         ? -1
                         : 0;
        Py_DECREF(value);
        return failed;
    }
    if (!PyDict_Check(value)) {
        fail_type(p, field, "dict or bytes", value);
        Py_DECREF(value);
        return -1;
    }
    if (push_frame(p, field->descriptor, field, value) == NULL) {
        return -1;
    }
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;
    PyObject *key = NULL;
    PyObject *member = NULL;
    Py_ssize_t position = 0;
    while (PyDict_Next(value, &position, &key, &member)) {
        const ProtobufCFieldDescriptor *found = NULL;
        if (member == Py_None) {
            continue;
        }
        found = find_field(p, descriptor, key);
        if (found == NULL || push_item(p, found, member) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Opens the entry of a map for a (key, value) tuple; borrows it. */
static int
push_map_entry(packer *p, const ProtobufCFieldDescriptor *field, PyObject *pair)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;

    if (PyTuple_GET_ITEM(pair, 1) == Py_None) {
        return fail(p, field, PyExc_TypeError, "a map has no None");
    }
    if (push_frame(p, entry, field, NULL) == NULL) {
        return -1;
    }
    return push_item(p, &entry->fields[0], PyTuple_GET_ITEM(pair, 0)) < 0 ||
                   push_item(p, &entry->fields[1], PyTuple_GET_ITEM(pair, 1)) < 0
               ? -1
               : 0;
}

/* A list or tuple of the elements of a repeated field or map; NULL with an error. */
static PyObject *
get_sequence(packer *p, const ProtobufCFieldDescriptor *field, PyObject *value)
{
    bool is_map = field->type == PROTOBUF_C_TYPE_MESSAGE &&
                  nb_message_info_of(field->descriptor)->is_map_entry;

    if (is_map && PyDict_Check(value)) {
        return PyDict_Items(value);
    }
    if (is_map || PyUnicode_Check(value) || PyBytes_Check(value) || PyDict_Check(value)) {
        fail_type(p, field, is_map ? "dict" : "list or tuple", value);
        return NULL;
    }
    PyObject *sequence = PySequence_Fast(value, "");
    if (sequence == NULL) {
        PyErr_Clear();
        fail_type(p, field, "list or tuple", value);
    }
    return sequence;
}

/* Writes the next element of the top frame's sequence. */
static int
next_element(packer *p)
{
    frame *f = &p->frames[p->n_frames - 1];
    const ProtobufCFieldDescriptor *field = f->sequence_field;

    if (f->index == 0) {
        Py_CLEAR(f->sequence);
        return 0;
    }
    f->index--;
    if (f->index >= PySequence_Fast_GET_SIZE(f->sequence)) {
        return fail(p, field, PyExc_ValueError, "the list changed while it was read");
    }
    PyObject *element = PySequence_Fast_GET_ITEM(f->sequence, f->index);
    return nb_message_info_of(field->descriptor)->is_map_entry
               ? push_map_entry(p, field, element)
               : push_message(p, field, Py_NewRef(element));
}

/* Writes or opens the item on top, which leaves the stack. */
static int
next_item(packer *p)
{
    item it = p->items[--p->n_items];
    bool is_message = it.field->type == PROTOBUF_C_TYPE_MESSAGE;
    int failed = 0;

    if (it.field->label == PROTOBUF_C_LABEL_REPEATED) {
        PyObject *sequence = get_sequence(p, it.field, it.value);
        if (sequence == NULL) {
            failed = -1;
        } else if (is_message) {
            frame *f = &p->frames[p->n_frames - 1];
            f->sequence = sequence;
            f->sequence_field = it.field;
            f->index = PySequence_Fast_GET_SIZE(sequence);
        } else {
            failed = put_scalars(p, it.field, sequence);
            Py_DECREF(sequence);
        }
    } else if (is_message) {
        return push_message(p, it.field, it.value);
    } else {
        failed = put_scalar(p, it.field, it.value, nb_message_is_implicit(it.field));
    }
    Py_DECREF(it.value);
    return failed;
}

/* Closes the top frame: its bytes are complete, now come length and tag. */
static int
pop_frame(packer *p)
{
    frame *f = &p->frames[--p->n_frames];
    int failed = 0;

    if (f->entered_by->id != 0) {
        failed = put_varint(p, p->n - f->end) < 0 ||
                         put_tag(p, f->entered_by, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) < 0
                     ? -1
                     : 0;
    }
    Py_CLEAR(f->owner);
    return failed;
}

static int
pack(packer *p)
{
    while (p->n_frames > 0) {
        frame *f = &p->frames[p->n_frames - 1];
        int failed = f->sequence != NULL          ? next_element(p)
                     : p->n_items > f->first_item ? next_item(p)
                                                  : pop_frame(p);
        if (failed < 0) {
            return -1;
        }
    }
    return 0;
}

static void
release(packer *p)
{
    while (p->n_items > 0) {
        Py_DECREF(p->items[--p->n_items].value);
    }
    while (p->n_frames > 0) {
        frame *f = &p->frames[--p->n_frames];
        Py_XDECREF(f->sequence);
        Py_XDECREF(f->owner);
    }
    if (p->items != p->local_items) {
        PyMem_Free(p->items);
    }
    if (p->frames != p->local_frames) {
        PyMem_Free(p->frames);
    }
    if (p->bytes != p->local_bytes) {
        PyMem_Free(p->bytes);
    }
}

/* --- the function ---------------------------------------------------------------------------- */

const ProtobufCMessageDescriptor *
nb_message_descriptor(PyObject *name)
{
    Py_ssize_t n = 0;

    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a message's name must be str, not %s",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(name, &n);
    if (text == NULL) {
        return NULL;
    }
    const ProtobufCMessageDescriptor *descriptor = nb_message_find(text, (size_t)n);
    if (descriptor == NULL) {
        PyErr_Format(PyExc_ValueError, "there is no message %R", name);
    }
    return descriptor;
}

PyDoc_STRVAR(
    message_pack_doc,
    "message_pack($module, name, tree, /)\n--\n\n"
    "Serialise a tree of dicts as the protobuf message of this full name.\n\n"
    "Keys are field names. Values are dicts (or bytes already packed) for messages, lists or\n"
    "tuples for repeated fields, dicts for maps, str or bytes for text and bytes, enum values by\n"
    "number or name; None leaves a field out.");

static PyObject *
message_pack(PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
    if (n_args != 2) {
        PyErr_Format(PyExc_TypeError, "message_pack takes 2 arguments, not %zd", n_args);
        return NULL;
    }
    /* The root is entered by a field without a number, so that it gets neither length nor tag. */
    ProtobufCFieldDescriptor root = {
        .name = "", .id = 0, .descriptor = nb_message_descriptor(args[0])};
    if (root.descriptor == NULL) {
        return NULL;
    }
    if (!PyDict_Check(args[1])) {
        PyErr_Format(PyExc_TypeError, "%U: expected dict, not %s", args[0],
                     Py_TYPE(args[1])->tp_name);
        return NULL;
    }
    packer p;
    p.cache = nb_module_get_state(module)->messages;
    p.bytes = p.local_bytes;
    p.frames = p.local_frames;
    p.items = p.local_items;
    p.capacity = LOCAL_BYTES;
    p.frames_capacity = LOCAL_FRAMES;
    p.items_capacity = LOCAL_ITEMS;
    p.n = p.n_frames = p.n_items = 0;
    PyObject *result = NULL;
    if (push_message(&p, &root, Py_NewRef(args[1])) == 0 && pack(&p) == 0) {
        result =
            PyBytes_FromStringAndSize((const char *)p.bytes + p.capacity - p.n, (Py_ssize_t)p.n);
    }
    release(&p);
    return result;
}

PyMethodDef nb_message_pack_methods[] = {
    {"message_pack", (PyCFunction)(void (*)(void))message_pack, METH_FASTCALL, message_pack_doc},
    {NULL, NULL, 0, NULL},
};

int
nb_message_exec(PyObject *module)
{
    nb_module_state *state = nb_module_get_state(module);

    state->messages = PyMem_Calloc(1, sizeof *state->messages);
    if (state->messages == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

void
nb_message_clear(nb_module_state *state)
{
    nb_message_cache *cache = state->messages;

    for (size_t i = 0; cache != NULL && i < NB_MESSAGE_CACHE_SLOTS; i++) {
        Py_XDECREF(cache->by_name[i].name);
        Py_XDECREF(cache->by_field[i].name);
    }
    PyMem_Free(cache);
    state->messages = NULL;
}
