/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_event_log.c: any bytes as an event log: the first byte picks the codec, what comes out is cut into events.
 */
#include "monitor/app.h"
#include "monitor/log_codec.h"

#define TEXT_MOST ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_app(const nb_app *app)
{
    for (int64_t s = 0; s < app->n_stages; s++) {
        NB_ASSERT(nb_app_stage_find(app, app->stages[s]->id, app->stages[s]->attempt));
        for (int64_t t = 0; t < app->stages[s]->n_tasks; t++) {
            const nb_app_task *task = nb_app_task_at(app->stages[s], t);
            NB_ASSERT(task->executor >= 0 && task->executor < app->n_executors);
        }
    }
    for (int64_t x = 0; x < app->n_executions; x++) {
        const nb_app_execution *e = app->executions[x];
        for (int i = 0; i < e->n_edges; i++) {
            NB_ASSERT(e->edges[i].from < e->n_nodes && e->edges[i].to < e->n_nodes);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nb_app *app = nb_app_new(NULL, (size_t)64 << 20);
    nb_log_decoder *d = NULL;
    nb_strbuf text = {0};
    char piece[4096];
    const char *why;
    nb_str in;

    if (size > 0) {
        d = nb_log_decoder_new((nb_log_codec)(data[0] % (NB_LOG_UNKNOWN + 1)));
        in = (nb_str){(const char *)data + 1, size - 1};
    }
    while (d && text.len < TEXT_MOST) {
        size_t n;

        if (nb_log_decode(d, &in, piece, sizeof(piece), &n, &why) < 0 || (n == 0 && in.len == 0)) {
            break;
        }
        nb_strbuf_add(&text, (nb_str){piece, n});
    }
    for (size_t at = 0; app && at < text.len;) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end ? (size_t)(end - text.data) - at : text.len - at;

        nb_app_take(app, (nb_str){text.data + at, len});
        at += len + 1;
    }
    if (app) {
        check_app(app);
    }
    nb_strbuf_free(&text);
    nb_log_decoder_free(d);
    nb_app_free(app);
    return 0;
}
