/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.c: _grpc.Message: a message that came in, as a read-only buffer.
 *
 * Its memory is gathered so that the data of an Arrow batch inside of it is aligned, and _core can use the columns where they lie. The
 * large ones of a stream share slabs of huge pages: fresh small pages cost five times the copy.
 */
#include "python/grpc/module.h"

#define HEAD       512 /* bytes in which the fields before the data lie */
#define ALIGNMENT  64
#define SLAB_BYTES ((size_t)16 << 20)
#define SLAB_FROM  ((size_t)128 << 10)

typedef struct message_object {
    PyObject_HEAD
    nb_buffer *buffer;
    size_t skip, size;
} message_object;

/* A base-128 number; false when there is none. */
static bool
varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

/* Where the bytes of the field lie whose number the path ends with; 0 when they are not within the head. The head only has to be
 * good enough to find them: what is wrong with a message is found when it is read. */
static size_t
find(const uint8_t *head, size_t n, const int *path, int n_path)
{
    const uint8_t *at = head, *end = head + n;
    uint64_t tag, len;

    while (n_path > 0 && varint(&at, end, &tag)) {
        switch (tag & 7) {
        case 0:
            if (!varint(&at, end, &len)) {
                return 0;
            }
            continue;
        case 1: len = 8; break;
        case 5: len = 4; break;
        case 2:
            if (!varint(&at, end, &len)) {
                return 0;
            }
            if (tag >> 3 == (uint64_t)path[0]) {
                path++;
                n_path--;
                continue;
            }
            break;
        default: return 0;
        }
        if (len > (size_t)(end - at)) {
            return 0;
        }
        at += len;
    }
    return n_path == 0 ? (size_t)(at - head) : 0;
}

/* Puts a large message behind the one before it. When the slab is full and nobody has its messages any more, it begins anew. */
static nb_status
gather_in_slab(nb_grpc_state *state, const nb_rpc_message *message, size_t align_at,
               nb_grpc_slab *slab, message_object *out)
{
    size_t skip = (ALIGNMENT - align_at % ALIGNMENT) % ALIGNMENT;
    size_t need = NB_ALIGN_UP(skip + out->size, ALIGNMENT);

    if (slab->buffer != NULL && nb_buffer_is_sole(slab->buffer)) {
        slab->used = 0;
    }
    if (slab->buffer == NULL || slab->buffer->n_bytes - slab->used < need) {
        nb_buffer_release(slab->buffer);
        slab->buffer = NULL;
        slab->used = 0;
        NB_TRY(nb_buffer_new(state->pool, SLAB_BYTES, &slab->buffer));
    }
    out->buffer = nb_buffer_ref(slab->buffer);
    out->skip = slab->used + skip;
    slab->used += need;
    nb_rpc_message_read(message, 0, out->size, out->buffer->data + out->skip);
    return NB_OK;
}

PyObject *
nb_grpc_message_new(nb_grpc_state *state, nb_rpc_message *message, const int *align, int n_align,
                    nb_grpc_slab *slab)
{
    PyTypeObject *type = (PyTypeObject *)state->message_type;
    message_object *self = (message_object *)type->tp_alloc(type, 0);
    uint8_t head[HEAD];
    nb_status st = NB_NOMEM;
    size_t n, align_at;

    if (self != NULL) {
        Py_BEGIN_ALLOW_THREADS
        self->size = nb_rpc_message_size(message);
        n = NB_MIN(self->size, sizeof(head));
        nb_rpc_message_read(message, 0, n, head);
        align_at = find(head, n, align, n_align);
        if (slab != NULL && self->size >= SLAB_FROM && self->size <= SLAB_BYTES / 2) {
            st = gather_in_slab(state, message, align_at, slab, self);
        } else {
            st = nb_rpc_message_gather(message, state->pool, align_at, &self->buffer, &self->skip);
        }
        Py_END_ALLOW_THREADS
        if (st < 0) {
            Py_CLEAR(self);
            PyErr_NoMemory();
        }
    }
    nb_rpc_message_free(message);
    return (PyObject *)self;
}

static int
message_get_buffer(PyObject *self, Py_buffer *view, int flags)
{
    message_object *m = (message_object *)self;

    return PyBuffer_FillInfo(view, self, m->buffer->data + m->skip, (Py_ssize_t)m->size, 1, flags);
}

static Py_ssize_t
message_length(PyObject *self)
{
    return (Py_ssize_t)((message_object *)self)->size;
}

static void
message_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    nb_buffer_release(((message_object *)self)->buffer);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot message_slots[] = {
    {Py_tp_doc, (void *)"A message that came in; a read-only buffer."},
    {Py_tp_dealloc, (void *)message_dealloc},
    {Py_bf_getbuffer, (void *)message_get_buffer},
    {Py_sq_length, (void *)message_length},
    {0, NULL},
};

static PyType_Spec message_spec = {
    .name = "nbaspark._grpc.Message",
    .basicsize = sizeof(message_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = message_slots,
};

int
nb_grpc_message_exec(PyObject *module)
{
    nb_grpc_state *state = PyModule_GetState(module);

    state->message_type = PyType_FromModuleAndSpec(module, &message_spec, NULL);
    return state->message_type ? PyModule_AddObjectRef(module, "Message", state->message_type) : -1;
}
