/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_write.c: to_json.
 *
 * Fields that are null are left out, elements and map values that are null are written. Instants by the pattern
 * yyyy-MM-dd'T'HH:mm:ss[.SSS] with the offset, in the session's zone.
 */
#include "base/config.h"
#include "expr/json_text.h"
#include "expr/kernels/string.h"

static nb_status
to_json_kernel(nb_kernel_ctx *ctx, const nb_vector *args, int n_args, int64_t n, nb_vector *out)
{
    nb_strbuf text = {0};
    nb_json_put job = {.ctx = ctx,
                       .style = ctx->expr->u.call.payload,
                       .zone = {.zone = ctx->info->zone},
                       .out = &text};
    nb_text_writer w = {.arena = ctx->arena};
    nb_status st = NB_OK;

    for (int64_t i = 0; i < n; i++) {
        if (!nb_is_valid(out->validity, i)) {
            continue;
        }
        text.len = 0;
        NB_TRY_GOTO(st, nb_json_put_value(&job, &args[0], i), done);
        char *room = text.failed ? NULL : nb_text_room(&w, text.len);
        if (room == NULL) {
            st = NB_NOMEM;
            goto done;
        }
        memcpy(room, nb_strbuf_str(&text).data, text.len);
        NB_DATA(nb_view, out)[i] = nb_text_done(&w, text.len);
    }
done:
    nb_strbuf_free(&text);
    return st;
}

nb_status
nb_bind_to_json(nb_bound_call *call, nb_error *err)
{
    nb_json_style *p = NB_ARENA_NEW(call->arena, nb_json_style);
    nb_type_id t = call->args[0]->type->id;

    if (p == NULL) {
        return NB_NOMEM;
    }
    if (call->n_args > 1) {
        return nb_raise_unsupported(err, "options of to_json");
    }
    if (t != NB_TYPE_STRUCT && t != NB_TYPE_ARRAY && t != NB_TYPE_MAP) {
        return nb_bind_mismatch(call, 0, "\"STRUCT\", \"ARRAY\" or \"MAP\"", err);
    }
    NB_TRY(nb_datetime_format_new(call->arena, NB_STR("yyyy-MM-dd'T'HH:mm:ss[.SSS]ZZZZZ"), false,
                                  &p->instant, err));
    NB_TRY(nb_datetime_format_new(call->arena, NB_STR("yyyy-MM-dd'T'HH:mm:ss[.SSS]"), false,
                                  &p->local, err));
    p->ignore_nulls =
        nb_config_bool(call->info ? call->info->config : NULL, NB_CONF_JSON_IGNORE_NULLS);
    call->payload = p;
    return nb_bound(call, NB_TYPE_STRING, to_json_kernel);
}
