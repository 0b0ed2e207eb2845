/* MKL takes its paths for newer instruction sets only on processors of one maker, and asks this
 * function. Preloaded, it lets peers run at their best on all of them (tests/bench/steps.py). */
int mkl_serv_intel_cpu_true(void);
int mkl_serv_intel_cpu_true(void) {
    return 1;
}
