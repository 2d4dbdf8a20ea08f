/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_layout.c: learning how records are written.
 *
 * A name that is new is put behind the one that it followed, so that records with some of the fields only teach the order of all. Each line that is lost
 * costs credit, each that fits gives some back; a layout without credit is forgotten, and nothing tried for a while.
 */
#include "expr/json_layout.h"

#define ASLEEP 1024

/* What stands between values: a comma, white space, a quote. */
static void
set_between(nb_json_layout *l, const char *comma, int gap)
{
    char mask[4] = {0}, text[4] = {0};

    memcpy(text, comma, (size_t)gap + 2);
    memset(mask, 0xFF, (size_t)gap + 2);
    memcpy(&l->between, text, 4);
    memcpy(&l->between_mask, mask, 4);
    l->gap = gap;
}

/* The field behind the last: no text has such bytes. */
static void
set_end(nb_json_layout *l)
{
    nb_json_layout_field *f = &l->fields[l->n];

    memset(f, 0xFF, sizeof(*f));
}

void
nb_json_layout_init(nb_json_layout *l, void *memory)
{
    *l = (nb_json_layout){.fields = memory, .credit = NB_JSON_LAYOUT_CREDIT};
    if (memory != NULL) {
        set_between(l, ",\"", 0);
        set_end(l);
    }
}

const char *
nb_json_skip_from(nb_json j)
{
    return nb_json_skip(&j) ? j.p : NULL;
}

static void
set_text(nb_json_layout_field *f, nb_str text, size_t name_len)
{
    char head[16] = {0}, mask[16] = {0};
    size_t n = NB_MIN(text.len, sizeof(head));

    memcpy(f->text, text.data, text.len);
    memcpy(head, text.data, n);
    memset(mask, 0xFF, n);
    memcpy(f->head, head, sizeof(head));
    memcpy(f->mask, mask, sizeof(mask));
    if (text.len > 16) {
        memcpy(f->tail, text.data + text.len - 16, 16);
    }
    f->len = (uint16_t)text.len;
    f->name_len = (uint16_t)name_len;
}

/* Notes a name with its quotes and all up to its value; at is the place behind the name before. Returns that behind this one. */
static int
note(nb_json_layout *l, nb_str text, nb_str name, int at)
{
    for (int k = 0; k < l->n; k++) {
        if (nb_str_equal(nb_json_layout_name(&l->fields[k]), name)) {
            set_text(&l->fields[k], text, name.len); /* the white space may be new */
            return NB_MAX(k + 1, at);
        }
    }
    if (l->n == NB_JSON_LAYOUT_FIELDS) {
        return at;
    }
    memmove(&l->fields[at + 1], &l->fields[at], (size_t)(l->n - at) * sizeof(*l->fields));
    l->n++;
    set_end(l);
    l->fields[at].field = NB_JSON_UNRESOLVED;
    set_text(&l->fields[at], text, name.len);
    return at + 1;
}

void
nb_json_layout_learn(nb_json_layout *l, nb_str line, const nb_json *how)
{
    nb_json j = *how;
    nb_strbuf side = {0};
    bool first = true, bad = false;
    int at = 0;

    if (--l->credit < 0) {
        l->n = 0;
        set_end(l);
        l->credit = NB_JSON_LAYOUT_CREDIT;
        l->asleep = ASLEEP;
        return;
    }
    j.p = line.data;
    j.end = line.data + line.len;
    j.depth = 0;
    if (nb_json_peek(&j) != NB_JSON_OBJECT || !nb_json_enter(&j)) {
        return;
    }
    while (nb_json_more(&j, '}', &first, &bad)) {
        const char *comma = j.p, *from;
        nb_str name;

        nb_json_skip_space(&j);
        from = j.p;
        if (!nb_json_name_at(&j, &side, &name)) {
            break;
        }
        nb_json_skip_space(&j);
        if (*from == '"' && name.data == from + 1 && j.p - from <= NB_JSON_LAYOUT_NAME &&
            memchr(name.data + name.len + 1, '"', (size_t)(j.p - name.data) - name.len - 1) ==
                NULL) { /* in a comment */
            if (at > 0 && from - comma <= 2) {
                set_between(l, comma - 1, (int)(from - comma));
            }
            at = note(l, (nb_str){from, (size_t)(j.p - from)}, name, at);
        }
        if (!nb_json_skip(&j)) {
            break;
        }
    }
    nb_strbuf_free(&side);
}
