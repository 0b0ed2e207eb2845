/* For targets that parse libconfig text: libconfig 1.5 forgets the string or the token it was
 * reading when a syntax error stops it (strbuf_append, yylex). The leak sanitizer is told of that
 * library alone; what this project allocates still counts. */
#ifndef BL_TESTS_FUZZ_LIBCONFIG_LEAK_H
#define BL_TESTS_FUZZ_LIBCONFIG_LEAK_H

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libconfig.so\n";
}

#endif
