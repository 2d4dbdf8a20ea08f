/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_result.c: the responses of an operation, made as they are sent, while the operation runs.
 *
 * Responses are numbered: those of the command or the batches of rows, then the end. A response's id is "item.part", and says
 * where to go on; the same item is the same bytes whenever it is made. A batch larger than a client takes goes in parts.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include "base/clock.h"
#include "column/arrow.h"
#include "connect/service_internal.h"
#include "plan/type_proto.h"

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

/* What the query has observed. */
static void
put_metrics(nb_strbuf *out, const nb_result *result)
{
    for (int i = 0; i < result->n_metrics; i++) {
        put_bytes(out, 6, result->metrics[i]);
    }
}

/* Where a stream stands: response `item`, of which the messages before `part` have been sent. */
typedef struct result_cursor {
    int64_t item;
    int part;
} result_cursor;

typedef struct sender {
    nb_operation *op;
    nb_rpc_call *call;
    int listener;
    bool whole; /* an answer that is short enough goes in one message … */
    bool ends;  /* … and this is it */
    nb_arena *arena;
    struct ArrowSchema schema;
    nb_arrow_options options;
    nb_strbuf head;
    int64_t report_ns; /* when progress is told of next */
    char last_id[48];  /* of the latest response that counts */
} sender;

/* "item.part"; what has been sent before it. */
static nb_str
response_id(sender *s, result_cursor at)
{
    int n = snprintf(s->last_id, sizeof s->last_id, "%lld.%d%s", (long long)at.item, at.part,
                     s->ends ? NB_WHOLE_MARK : "");

    return (nb_str){s->last_id, (size_t)n};
}

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
send_simple(sender *s, result_cursor at, nb_str body, bool is_last, nb_error *err)
{
    NB_TRY(check_listener(s, err));
    s->head.len = 0;
    put_head(&s->head, s->op, response_id(s, at));
    nb_strbuf_add(&s->head, body);
    if (s->head.failed) {
        return NB_NOMEM;
    }
    return is_last ? nb_rpc_call_send_last(s->call, nb_strbuf_str(&s->head), err)
                   : nb_rpc_call_send(s->call, nb_strbuf_str(&s->head), err);
}

/* ---- progress -------------------------------------------------------------------------------- */

#define MAX_STAGES 256
#define SHORT_NS \
    ((int64_t)100 * 1000000) /* nobody wants to hear of the progress of shorter queries */
#define BEFORE_FIRST "begin" /* id of the progress before any response */

/* When waiting for the next response ends in order to tell of the progress; INT64_MAX: never. Under op->lock. */
static int64_t
report_at(const sender *s)
{
    return s->op->progress && s->op->state == NB_OPERATION_RUNNING ? s->report_ns : INT64_MAX;
}

/* The last word, for queries that took a while. Under op->lock. */
static bool
must_tell_end(const sender *s)
{
    return s->op->progress && s->op->state == NB_OPERATION_SUCCEEDED && !s->op->told_end &&
           s->op->took_ns > NB_MIN(SHORT_NS, s->op->report_ns);
}

/* Progress is no response that is kept: it has the id of the one before it, so that who comes back behind it goes on there. */
static nb_status
send_progress(sender *s, nb_error *err)
{
    nb_progress_stage stages[MAX_STAGES];
    nb_arena *arena = nb_arena_new(NULL);
    Sc__ExecutePlanResponse__ExecutionProgress *progress;
    int n = nb_progress_stages(s->op->progress, stages, MAX_STAGES);
    nb_str body = {NULL, 0};
    nb_status st = NB_NOMEM;

    s->report_ns = nb_clock_mono_ns() + s->op->report_ns;
    progress = arena ? NB_MESSAGE(arena, Sc__ExecutePlanResponse__ExecutionProgress,
                                  sc__execute_plan_response__execution_progress)
                     : NULL;
    if (progress) {
        progress->stages =
            NB_ARENA_ARRAY(arena, Sc__ExecutePlanResponse__ExecutionProgress__StageInfo *, n + 1);
    }
    if (!progress || !progress->stages) {
        goto done;
    }
    for (int i = 0; i < n; i++) {
        Sc__ExecutePlanResponse__ExecutionProgress__StageInfo *info =
            NB_MESSAGE(arena, Sc__ExecutePlanResponse__ExecutionProgress__StageInfo,
                       sc__execute_plan_response__execution_progress__stage_info);
        if (!info) {
            goto done;
        }
        info->has_stage_id = info->has_num_tasks = info->has_num_completed_tasks = true;
        info->has_input_bytes_read = info->has_done = true;
        info->stage_id = i;
        info->num_tasks = stages[i].n_tasks;
        info->num_completed_tasks = stages[i].n_done;
        info->input_bytes_read = stages[i].bytes_read;
        info->done = stages[i].done;
        progress->num_inflight_tasks += stages[i].n_running;
        progress->stages[progress->n_stages++] = info;
    }
    progress->has_num_inflight_tasks = true;
    body = nb_message_bytes(arena, &progress->base);
    if (!body.data) {
        goto done;
    }
    NB_TRY_GOTO(st, check_listener(s, err), done);
    s->head.len = 0;
    put_head(&s->head, s->op, nb_str_of(s->last_id[0] ? s->last_id : BEFORE_FIRST));
    put_bytes(&s->head, 18, body);
    st = s->head.failed ? NB_NOMEM : nb_rpc_call_send(s->call, nb_strbuf_str(&s->head), err);
done:
    nb_arena_free(arena);
    return st;
}

/* ---- batches --------------------------------------------------------------------------------- */

/* The Arrow stream of a batch; lives as long as the message that refers to it, which gRPC says on a thread of its own. */
typedef struct encoded encoded;
struct encoded {
    encoded *next; /* of the spare ones */
    nb_strbuf bytes;
    nb_arena *arena; /* holds this struct */
    /* Set by who gives it to gRPC, read by who frees it: gRPC orders the two threads by its own counts, which sanitizers do not see. */
    _Atomic bool given;
};

/* Buffers that have been sent are used again: fresh memory costs more than what is written into it. */
#define MAX_SPARE       8
#define MAX_SPARE_BYTES ((size_t)4 << 20)

static struct {
    pthread_mutex_t lock;
    encoded *first;
    int n;
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

static encoded *
encoded_new(void)
{
    encoded *e;
    nb_arena *arena;

    pthread_mutex_lock(&spare.lock);
    e = spare.first;
    if (e) {
        spare.first = e->next;
        spare.n--;
    }
    pthread_mutex_unlock(&spare.lock);
    if (e) {
        e->bytes.len = 0;
        return e;
    }
    arena = nb_arena_new(NULL);
    e = arena ? NB_ARENA_NEW(arena, encoded) : NULL;
    if (!e) {
        nb_arena_free(arena);
        return NULL;
    }
    e->arena = arena;
    return e;
}

static void
encoded_free(void *payload)
{
    encoded *e = payload;
    bool kept = false;

    (void)atomic_load_explicit(&e->given, memory_order_acquire);
    if (!e->bytes.failed && e->bytes.cap <= MAX_SPARE_BYTES) {
        pthread_mutex_lock(&spare.lock);
        kept = spare.n < MAX_SPARE;
        if (kept) {
            e->next = spare.first;
            spare.first = e;
            spare.n++;
        }
        pthread_mutex_unlock(&spare.lock);
    }
    if (!kept) {
        nb_strbuf_free(&e->bytes);
        nb_arena_free(e->arena);
    }
}

/* chunk NULL: no rows at all. */
static nb_status
encode(sender *s, const nb_result_slice *slice, const nb_chunk *chunk, encoded **out, nb_error *err)
{
    nb_table *t = s->op->schema;
    encoded *e = encoded_new();
    struct ArrowArray array = {0};
    nb_status st = NB_NOMEM;

    if (!e) {
        return st;
    }
    if (!chunk) {
        st = nb_arrow_ipc_write_table(t, &s->options, NB_ARROW_PLAIN, &e->bytes, err);
    } else {
        NB_TRY_GOTO(st, nb_arrow_ipc_write_schema(&s->schema, &e->bytes, err), done);
        NB_TRY_GOTO(
            st, nb_arrow_export_chunk(t, chunk, slice->from, slice->n, &s->options, &array, err),
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
send_part(sender *s, result_cursor at, const nb_result_slice *slice, nb_str data, int n_parts,
          nb_str schema, encoded *owner, nb_error *err)
{
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
    put_head(&s->head, s->op, response_id(s, at));
    if (schema.len) {
        put_bytes(&s->head, 7, schema);
    }
    if (s->ends) {
        put_metrics(&s->head, s->op->result);
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
    if (s->ends) {
        nb_strbuf_add(&s->head, data);
        if (owner) {
            encoded_free(owner);
        }
        return s->head.failed ? NB_NOMEM
                              : nb_rpc_call_send_last(s->call, nb_strbuf_str(&s->head), err);
    }
    pieces[0].bytes = nb_strbuf_str(&s->head);
    if (owner) {
        atomic_store_explicit(&owner->given, true, memory_order_release);
    }
    return nb_rpc_call_send_pieces(s->call, pieces, 2, err);
}

static nb_status
send_batch(sender *s, result_cursor at, const nb_result_slice *slice, const nb_chunk *chunk,
           nb_error *err)
{
    nb_operation *op = s->op;
    encoded *data;
    nb_str schema = NB_STR("");
    size_t part_bytes, total;
    int n_parts;
    nb_status st = NB_OK;

    NB_TRY(encode(s, slice, chunk, &data, err));
    total = data->bytes.len;
    part_bytes = op->chunk_bytes > 0 ? (size_t)op->chunk_bytes : total;
    n_parts = (int)NB_MIN((total + part_bytes - 1) / part_bytes, (size_t)1 << 30);
    pthread_mutex_lock(&op->lock);
    nb_rows_sized(op, at.item, n_parts, total);
    pthread_mutex_unlock(&op->lock);
    if (slice->offset == 0) {
        Sc__DataType *type = nb_type_to_proto(s->arena, op->schema->schema);
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

/* ---- where a stream stands ------------------------------------------------------------------- */

/* Whether the response of this id has been made; under op->lock. *out: what comes behind it. */
static bool
find_response(const nb_operation *op, nb_str id, result_cursor *out)
{
    const char *dot = id.len ? memchr(id.data, '.', id.len) : NULL;
    int64_t item = -1, part = -1, responses = op->result ? op->result->n_responses : 0, slice;
    bool parts_left = false;

    if (nb_str_equal(id, NB_STR(BEFORE_FIRST))) {
        *out = (result_cursor){0, 0};
        return true;
    }
    if (!dot || !nb_str_to_int64((nb_str){id.data, (size_t)(dot - id.data)}, &item) ||
        !nb_str_to_int64((nb_str){dot + 1, id.len - (size_t)(dot + 1 - id.data)}, &part) ||
        item < 0 || part < 0 || part >= INT32_MAX) {
        return false;
    }
    slice = item - op->first_slice;
    if (item < responses) {
        if (part != 0) {
            return false;
        }
    } else if (slice >= op->n_slices) { /* the end */
        if (op->state != NB_OPERATION_SUCCEEDED || part != 0 ||
            item > NB_MAX(responses, op->first_slice + op->n_slices)) {
            return false;
        }
    } else if (slice >= 0) {
        if (part >= op->slices[slice].n_parts) {
            return false;
        }
        parts_left = part + 1 < op->slices[slice].n_parts;
    }
    *out = parts_left ? (result_cursor){item, (int)part + 1} : (result_cursor){item + 1, 0};
    return true;
}

/* What comes behind the response of this id. */
static nb_status
cursor_after(nb_operation *op, nb_str response_id, result_cursor *out, nb_error *err)
{
    char text[64];
    bool found;

    pthread_mutex_lock(&op->lock);
    found = find_response(op, response_id, out);
    pthread_mutex_unlock(&op->lock);
    if (!found) {
        snprintf(text, sizeof text, "%.*s", (int)NB_MIN(response_id.len, (size_t)40),
                 response_id.len ? response_id.data : "");
        return nb_raise(err, NB_COND_INVALID_CURSOR_POSITION_NOT_FOUND, "responseId", text, NULL);
    }
    return NB_OK;
}

/* ---- the stream ------------------------------------------------------------------------------ */

/* What is to be sent next. */
typedef enum next_item {
    NEXT_RESPONSE,
    NEXT_SLICE,
    NEXT_PROGRESS,
    NEXT_END,
    NEXT_FAILURE
} next_item;

#define WHOLE_BYTES ((size_t)64 << 10)

/* Whether the answer is the response that comes now and nothing else. Under op->lock. */
static bool
is_whole(const nb_operation *op, int64_t item, next_item next)
{
    size_t bytes = 0;

    if (op->state != NB_OPERATION_SUCCEEDED || item != 0) {
        return false;
    }
    if (next == NEXT_RESPONSE) {
        return op->result->n_responses == 1 && op->result->responses[0].len <= WHOLE_BYTES;
    }
    if (next != NEXT_SLICE || op->result->n_responses > 0 || op->first_chunk > 0) {
        return false;
    }
    for (int i = 0; i < op->n_chunks; i++) {
        bytes += op->chunks[i].n_bytes;
    }
    return bytes <= WHOLE_BYTES && op->n_slices == 1 &&
           (op->n_chunks == 0 ||
            (op->n_chunks == 1 && op->slices[0].n == op->chunks[0].chunk->n_rows));
}

/* Waits until there is something to send, or until nobody listens any more. */
static nb_status
wait_for_item(sender *s, int64_t item, next_item *next, nb_result_slice *slice, nb_chunk **chunk,
              nb_error *err)
{
    nb_operation *op = s->op;
    const nb_cancel_flag *gone = nb_rpc_call_cancelled(s->call);
    nb_status st = NB_OK;

    pthread_mutex_lock(&op->lock);
    for (;;) {
        if (op->listener != s->listener) {
            st = nb_raise(err, NB_COND_INVALID_CURSOR_DISCONNECTED, NULL);
            break;
        }
        if (atomic_load(&gone->requested)) {
            st = NB_CANCELLED;
            break;
        }
        if (op->state != NB_OPERATION_RUNNING && op->state != NB_OPERATION_SUCCEEDED) {
            *next = NEXT_FAILURE;
            break;
        }
        if (must_tell_end(s) || nb_clock_mono_ns() >= report_at(s)) {
            op->told_end = op->state == NB_OPERATION_SUCCEEDED;
            *next = NEXT_PROGRESS;
            break;
        }
        if (op->state == NB_OPERATION_SUCCEEDED && item < op->result->n_responses) {
            *next = NEXT_RESPONSE;
            break;
        }
        /* a result has responses or rows, so those of rows are known by their numbers before it has ended */
        *next = NEXT_SLICE;
        st = nb_rows_slice(op, item, slice, chunk, err);
        if (st != NB_DONE) {
            break;
        }
        st = NB_OK;
        if (op->state == NB_OPERATION_SUCCEEDED) {
            *next = NEXT_END;
            break;
        }
        if (report_at(s) == INT64_MAX) {
            pthread_cond_wait(&op->changed, &op->lock);
        } else {
            struct timespec until = {s->report_ns / 1000000000, s->report_ns % 1000000000};
            pthread_cond_timedwait(&op->changed, &op->lock, &until);
        }
    }
    s->ends = s->whole && st >= 0 && is_whole(op, item, *next);
    pthread_mutex_unlock(&op->lock);
    return st;
}

static void
wake(void *payload)
{
    nb_operation *op = payload;

    pthread_mutex_lock(&op->lock);
    pthread_cond_broadcast(&op->changed);
    pthread_mutex_unlock(&op->lock);
}

static nb_status
send_slice(sender *s, result_cursor at, const nb_result_slice *slice, nb_chunk *chunk,
           nb_error *err)
{
    nb_status st = NB_OK;

    if (!s->schema.release) {
        st = nb_arrow_export_schema(s->op->schema->schema, &s->options, &s->schema, err);
    }
    if (st >= 0) {
        st = send_batch(s, at, slice, chunk, err);
    }
    pthread_mutex_lock(&s->op->lock);
    nb_chunk_free(chunk);
    if (st >= 0) {
        nb_rows_sent(s->op, at.item);
    }
    pthread_mutex_unlock(&s->op->lock);
    return st;
}

static nb_status
send_response(sender *s, result_cursor at, nb_error *err)
{
    nb_strbuf body = {0};
    nb_status st;

    nb_strbuf_add(&body, s->op->result->responses[at.item]);
    if (s->ends) {
        put_metrics(&body, s->op->result);
    }
    st = body.failed ? NB_NOMEM : send_simple(s, at, nb_strbuf_str(&body), s->ends, err);
    nb_strbuf_free(&body);
    return st;
}

/* The end, with what the query has observed. */
static nb_status
send_end(sender *s, result_cursor at, nb_error *err)
{
    static const char complete[] = {14 << 3 | 2, 0}; /* result_complete {} */
    const nb_result *result = s->op->result;
    nb_strbuf body = {0};
    nb_status st;

    put_metrics(&body, result);
    nb_strbuf_add(&body, (nb_str){complete, sizeof complete});
    st = body.failed ? NB_NOMEM : send_simple(s, at, nb_strbuf_str(&body), true, err);
    nb_strbuf_free(&body);
    return st;
}

static nb_status
send_all(sender *s, result_cursor at, nb_error *err)
{
    for (;;) {
        nb_result_slice slice;
        nb_chunk *chunk = NULL;
        next_item next;

        NB_TRY(wait_for_item(s, at.item, &next, &slice, &chunk, err));
        switch (next) {
        case NEXT_RESPONSE: NB_TRY(send_response(s, at, err)); break;
        case NEXT_SLICE: NB_TRY(send_slice(s, at, &slice, chunk, err)); break;
        case NEXT_PROGRESS: NB_TRY(send_progress(s, err)); continue;
        case NEXT_END: return send_end(s, at, err);
        default: return NB_DONE;
        }
        if (s->ends) {
            return NB_OK;
        }
        at.item++;
        at.part = 0;
    }
}

nb_status
nb_result_stream(nb_operation *op, nb_rpc_call *call, nb_str after, int listener, bool whole,
                 nb_error *err)
{
    result_cursor at = {0, 0};
    sender s = {.op = op, .call = call, .listener = listener, .whole = whole};
    nb_status st;

    if (after.len) {
        NB_TRY(cursor_after(op, after, &at, err));
        memcpy(s.last_id, after.data, NB_MIN(after.len, sizeof s.last_id - 1));
    }
    s.arena = nb_arena_new(NULL);
    if (!s.arena) {
        return NB_NOMEM;
    }
    s.report_ns = nb_clock_mono_ns() + op->report_ns;
    s.options.time_zone = nb_session_time_zone(op->served->session, s.arena);
    nb_rpc_call_on_cancel(call, wake, op);
    st = send_all(&s, at, err);
    nb_rpc_call_on_cancel(call, NULL, NULL);
    if (s.schema.release) {
        s.schema.release(&s.schema);
    }
    nb_strbuf_free(&s.head);
    nb_arena_free(s.arena);
    return st;
}

void
nb_result_release(nb_operation *op, nb_str response_id)
{
    result_cursor at;

    pthread_mutex_lock(&op->lock);
    if ((!op->result || op->result->n_responses == 0) && find_response(op, response_id, &at)) {
        nb_rows_forget(op, at.item);
    }
    pthread_mutex_unlock(&op->lock);
}
