/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.c: see runtime.h.
 *
 * The owner is remembered by its process id; a compare is cheap enough for every call and needs no fork handler.
 */
#include "rpc/runtime.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t owner; /* 0: not started; atomic */

/* gRPC calls "error" what is a peer's fault more often than ours. */
static void
log_line(gpr_log_func_args *args)
{
    const char *file = strrchr(args->file, '/');
    nb_log_level level = args->severity == GPR_LOG_SEVERITY_ERROR  ? NB_LOG_INFO
                         : args->severity == GPR_LOG_SEVERITY_INFO ? NB_LOG_DEBUG
                                                                   : NB_LOG_TRACE;

    nb_log(level, "grpc", "%s:%d %s", file ? file + 1 : args->file, args->line, args->message);
}

static int
should_log(gpr_log_severity severity)
{
    return nb_log_enabled(severity == GPR_LOG_SEVERITY_ERROR ? NB_LOG_INFO : NB_LOG_DEBUG);
}

nb_status
nb_rpc_ready(nb_error *err)
{
    pid_t pid = __atomic_load_n(&owner, __ATOMIC_ACQUIRE);

    return pid == 0 || pid == getpid() ? NB_OK
                                       : nb_raise(err, NB_COND_CONNECT_FORKED_PROCESS, NULL);
}

nb_status
nb_rpc_start(nb_error *err)
{
    NB_TRY(nb_rpc_ready(err));
    if (__atomic_load_n(&owner, __ATOMIC_ACQUIRE) != 0) {
        return NB_OK;
    }
    pthread_mutex_lock(&lock);
    if (owner == 0) {
        gpr_set_log_function(log_line);
        gpr_set_log_verbosity(should_log(GPR_LOG_SEVERITY_ERROR) ? GPR_LOG_SEVERITY_ERROR
                                                                 : (gpr_log_severity)99);
        grpc_init();
        __atomic_store_n(&owner, getpid(), __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
    return NB_OK;
}

void
nb_rpc_stop(void)
{
    pthread_mutex_lock(&lock);
    if (owner == getpid()) {
        grpc_shutdown_blocking();
        __atomic_store_n(&owner, 0, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
}
