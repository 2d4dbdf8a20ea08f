/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handoff.c: see handoff.h.
 *
 *   request   | magic u32 | stage u32 | query u64 | task u32 | attempt u32 |
 *   answer    | found u32 |, with the descriptor when found is 1
 *
 * One thread serves all connections; a request is as small as a socket's buffer takes at once, so none is ever half there for long, and a
 * connection that sends less is closed.
 */
#include "cluster/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/pool.h"

#define MAGIC       0x4e62486fu
#define CONNECTIONS 256
#define NAME_BYTES  48
#define ANSWER_S    2

typedef struct request {
    uint32_t magic, stage;
    uint64_t query;
    uint32_t task, attempt;
} request;

struct nb_handoff_server {
    nb_pool *pool;
    nb_handoff_open open;
    void *payload;
    char name[NAME_BYTES];
    int listener, wake[2]; /* a byte in wake ends it */
    pthread_t thread;
    bool running;
    struct pollfd polled[CONNECTIONS + 2];
    int n_polled;
};

static socklen_t
address_of(nb_str name, struct sockaddr_un *out)
{
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path + 1, name.data, name.len); /* after a zero byte: abstract */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name.len);
}

static bool
is_same_user(int fd)
{
    struct ucred who;
    socklen_t n = sizeof(who);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.uid == geteuid();
}

/* ---- the server ------------------------------------------------------------------------------ */

static bool
answer(int connection, int file)
{
    uint32_t found = file >= 0;
    struct iovec bytes = {&found, sizeof(found)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &bytes, .msg_iovlen = 1};

    memset(&control, 0, sizeof(control));
    if (found) {
        m.msg_control = &control;
        m.msg_controllen = sizeof(control.room);
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.head), &file, sizeof(int));
    }
    return sendmsg(connection, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(found);
}

/* false: the connection has ended, or is of no use. */
static bool
serve_request(nb_handoff_server *s, int connection)
{
    request r;
    nb_handoff_key key;
    bool ok;
    int file;

    if (recv(connection, &r, sizeof(r), MSG_DONTWAIT) != (ssize_t)sizeof(r) || r.magic != MAGIC) {
        return false;
    }
    key = (nb_handoff_key){r.query, r.stage, r.task, r.attempt};
    file = s->open(s->payload, &key);
    ok = answer(connection, file);
    if (file >= 0) {
        close(file);
    }
    return ok;
}

static void
welcome(nb_handoff_server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    if (s->n_polled == CONNECTIONS + 2 || !is_same_user(fd)) {
        close(fd);
        return;
    }
    s->polled[s->n_polled++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void *
serve(void *payload)
{
    nb_handoff_server *s = payload;

    s->polled[0] = (struct pollfd){.fd = s->wake[0], .events = POLLIN};
    s->polled[1] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    s->n_polled = 2;
    for (;;) {
        if (poll(s->polled, (nfds_t)s->n_polled, -1) < 0 && errno != EINTR) {
            break;
        }
        if (s->polled[0].revents != 0) {
            break;
        }
        for (int i = s->n_polled - 1; i >= 2; i--) {
            if (s->polled[i].revents != 0 && !serve_request(s, s->polled[i].fd)) {
                close(s->polled[i].fd);
                s->polled[i] = s->polled[--s->n_polled];
            }
        }
        if (s->polled[1].revents != 0) {
            welcome(s);
        }
    }
    for (int i = 2; i < s->n_polled; i++) {
        close(s->polled[i].fd);
    }
    return NULL;
}

static nb_status
start(nb_handoff_server *s, nb_error *err)
{
    struct sockaddr_un address;
    uint64_t random[2];
    socklen_t n;

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return nb_raise_errno(err, "getrandom", "", errno);
    }
    snprintf(s->name, sizeof(s->name), "nbaspark-%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
    s->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    n = address_of(nb_str_of(s->name), &address);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&address, n) < 0 ||
        listen(s->listener, CONNECTIONS) < 0 || pipe2(s->wake, O_CLOEXEC) < 0) {
        return nb_raise_errno(err, "listen", s->name, errno);
    }
    if (pthread_create(&s->thread, NULL, serve, s) != 0) {
        return NB_NOMEM;
    }
    s->running = true;
    return NB_OK;
}

nb_status
nb_handoff_serve(nb_handoff_open open, void *payload, nb_handoff_server **out, nb_error *err)
{
    nb_pool *pool = nb_pool_new(NULL, "handoff", 0);
    nb_handoff_server *s = pool ? nb_pool_zalloc(pool, sizeof(*s)) : NULL;
    nb_status st;

    if (s == NULL) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    s->pool = pool;
    s->open = open;
    s->payload = payload;
    s->listener = s->wake[0] = s->wake[1] = -1;
    st = start(s, err);
    if (st < 0) {
        nb_handoff_stop(s);
        return st;
    }
    *out = s;
    return NB_OK;
}

nb_str
nb_handoff_name(const nb_handoff_server *s)
{
    return s ? nb_str_of(s->name) : NB_STR("");
}

void
nb_handoff_stop(nb_handoff_server *s)
{
    nb_pool *pool;

    if (s == NULL) {
        return;
    }
    if (s->running) {
        ssize_t ignored = write(s->wake[1], "", 1);

        (void)ignored;
        pthread_join(s->thread, NULL);
    }
    for (int i = 0; i < 3; i++) {
        int fd = i < 2 ? s->wake[i] : s->listener;

        if (fd >= 0) {
            close(fd);
        }
    }
    pool = s->pool;
    nb_pool_dealloc(pool, s, sizeof(*s));
    nb_pool_free(pool);
}

/* ---- who asks -------------------------------------------------------------------------------- */

int
nb_handoff_connect(nb_str name)
{
    struct timeval wait = {.tv_sec = ANSWER_S};
    struct sockaddr_un address;
    socklen_t n;
    int fd;

    if (name.len == 0 || name.len >= NAME_BYTES) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    n = address_of(name, &address);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
                    connect(fd, (struct sockaddr *)&address, n) < 0 || !is_same_user(fd))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

nb_status
nb_handoff_ask(int connection, const nb_handoff_key *key, int *fd)
{
    request r = {MAGIC, key->stage, key->query, key->task, key->attempt};
    uint32_t found = 0;
    struct iovec bytes = {&found, sizeof(found)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &bytes,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control.room)};
    const struct cmsghdr *c;

    *fd = -1;
    memset(&control, 0, sizeof(control));
    if (send(connection, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r) ||
        recvmsg(connection, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(found)) {
        return NB_DONE;
    }
    c = CMSG_FIRSTHDR(&m);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(fd, CMSG_DATA(c), sizeof(int));
    }
    if (found != 1 && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return *fd >= 0 ? NB_OK : NB_DONE;
}
