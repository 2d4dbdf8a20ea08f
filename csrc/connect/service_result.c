/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_result.c: the responses of an operation that has succeeded, made as they are sent.
 *
 * Responses are numbered: those of the command, then the batches of rows, then the end. A response's id is "item.part", and says
 * where to go on; the same item is the same bytes whenever it is made. Batches are cut to about a MiB, measured on the one before, and never
 * cross chunks of the table; what was cut is remembered. A batch larger than a client takes goes in parts.
 */
#include <stdio.h>
#include "column/arrow.h"
#include "connect/service_internal.h"
#include "plan/type_proto.h"

#define BATCH_BYTES ((int64_t)1 << 20)
#define FIRST_ROWS  4096
#define MAX_ROWS    ((int64_t)1 << 20)

/* ---- slices ---- */

/* Cuts the next batch, if there is one; under op->lock. */
static nb_status
add_slice(nb_operation *op)
{
    const nb_table *t = op->result->table;
    const nb_result_slice *last = op->n_slices ? &op->slices[op->n_slices - 1] : NULL;
    nb_result_slice next = {.n = 0};

    if (last) {
        next.chunk = last->chunk;
        next.from = last->from + last->n;
        next.offset = last->offset + last->n;
    }
    while (next.chunk < t->n_chunks && next.from >= t->chunks[next.chunk]->n_rows) {
        next.chunk++;
        next.from = 0;
    }
    if (next.chunk >= t->n_chunks && last) { /* an empty table still is one batch */
        op->sliced = true;
        return NB_OK;
    }
    if (next.chunk < t->n_chunks) {
        next.n = NB_MIN(op->batch_rows, t->chunks[next.chunk]->n_rows - next.from);
    }
    if (op->n_slices == op->cap_slices) {
        int cap = op->cap_slices ? op->cap_slices * 2 : 16;
        nb_result_slice *list =
            nb_pool_realloc(op->served->service->pool, op->slices,
                            sizeof *list * (size_t)op->cap_slices, sizeof *list * (size_t)cap);
        if (!list) {
            return NB_NOMEM;
        }
        op->slices = list;
        op->cap_slices = cap;
    }
    op->slices[op->n_slices++] = next;
    return NB_OK;
}

/* Copies slice i, cutting it if it is the next; NB_DONE when there is none. */
static nb_status
get_slice(nb_operation *op, int64_t i, nb_result_slice *out)
{
    nb_status st = NB_OK;

    if (!op->result->table) {
        return NB_DONE;
    }
    pthread_mutex_lock(&op->lock);
    if (i == op->n_slices && !op->sliced) {
        st = add_slice(op);
    }
    if (st >= 0) {
        st = i < op->n_slices ? NB_OK : NB_DONE;
    }
    if (st == NB_OK) {
        *out = op->slices[i];
    }
    pthread_mutex_unlock(&op->lock);
    return st;
}

/* ---- messages ---- */

static void
put_varint(nb_strbuf *out, uint64_t v)
{
    while (v >= 0x80) {
        nb_strbuf_addc(out, (char)(v | 0x80));
        v >>= 7;
    }
    nb_strbuf_addc(out, (char)v);
}

static size_t
varint_size(uint64_t v)
{
    size_t n = 1;

    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

static void
put_bytes(nb_strbuf *out, uint32_t field, nb_str s)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, s.len);
    nb_strbuf_add(out, s);
}

/* What every response begins with. response_id may be empty. */
static void
put_head(nb_strbuf *out, const nb_operation *op, nb_str response_id)
{
    put_bytes(out, 1, op->served->id);
    put_bytes(out, 15, nb_served_server_id(op->served));
    put_bytes(out, 12, nb_str_of(op->id));
    if (response_id.len) {
        put_bytes(out, 13, response_id);
    }
}

typedef struct sender {
    nb_operation *op;
    nb_rpc_call *call;
    int listener;
    nb_arena *arena;
    struct ArrowSchema schema;
    nb_arrow_options options;
    nb_strbuf head;
} sender;

/* Whether this stream is still the one that the client listens to. */
static nb_status
check_listener(sender *s, nb_error *err)
{
    int latest;

    pthread_mutex_lock(&s->op->lock);
    latest = s->op->listener;
    pthread_mutex_unlock(&s->op->lock);
    if (latest != s->listener) {
        return nb_raise(err, NB_COND_INVALID_CURSOR_DISCONNECTED, NULL);
    }
    return atomic_load(&nb_rpc_call_cancelled(s->call)->requested) ? NB_CANCELLED : NB_OK;
}

static nb_status
send_simple(sender *s, nb_result_cursor at, nb_str body, nb_error *err)
{
    char id[48];
    int n = snprintf(id, sizeof id, "%lld.%d", (long long)at.item, at.part);

    NB_TRY(check_listener(s, err));
    s->head.len = 0;
    put_head(&s->head, s->op, (nb_str){id, (size_t)n});
    nb_strbuf_add(&s->head, body);
    return s->head.failed ? NB_NOMEM : nb_rpc_call_send(s->call, nb_strbuf_str(&s->head), err);
}

/* The Arrow stream of a batch; lives as long as the message that refers to it. */
typedef struct encoded {
    nb_strbuf bytes;
    nb_arena *arena; /* holds this struct */
} encoded;

static void
encoded_free(void *payload)
{
    encoded *e = payload;

    nb_strbuf_free(&e->bytes);
    nb_arena_free(e->arena);
}

static nb_status
encode(sender *s, const nb_result_slice *slice, encoded **out, nb_error *err)
{
    nb_table *t = s->op->result->table;
    nb_arena *arena = nb_arena_new(NULL);
    encoded *e = arena ? NB_ARENA_NEW(arena, encoded) : NULL;
    struct ArrowArray array = {0};
    nb_status st = NB_NOMEM;

    if (!e) {
        nb_arena_free(arena);
        return st;
    }
    e->arena = arena;
    if (slice->chunk >= t->n_chunks) { /* no rows at all */
        st = nb_arrow_ipc_write_table(t, &s->options, NB_ARROW_PLAIN, &e->bytes, err);
    } else {
        NB_TRY_GOTO(st, nb_arrow_ipc_write_schema(&s->schema, &e->bytes, err), done);
        NB_TRY_GOTO(st,
                    nb_arrow_export_chunk(t, t->chunks[slice->chunk], slice->from, slice->n,
                                          &s->options, &array, err),
                    done);
        st = nb_arrow_ipc_write_batch(&s->schema, &array, NB_ARROW_PLAIN, &e->bytes, err);
        array.release(&array);
        NB_TRY_GOTO(st, st, done);
        st = nb_arrow_ipc_write_end(&e->bytes);
    }
    if (st >= 0 && e->bytes.failed) {
        st = NB_NOMEM;
    }
done:
    if (st < 0) {
        encoded_free(e);
        return st;
    }
    *out = e;
    return NB_OK;
}

/* One message with bytes [from, from+n) of the batch; the message keeps the batch's buffer when `owner`. */
static nb_status
send_part(sender *s, nb_result_cursor at, const nb_result_slice *slice, nb_str data, int n_parts,
          nb_str schema, void *owner, nb_error *err)
{
    char id[48];
    int n = snprintf(id, sizeof id, "%lld.%d", (long long)at.item, at.part);
    nb_rpc_piece pieces[2] = {{.bytes = NB_STR("")}, {data, owner ? encoded_free : NULL, owner}};
    size_t batch;
    nb_status st = check_listener(s, err);

    if (st < 0) {
        if (owner) {
            encoded_free(owner);
        }
        return st;
    }
    s->head.len = 0;
    put_head(&s->head, s->op, (nb_str){id, (size_t)n});
    if (schema.len) {
        put_bytes(&s->head, 7, schema);
    }
    batch = 1 + varint_size((uint64_t)slice->n) + 1 + varint_size((uint64_t)slice->offset) + 1 +
            varint_size(data.len) + data.len;
    if (n_parts > 1) {
        batch += 1 + varint_size((uint64_t)at.part) + 1 + varint_size((uint64_t)n_parts);
    }
    put_varint(&s->head, 2 << 3 | 2);
    put_varint(&s->head, batch);
    put_varint(&s->head, 1 << 3);
    put_varint(&s->head, (uint64_t)slice->n);
    put_varint(&s->head, 3 << 3);
    put_varint(&s->head, (uint64_t)slice->offset);
    if (n_parts > 1) {
        put_varint(&s->head, 4 << 3);
        put_varint(&s->head, (uint64_t)at.part);
        put_varint(&s->head, 5 << 3);
        put_varint(&s->head, (uint64_t)n_parts);
    }
    put_varint(&s->head, 2 << 3 | 2);
    put_varint(&s->head, data.len);
    if (s->head.failed) {
        if (owner) {
            encoded_free(owner);
        }
        return NB_NOMEM;
    }
    pieces[0].bytes = nb_strbuf_str(&s->head);
    return nb_rpc_call_send_pieces(s->call, pieces, 2, err);
}

static nb_status
send_batch(sender *s, nb_result_cursor at, const nb_result_slice *slice, nb_error *err)
{
    nb_operation *op = s->op;
    encoded *data;
    nb_str schema = NB_STR("");
    size_t part_bytes, total;
    int n_parts;
    nb_status st = NB_OK;

    NB_TRY(encode(s, slice, &data, err));
    total = data->bytes.len;
    part_bytes = op->chunk_bytes > 0 ? (size_t)op->chunk_bytes : total;
    n_parts = (int)NB_MIN((total + part_bytes - 1) / part_bytes, (size_t)1 << 30);
    pthread_mutex_lock(&op->lock);
    op->slices[at.item - op->result->n_responses].n_parts = n_parts;
    if (slice->n > 0) { /* the next batches by the size of this one */
        int64_t rows = (int64_t)((double)slice->n * (double)BATCH_BYTES / (double)total);
        op->batch_rows = NB_MIN(NB_MAX(rows, 1), MAX_ROWS);
    }
    pthread_mutex_unlock(&op->lock);
    if (slice->offset == 0) {
        Sc__DataType *type = nb_type_to_proto(s->arena, op->result->table->schema);
        schema = type ? nb_message_bytes(s->arena, &type->base) : schema;
        if (!type || !schema.data) {
            encoded_free(data);
            return NB_NOMEM;
        }
    }
    if (n_parts == 1) {
        return send_part(s, at, slice, nb_strbuf_str(&data->bytes), 1, schema, data, err);
    }
    for (; at.part < n_parts && st >= 0; at.part++) {
        size_t from = (size_t)at.part * part_bytes;
        nb_str bytes = {data->bytes.data + from, NB_MIN(part_bytes, total - from)};
        st = send_part(s, at, slice, bytes, n_parts, at.part == 0 ? schema : NB_STR(""), NULL, err);
    }
    encoded_free(data);
    return st;
}

nb_status
nb_result_stream(nb_operation *op, nb_rpc_call *call, nb_result_cursor at, int listener,
                 nb_error *err)
{
    static const char complete[] = {14 << 3 | 2, 0}; /* result_complete {} */
    sender s = {.op = op, .call = call, .listener = listener};
    nb_result_slice slice;
    nb_status st = NB_NOMEM;

    s.arena = nb_arena_new(NULL);
    if (!s.arena) {
        return st;
    }
    pthread_mutex_lock(&op->lock);
    if (op->batch_rows == 0) {
        op->batch_rows = FIRST_ROWS;
    }
    pthread_mutex_unlock(&op->lock);
    s.options.time_zone = nb_session_time_zone(op->served->session, s.arena);
    if (op->result->table) {
        NB_TRY_GOTO(st,
                    nb_arrow_export_schema(op->result->table->schema, &s.options, &s.schema, err),
                    done);
    }
    for (; at.item < op->result->n_responses; at.item++, at.part = 0) {
        NB_TRY_GOTO(st, send_simple(&s, at, op->result->responses[at.item], err), done);
    }
    while ((st = get_slice(op, at.item - op->result->n_responses, &slice)) == NB_OK) {
        NB_TRY_GOTO(st, send_batch(&s, at, &slice, err), done);
        at.item++;
        at.part = 0;
    }
    NB_TRY_GOTO(st, st, done);
    st = send_simple(&s, at, (nb_str){complete, sizeof complete}, err);
done:
    if (s.schema.release) {
        s.schema.release(&s.schema);
    }
    nb_strbuf_free(&s.head);
    nb_arena_free(s.arena);
    return st;
}

nb_status
nb_result_cursor_after(nb_operation *op, nb_str response_id, nb_result_cursor *out, nb_error *err)
{
    const char *dot = memchr(response_id.data, '.', response_id.len);
    int64_t item = -1, part = -1, slice;
    bool ok, parts_left = false;
    char text[64];

    ok = dot &&
         nb_str_to_int64((nb_str){response_id.data, (size_t)(dot - response_id.data)}, &item) &&
         nb_str_to_int64((nb_str){dot + 1, response_id.len - (size_t)(dot + 1 - response_id.data)},
                         &part) &&
         item >= 0 && part >= 0 && part < INT32_MAX;
    pthread_mutex_lock(&op->lock);
    ok = ok && op->result;
    if (ok) {
        slice = item - op->result->n_responses;
        ok = slice < 0 ? part == 0 : slice <= op->n_slices;
        if (ok && slice >= 0 && slice < op->n_slices) {
            ok = part < op->slices[slice].n_parts;
            parts_left = part + 1 < op->slices[slice].n_parts;
        }
    }
    pthread_mutex_unlock(&op->lock);
    if (!ok) {
        snprintf(text, sizeof text, "%.*s", (int)NB_MIN(response_id.len, (size_t)40),
                 response_id.data);
        return nb_raise(err, NB_COND_INVALID_CURSOR_POSITION_NOT_FOUND, "responseId", text, NULL);
    }
    out->item = parts_left ? item : item + 1;
    out->part = parts_left ? (int)part + 1 : 0;
    return NB_OK;
}
