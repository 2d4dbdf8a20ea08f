/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c: nbasparkd: one executable, a subcommand per kind of process (programs.def).
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*program_main)(int argc, char **argv);

#define NB_PROGRAM(name, function, help) int function(int argc, char **argv);
#include "programs.def"
#undef NB_PROGRAM

static const struct {
    const char *name;
    program_main main;
    const char *help;
} programs[] = {
#define NB_PROGRAM(name, function, help) {name, function, help},
#include "programs.def"
#undef NB_PROGRAM
};

static void
usage(FILE *to)
{
    fputs("Usage: nbasparkd PROGRAM [options]      (nbasparkd PROGRAM --help)\n\n", to);
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        fprintf(to, "  %-9s %s\n", programs[i].name, programs[i].help);
    }
    fputs("  --version\n", to);
}

/* Functions of users run in the Python beside which this program is installed, unless another one is named. */
static void
name_python(const char *self)
{
    const char *slash = strrchr(self, '/');
    char path[PATH_MAX];
    int n = slash ? snprintf(path, sizeof path, "%.*s/python3", (int)(slash - self), self) : -1;

    if (n > 0 && (size_t)n < sizeof path && access(path, X_OK) == 0) {
        setenv("PYSPARK_PYTHON", path, 0);
    }
}

int
main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    name_python(argv[0]);

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (strcmp(name, programs[i].name) == 0) {
            return programs[i].main(argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--version") == 0) {
        puts("nbasparkd " NB_VERSION);
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        usage(stdout);
        return 0;
    }
    usage(stderr);
    return 2;
}
