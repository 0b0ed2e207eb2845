/* Runs a fuzz target over the files named on the command line: its corpus, in `make test`. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
    int files = 0;
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (f == NULL) continue;
        static uint8_t bytes[1 << 20];
        const size_t n = fread(bytes, 1, sizeof bytes, f);
        (void)fclose(f);
        uint8_t *exact = malloc(n > 0 ? n : 1); /* so that a read past the end is seen */
        if (exact == NULL) return 1;
        for (size_t k = 0; k < n; k++) exact[k] = bytes[k];
        (void)LLVMFuzzerTestOneInput(exact, n);
        free(exact);
        files++;
    }
    (void)printf("%d files\n", files);
    return files > 0 ? 0 : 1;
}
