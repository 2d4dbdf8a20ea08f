/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python_worker.c: see python_worker.h.
 *
 * Over a socket, in both directions, frames: kind (4 bytes, little endian), length (8), then so many bytes.
 *
 *   to the process     'F' id (8 bytes), length of settings (8), settings, packed PythonUDF: the function that this id means
 *                      'C' id, an Arrow IPC stream: rows to call it with; 'N': a column to call it without, row by row; answered by
 *   from the process   'R' an Arrow IPC stream of one column, or 'E' the text of an exception
 */
#include "expr/python_worker.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    CHILD_FD = 3,
    WAIT_MS = 10,   /* how often a waiting call looks whether it is to end */
    MAX_KNOWN = 32, /* functions that a process keeps */
    MAX_IDLE = 32,  /* processes that are kept */
    HEADER = 12,
};
#define MAX_ANSWER ((uint64_t)1 << 31)

/* The current directory may hold modules with the names of Python's own; functions see it once the process is ready. */
#define START                                                                             \
    "import sys; sys.path[:] = [p for p in sys.path if p]; import nbaspark.worker as w; " \
    "w.run()"

typedef struct worker {
    pid_t pid;
    bool gone; /* it has ended, so says waitpid */
    int status;
    int fd;
    uint64_t kind; /* hash of how it was started */
    uint64_t known[MAX_KNOWN];
    int n_known;
} worker;

static struct {
    pthread_mutex_t lock;
    worker workers[MAX_IDLE];
    int n;
    pid_t owner; /* a forked child leaves its parent's processes alone */
} idle = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- processes ------------------------------------------------------------------------------------------------------------------------ */

static nb_status
raise_start(const char *python, int error, nb_error *err)
{
    return nb_raise(err, NB_COND_PYTHON_WORKER_START, "python", python, "reason", strerror(error),
                    NULL);
}

static int
spawn(const nb_python_function *f, int fd, pid_t *pid)
{
    char *argv[] = {(char *)f->python, "-c", START, (char *)f->memory, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int error;

    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return ENOMEM;
    }
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    /* what it prints goes to our stderr; a Ctrl-C of the terminal is ours alone */
    error = posix_spawn_file_actions_adddup2(&actions, fd, CHILD_FD);
    error =
        error ? error
              : posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    error =
        error ? error : posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    error = error ? error : posix_spawnattr_setsigmask(&attributes, &none);
    error = error ? error : posix_spawnattr_setpgroup(&attributes, 0);
    error = error ? error
                  : posix_spawnattr_setflags(&attributes,
                                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    error = error ? error : posix_spawnp(pid, f->python, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static uint64_t
kind_of(const nb_python_function *f)
{
    return nb_hash_combine(nb_hash_combine(nb_hash_bytes(f->python, strlen(f->python)),
                                           nb_hash_bytes(f->memory, strlen(f->memory))),
                           nb_hash_bytes(f->owner.data, f->owner.len));
}

static nb_status
start(const nb_python_function *f, worker *w, nb_error *err)
{
    int fds[2], error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
        return raise_start(f->python, errno, err);
    }
    error = spawn(f, fds[1], &w->pid);
    close(fds[1]);
    if (error != 0) {
        close(fds[0]);
        return raise_start(f->python, error, err);
    }
    w->fd = fds[0];
    w->gone = false;
    w->status = 0;
    w->n_known = 0;
    w->kind = kind_of(f);
    return NB_OK;
}

static bool
has_ended(worker *w)
{
    if (!w->gone) {
        pid_t found = waitpid(w->pid, &w->status, WNOHANG);

        /* not a child any more: somebody else has waited for it, and its number may be another's by now */
        w->gone = found == w->pid || (found < 0 && errno == ECHILD);
    }
    return w->gone;
}

/* Ends a process that is of no more use. */
static void
end(worker *w)
{
    close(w->fd);
    if (!has_ended(w)) {
        kill(w->pid, SIGKILL);
        while (waitpid(w->pid, &w->status, 0) < 0 && errno == EINTR) {
        }
    }
}

static nb_status
borrow(const nb_python_function *f, worker *w, nb_error *err)
{
    uint64_t kind = kind_of(f);
    bool found = false;

    pthread_mutex_lock(&idle.lock);
    if (idle.owner != getpid()) {
        for (int i = 0; i < idle.n; i++) {
            close(idle.workers[i].fd);
        }
        idle.n = 0;
        idle.owner = getpid();
    }
    for (int i = idle.n - 1; i >= 0 && !found; i--) {
        if (idle.workers[i].kind == kind) {
            *w = idle.workers[i];
            idle.workers[i] = idle.workers[--idle.n];
            found = !has_ended(w);
            if (!found) { /* killed while it was idle */
                close(w->fd);
            }
        }
    }
    pthread_mutex_unlock(&idle.lock);
    return found ? NB_OK : start(f, w, err);
}

static void
give_back(worker *w)
{
    bool kept = false;

    pthread_mutex_lock(&idle.lock);
    if (idle.n < MAX_IDLE && idle.owner == getpid()) {
        idle.workers[idle.n++] = *w;
        kept = true;
    }
    pthread_mutex_unlock(&idle.lock);
    if (!kept) {
        end(w);
    }
}

/* ---- frames ---------------------------------------------------------------------------------------------------------------------------- */

/* Waits until the socket is ready. NB_ERROR, without a message: the other side is gone. */
static nb_status
wait_for(worker *w, short events, const nb_cancel_flag *cancel)
{
    for (;;) {
        struct pollfd p = {.fd = w->fd, .events = events};
        int n;

        if (nb_cancelled(cancel)) {
            return NB_CANCELLED;
        }
        n = poll(&p, 1, WAIT_MS);
        if (n > 0) {
            return (p.revents & events) ? NB_OK : NB_ERROR;
        }
        if ((n < 0 && errno != EINTR) || (n == 0 && has_ended(w))) {
            return NB_ERROR; /* a child of its own may hold the socket open */
        }
    }
}

static nb_status
send_all(worker *w, const void *data, size_t n, const nb_cancel_flag *cancel)
{
    const char *p = data;

    while (n > 0) {
        ssize_t sent = send(w->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            NB_TRY(wait_for(w, POLLOUT, cancel));
        } else if (sent < 0 && errno != EINTR) {
            return NB_ERROR;
        }
    }
    return NB_OK;
}

static nb_status
receive_all(worker *w, void *data, size_t n, const nb_cancel_flag *cancel)
{
    char *p = data;

    while (n > 0) {
        ssize_t got = recv(w->fd, p, n, MSG_DONTWAIT);

        if (got > 0) {
            p += got;
            n -= (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            NB_TRY(wait_for(w, POLLIN, cancel));
        } else if (got == 0 || errno != EINTR) {
            return NB_ERROR;
        }
    }
    return NB_OK;
}

static void
put_number(uint8_t *to, uint64_t v, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++) {
        to[i] = (uint8_t)(v >> (8 * i));
    }
}

static uint64_t
get_number(const uint8_t *from, int n_bytes)
{
    uint64_t v = 0;

    for (int i = 0; i < n_bytes; i++) {
        v |= (uint64_t)from[i] << (8 * i);
    }
    return v;
}

/* The head of a frame of n bytes behind the id. */
static nb_status
send_header(worker *w, char kind, uint64_t id, size_t n, const nb_cancel_flag *cancel)
{
    uint8_t header[HEADER + 8];

    put_number(header, (uint8_t)kind, 4);
    put_number(header + 4, n + 8, 8);
    put_number(header + HEADER, id, 8);
    return send_all(w, header, sizeof header, cancel);
}

static nb_status
send_definition(worker *w, const nb_python_function *f, const nb_cancel_flag *cancel)
{
    uint8_t n_settings[8];

    put_number(n_settings, f->settings.len, 8);
    NB_TRY(send_header(w, 'F', f->id, sizeof n_settings + f->settings.len + f->definition.len,
                       cancel));
    NB_TRY(send_all(w, n_settings, sizeof n_settings, cancel));
    NB_TRY(send_all(w, f->settings.data, f->settings.len, cancel));
    return send_all(w, f->definition.data, f->definition.len, cancel);
}

static nb_status
define(worker *w, const nb_python_function *f, const nb_cancel_flag *cancel)
{
    for (int i = 0; i < w->n_known; i++) {
        if (w->known[i] == f->id) {
            return NB_OK;
        }
    }
    NB_TRY(send_definition(w, f, cancel));
    if (w->n_known == MAX_KNOWN) { /* the oldest is forgotten, there as here */
        memmove(w->known, w->known + 1, (MAX_KNOWN - 1) * sizeof w->known[0]);
        w->n_known--;
    }
    w->known[w->n_known++] = f->id;
    return NB_OK;
}

/* One call on a process of ours. NB_ERROR without a message: it is gone. *kind = 0: its answer is too large and was not read. */
static nb_status
call(worker *w, const nb_python_function *f, char what, nb_str rows, nb_pool *pool,
     const nb_cancel_flag *cancel, char *kind, nb_buffer **out)
{
    uint8_t header[HEADER];
    uint64_t n;
    nb_status st;

    NB_TRY(define(w, f, cancel));
    NB_TRY(send_header(w, what, f->id, rows.len, cancel));
    NB_TRY(send_all(w, rows.data, rows.len, cancel));
    NB_TRY(receive_all(w, header, sizeof header, cancel));
    n = get_number(header + 4, 8);
    if (header[0] != 'R' && header[0] != 'E') {
        return NB_ERROR;
    }
    if (n > MAX_ANSWER) {
        return NB_OK;
    }
    NB_TRY(nb_buffer_new(pool, (size_t)n + 1, out));
    (*out)->n_bytes = (size_t)n;
    (*out)->data[n] = 0; /* the text of an exception has an end */
    st = receive_all(w, (*out)->data, (size_t)n, cancel);
    if (st < 0) {
        nb_buffer_release(*out);
        *out = NULL;
    }
    *kind = (char)header[0];
    return st;
}

static nb_status
raise_exit(const char *name, int status, nb_error *err)
{
    char text[64];

    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
        snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
    } else if (WIFEXITED(status)) {
        snprintf(text, sizeof text, "exit code %d", WEXITSTATUS(status));
    } else {
        snprintf(text, sizeof text, "killed");
    }
    return nb_raise(err, NB_COND_PYTHON_WORKER_EXITED, "functionName", name, "how", text, NULL);
}

nb_status
nb_python_call(const nb_python_function *f, nb_str rows, bool no_arguments, nb_pool *pool,
               const nb_cancel_flag *cancel, nb_buffer **out, nb_error *err)
{
    nb_buffer *answer = NULL;
    char kind = 0;
    worker w;
    nb_status st;

    NB_TRY(borrow(f, &w, err));
    st = call(&w, f, no_arguments ? 'N' : 'C', rows, pool, cancel, &kind, &answer);
    if (st < 0) {
        for (int i = 0; st == NB_ERROR && i < 50 && !has_ended(&w); i++) {
            poll(NULL, 0, WAIT_MS); /* it has closed its end: let it die of what it is dying of */
        }
        end(&w);
        return st == NB_ERROR ? raise_exit(f->name, w.status, err) : st;
    }
    if (kind == 0) {
        end(&w);
        return nb_raise(err, NB_COND_PYTHON_EXCEPTION, "msg", "", "traceback",
                        "The results of one call have more than 2 GiB.", NULL);
    }
    give_back(&w);
    if (kind == 'E') {
        nb_raise(err, NB_COND_PYTHON_EXCEPTION, "msg", "", "traceback", (const char *)answer->data,
                 NULL);
        nb_buffer_release(answer);
        return NB_ERROR;
    }
    *out = answer;
    return NB_OK;
}
