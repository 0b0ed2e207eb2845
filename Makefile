# batchlab. `make help` lists the targets; `make experiment NAME=rossmann` and `make test` are the two to know.
#
# The settings, all in capitals, on make's command line:
#   NAME, PRESET, ARGS   the experiment, its preset, and options passed on to the program
#   T='WORD...'          only tests whose path contains one of the words: make test T='unit/optim cli/look'
#   BUILD=release|debug|asan|tsan|fuzz   picks flags and a build folder of its own, build/$(BUILD)
#   CI=1                 warnings are errors; V=1 shows commands
#
# How the file is laid out: dependencies, flags and sources first; then the targets that people call; then the
# rules that make files; then the care of the tree. Every folder of engine/ and kernels/ is found by wildcard, so a
# new source file needs no line here. There are four kinds of program: batchlab itself, the test programs
# (tests/*/*_test.c), the fuzz targets and the benchmarks; all are linked with build/$(BUILD)/libbatchlab.a.
# The CUDA back end is a plug-in of its own: built by nvcc (`make cuda`), and by g++ for an emulated device, which
# is how it is tested on any machine.
BUILD      ?= release
B          := build/$(BUILD)
PKG_CONFIG ?= pkg-config
export LC_ALL := C
MAKEFLAGS  += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
Q := $(if $(V),,@)

# A setting in small letters would be ignored without a word: `make experiment name=tiny` trains another one.
SMALL := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$(shell printf '%s\n' '$v' | grep '[a-z]')))
ifneq ($(strip $(SMALL)),)
$(error unknown setting '$(firstword $(SMALL))'; settings are in capitals: $(shell printf '%s' '$(firstword $(SMALL))' | tr a-z A-Z)=...)
endif

# ---- dependencies: the list lives in scripts/setup.sh -------------------------------------------
# Without libpng and libjpeg all is built but the reader of pictures, which says so (`setup.sh pictures`).
PHOTOS := $(shell $(PKG_CONFIG) --exists libpng libjpeg 2>/dev/null && echo libpng libjpeg)
NEED := lua5.4 libconfig zlib nettle $(PHOTOS)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(NEED) 2>/dev/null)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(NEED) 2>/dev/null)

# ---- flags --------------------------------------------------------------------------------------
# The floating-point flags are part of the program (docs/numerics.md). They come last, so that no
# CFLAGS from outside can undo them.
FP   := -ffp-contract=off -fno-fast-math -fno-associative-math
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wpointer-arith \
        -Wwrite-strings -Wcast-align -Wvla -Wdouble-promotion -Wformat=2
# Lines but no variables for the debugger: the same machine code in two thirds of the time. BUILD=debug has both.
DEBUG := $(if $(filter debug,$(BUILD)),-g,-g1)
BASE := -std=c17 -D_GNU_SOURCE $(DEBUG) -fno-omit-frame-pointer -fno-common -pthread $(WARN)
OPT_release := -O2
OPT_debug   := -O0
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
OPT_tsan    := -O1 -fsanitize=thread
OPT_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
ifndef OPT_$(BUILD)
$(error unknown BUILD '$(BUILD)': release, debug, asan, tsan or fuzz)
endif
ALL_CPPFLAGS = -I. -I$(B) $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = $(BASE) $(OPT_$(BUILD)) $(KFLAGS) $(if $(CI),-Werror) $(CFLAGS) $(FP) $(KFP)
# Programs look for libraries in lib/ beside them first: `make dist` puts them there.
RUNPATH      = -Wl,--enable-new-dtags,-rpath,'$$ORIGIN/lib:$$ORIGIN/../lib'
LIBS         = $(PKG_LIBS) -lm -ldl -pthread

# ---- sources ------------------------------------------------------------------------------------
# One source per CPU kernel, built once per instruction set; kernels/cpu/cpu.h names them apart.
ISAS := scalar avx2 avx512
ISA_scalar :=
ISA_avx2   := -mavx2 -mfma
ISA_avx512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512
ifneq ($(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1),x86_64)
ISAS := scalar
endif

CPU_C := $(sort $(wildcard kernels/cpu/*.c))
LIB_C := $(sort $(wildcard engine/*/*.c engine/*/*/*.c kernels/*.c kernels/ref/*.c))
LIB_C := $(filter-out engine/cli/main.c,$(LIB_C))
LIB_O := $(LIB_C:%.c=$(B)/%.o) $(foreach i,$(ISAS),$(CPU_C:kernels/cpu/%.c=$(B)/kernels/cpu/$(i)/%.o))
LIB   := $(B)/libbatchlab.a
# The CUDA backend, and the same text for a processor (tests/cuda), so that it is tested anywhere.
CUDA_C  := $(sort $(wildcard kernels/cuda/*.c kernels/vendor/*.c)) engine/base/status.c
CUDA_CU := $(sort $(wildcard kernels/cuda/*.cu))
# CUDA_HOME of the environment finds an nvcc that is not on PATH; headers are those beside nvcc, where there are any,
# so that two toolkits do not mix. On make's command line both count as they are.
NVCC ?= $(firstword $(shell command -v nvcc 2>/dev/null) $(if $(CUDA_HOME),$(wildcard $(CUDA_HOME)/bin/nvcc)))
BESIDE_NVCC := $(patsubst %/bin/nvcc,%/include/cuda_runtime_api.h,$(realpath $(if $(NVCC),$(shell command -v $(NVCC) 2>/dev/null))))
CUDA_HOME := $(firstword $(patsubst %/include/cuda_runtime_api.h,%,$(wildcard $(BESIDE_NVCC))) $(CUDA_HOME))
CUDNN_H := $(if $(NVCC),$(firstword $(wildcard $(CUDA_HOME)/include/cudnn_graph.h /usr/local/include/cudnn_graph.h /usr/include/cudnn_graph.h /usr/include/*/cudnn_graph.h)))
CUDA_SO := $(if $(CUDNN_H),$(B)/libbatchlab_cuda.so)
CUDA_O := $(CUDA_CU:%=$(B)/cuda/%.o) $(CUDA_C:%=$(B)/cuda/%.o)
# Against the real cuDNN, which needs no device for it; skips where the library is not found.
GRAPH_TEST := $(if $(CUDNN_H),$(B)/tests/cuda/graph_test)
EMULATED_CC := $(sort $(wildcard tests/cuda/*.cc))
EMULATED := $(B)/libbatchlab_cuda_emulated.so
TEST_C := $(sort $(wildcard tests/unit/*_test.c tests/kernels/*_test.c tests/golden/*_test.c))
TESTS  := $(TEST_C:%.c=$(B)/%)
# Compilers and levels whose bits `make test-bits` compares. Those that take longest first.
BITS ?= gcc-O3 clang-O3 gcc-O1 clang-O1
# Helpers that several test programs share: every tests/<folder>/*.c that is no test itself.
TESTLIB_C := $(sort $(filter-out %_test.c %_fuzz.c %_bench.c,$(wildcard tests/*.c tests/unit/*.c tests/kernels/*.c)))
TESTLIB_O := $(TESTLIB_C:%.c=$(B)/%.o)
FUZZ_C := $(sort $(wildcard tests/fuzz/*_fuzz.c))
FUZZ   := $(FUZZ_C:%.c=$(B)/%)
# The crash driver and the injector that it loads into batchlab: tests/crash/.
CRASH_C := $(sort $(filter-out tests/crash/injector.c,$(wildcard tests/crash/*.c)))
CRASH_O := $(CRASH_C:%.c=$(B)/%.o)
CRASH   := $(B)/tests/crash/crash
# Random tables, held against `batchlab init`.
RANDOM_TABLES := $(B)/tests/tables/random_tables
TRAINER := $(B)/tests/external/external_trainer
# Packed by `make dist`: what tests/gpu/run starts.
DIST := build/dist/batchlab
GPU_TESTS := $(B)/tests/kernels/families_test $(B)/tests/unit/device_test $(B)/tests/unit/device_steps_test $(B)/tests/unit/device_gradient_test $(B)/tests/unit/device_products_test $(B)/tests/gpu/gpu_bench
BENCH_C := $(sort $(wildcard tests/bench/*_bench.c))
BENCH   := $(BENCH_C:%.c=$(B)/%)
# How often intervals hold: a table, not a benchmark of speed.
COVERAGE := $(B)/tests/bench/coverage

.PHONY: cuda dist found all experiment find audit figures reproduce test test-more test-release tests test-crash test-tables test-faults test-slurm test-bits test-ptx test-fresh test-portable test-full check setup config layers format tidy fuzz bench bench-jobs coverage clean install uninstall deb help program golden-update FORCE

all: program cuda

program: found build/batchlab
# The CUDA backend, a plug-in beside the program, where nvcc is (docs/cuda.md).
cuda: program $(if $(CUDA_SO),build/libbatchlab_cuda.so)
	$(if $(CUDA_SO),,$(Q)echo "no nvcc or no cuDNN here: the CUDA backend is left out")

# `make experiment` and `make test` install what is missing; plain `make` only says so.
found:
	$(Q)command -v $(CC) >/dev/null && $(PKG_CONFIG) --exists $(NEED) 2>/dev/null || \
	  { echo "a compiler or one of these is missing: $(NEED). 'make setup' installs them."; exit 69; }

# Of the BUILD asked for last, whichever is newer.
build/batchlab: $(B)/batchlab $(B)/fixed_clock.so FORCE
	$(Q)mkdir -p build; cmp -s $< $@ || { cp -f $< $@.new && mv -f $@.new $@; }
	$(Q)cmp -s $(B)/fixed_clock.so build/fixed_clock.so || cp -f $(B)/fixed_clock.so build/fixed_clock.so

build/libbatchlab_cuda.so: $(CUDA_SO) FORCE
	$(Q)mkdir -p build; cmp -s $< $@ || { cp -f $< $@.new && mv -f $@.new $@; }

# ---- the two commands ---------------------------------------------------------------------------
NAME ?= rossmann
# Both build with a process for each core, unless told otherwise by -j.
PARALLEL = --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$$(nproc))
# ARGS passes anything on: make experiment NAME=rossmann PRESET=tiny ARGS='-j 1 --progress plain'
experiment:
	$(Q)sh scripts/setup.sh build plot
	$(Q)$(MAKE) $(PARALLEL) program
	$(Q)build/batchlab run $(NAME) $(if $(PRESET),--preset $(PRESET)) $(ARGS)

# A batch size, a rate and targets to try, from a minute or two of training: ARGS=--write puts them into experiment.cfg.
find: program
	$(Q)[ "$(origin NAME)" != file ] || { echo 'make find: which experiment? For example: make find NAME=rossmann' >&2; exit 2; }
	$(Q)build/batchlab find $(NAME) $(if $(PRESET),--preset $(PRESET)) $(ARGS)

# Forecasts of the critical batch size against every sweep in the store: one table, one figure (docs/audit.md).
audit:
	$(Q)sh scripts/audit.sh

# Draws a finished sweep again, from its logs alone, and lists what a paper includes.
figures: program
	$(Q)build/batchlab report $(NAME) >/dev/null && ls $${BATCHLAB_REPORTS:-reports}/$(NAME)/*.pdf $${BATCHLAB_REPORTS:-reports}/$(NAME)/*.tex

# Trains the locked runs again, with one thread and with two, against expected.lock. Ends with make's 2
# where they differ; the script alone ends with 3.
reproduce:
	$(Q)sh scripts/reproduce.sh $(NAME) $(if $(PRESET),--preset $(PRESET)) $(ARGS)

# The goal is 4 minutes on two cores, compiling included. What takes longer has a target of its own. Stages of .ci/run
# are test-release, test-more (under the sanitizer), test-bits, test-fresh and cuda (that the plug-in compiles and links);
# test-crash is run by hand.
test:
	$(Q)sh scripts/setup.sh build plot test pictures
	$(Q)$(MAKE) $(PARALLEL) check

# The tests to run, and what they start: a test program is its own file, a script starts the program and its helpers.
ALL_TESTS := $(sort $(wildcard tests/cli/*_test.sh)) $(TESTS) $(GRAPH_TEST) $(CRASH) $(RANDOM_TABLES) $(FUZZ_C)
# Those that open the emulated device.
EMULATING := $(addprefix tests/cli/,cuda_test.sh gpu_run_test.sh) \
             $(addprefix $(B)/tests/unit/,device_test device_steps_test device_gradient_test device_faults_test device_products_test identity_test scheduler_test)
# What `make test` has no time for: these, whole programs, long walks through commands, and stores under kills, faults
# and hostile hands.
MORE := $(EMULATING) $(CRASH) $(RANDOM_TABLES) $(addprefix tests/external/,random_faults_test.sh torchrun_test.sh) \
        $(addprefix tests/cli/,$(addsuffix _test.sh,add_optimizer adopt audit average boxes bundle care external_commands external_libraries \
          external_failed external_memory external_noisy external_page external_python hostile import install noise only page quadratic seals tutorial verify workers))
CHOSEN := $(if $(T),$(foreach x,$(ALL_TESTS),$(if $(strip $(foreach w,$(T),$(findstring $w,$x))),$x)),$(filter-out $(MORE),$(ALL_TESTS)))
EMULATION := $(EMULATED) $(B)/tests/gpu/gpu_bench
# What TESTS need beside the program: those that are programs, and the emulated device where one of them asks for it.
NEEDED = program $(B)/batchlab $(B)/fake_nvml.so $(TRAINER) $(filter $(B)/%,$(1)) $(patsubst %.c,$(B)/%,$(filter %_fuzz.c,$(1))) \
         $(if $(filter $(EMULATING),$(1)),$(EMULATION))
tests: $(call NEEDED,$(CHOSEN) $(if $(T),,$(MORE))) $(if $(T),,$(BENCH) $(COVERAGE))
check: layers $(call NEEDED,$(CHOSEN))
	$(Q)sh tests/run.sh $(B) $(CHOSEN)

test-more: $(call NEEDED,$(MORE)) $(B)/tests/kernels/families_test
	$(Q)sh tests/run.sh $(B) emulated:families $(MORE)

# Of test-more, what a build under the sanitizer leaves out, since it takes minutes there: the emulated device, and
# stores under kills and crowds.
test-release: $(call NEEDED,$(EMULATING) $(CRASH)) $(B)/tests/kernels/families_test
	$(Q)sh tests/run.sh $(B) emulated:families $(EMULATING) $(CRASH)

# Kills, faults, damage and many workers at the figures that docs/faults.md promises, a process for each core
# (ARGS='-j 4' for four). `make test-more` has a selection of it.
test-crash: program $(CRASH)
	$(Q)$(CRASH) --full -j $$(nproc) $(ARGS)

# 200 random tables of up to 100,000 rows: init, check and training of each; least squares against preset quick on
# those with a straight line in them. Hours of one core; `make test-more` draws a few small ones.
test-tables: program $(RANDOM_TABLES)
	$(Q)$(RANDOM_TABLES) --quick --tables 200 --rows 100000 $(ARGS)

# 300 random faults of programs that train (SEED=1; FAULTS=300): every run is completed in the end, nothing is left over.
# `make test-more` draws 30.
test-faults: program $(TRAINER)
	$(Q)FAULTS=$${FAULTS:-300} sh tests/run.sh $(B) tests/external/random_faults_test.sh

# A sweep over four workers of a real Slurm, started and ended by the test; half a minute.
# `sh scripts/setup.sh slurm` installs it.
test-slurm: program $(TRAINER)
	$(Q)sh tests/run.sh $(B) tests/slurm/slurm_test.sh tests/slurm/srun_test.sh

# A folder that runs on a bare machine, to be copied there: the program, the plug-in, the experiments, the
# libraries they need, and tests/gpu/run. scripts/dist.sh packs it.
dist: program cuda $(GPU_TESTS)
	$(Q)sh scripts/dist.sh $(DIST) $(B)/batchlab $(CUDA_SO) $(GPU_TESTS)

# PREFIX=/usr/local, below DESTDIR where a package is made. scripts/install.sh says what goes where.
PREFIX ?= /usr/local
install: program cuda
	$(Q)sh scripts/install.sh install '$(DESTDIR)' '$(PREFIX)' $(B) $(CUDA_SO)
uninstall:
	$(Q)sh scripts/install.sh uninstall '$(DESTDIR)' '$(PREFIX)'
# A Debian package for this machine's architecture, in build/.
deb: program cuda
	$(Q)sh scripts/deb.sh $(B) build $(CUDA_SO)

setup:
	$(Q)sh scripts/setup.sh build plot test pictures

# ---- build rules --------------------------------------------------------------------------------
# Everything is rebuilt when the flags change.
FLAGS := $(CC) | $(ALL_CPPFLAGS) | $(ALL_CFLAGS) | $(LIBS)
$(B)/flags.stamp: FORCE
	$(Q)mkdir -p $(@D); printf '%s\n' '$(FLAGS)' | cmp -s - $@ || printf '%s\n' '$(FLAGS)' > $@
FORCE:
$(B)/bl_build.h: $(B)/flags.stamp Makefile
	$(Q)printf '#define BL_BUILD_CC "%s"\n#define BL_BUILD_TYPE "%s"\n#define BL_BUILD_FLAGS_SUM "%s"\n#define BL_BUILD_DIR "%s"\n' \
	  "$$($(CC) --version | head -1)" "$(BUILD)" "$$(cksum < $(B)/flags.stamp | cut -d' ' -f1)" "$(B)" > $@

# The optimizers' formulas, one file each: what their loops, of the host and of the device, are made of.
UPDATES := $(sort $(wildcard kernels/shared/update_*.h))
UPDATE_NAMES := $(patsubst kernels/shared/update_%.h,%,$(UPDATES))
$(B)/updates_list.h: FORCE
	$(Q)mkdir -p $(@D); { printf '#include "%s"\n' $(UPDATES); echo '#define BL_UPDATES(X) $(foreach u,$(UPDATE_NAMES),X($(u)))'; } >$@.new; \
	  cmp -s $@.new $@ || cp $@.new $@; rm -f $@.new
$(B)/engine/optim/optim_table.o $(B)/cuda/kernels/cuda/training.cu.o $(B)/emulated/kernels/cuda/training.cu.o: $(B)/updates_list.h

$(B)/engine/data/image/photo.o: private KFLAGS := $(if $(PHOTOS),-DBL_PHOTOS=1)

# What only this machine runs may use its fused multiply-adds: fmaf is then one instruction instead of a call, with the
# same bits, in a third less time.
HOST_FMA := $(if $(filter avx2,$(ISAS)),$(if $(shell grep -m1 -wo fma /proc/cpuinfo 2>/dev/null),-mfma))
# The reference is a specification: no vectoriser near it. What is released runs on any processor; the reference under a
# sanitizer and of tests/bits.sh on this one alone.
REF_FMA := $(if $(filter asan tsan,$(BUILD)),$(HOST_FMA))
$(B)/kernels/ref/%.o: private KFLAGS := -O1 -fno-tree-vectorize $(REF_FMA)
# Element-wise optimizer loops are vectorised by the compiler; order inside them cannot change bits.
# It may only do so if it knows that nobody reads errno or traps: neither flag changes a value. They
# follow $(FP), whose -fno-fast-math would switch both back on.
$(B)/engine/optim/%.o $(B)/engine/data/sampler.o $(B)/engine/data/image/augment.o: private KFLAGS := -O3
$(B)/engine/optim/%.o $(ISAS:%=$(B)/kernels/cpu/%/loss.o): private KFP := -fno-math-errno -fno-trapping-math
$(B)/%.o: %.c $(B)/flags.stamp $(B)/bl_build.h
	$(Q)mkdir -p $(@D); echo "  CC    $<"
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# Loops begin on cache lines: up to 7 % on a busy host, whose other threads presumably share the front end.
define ISA_RULE
$(B)/kernels/cpu/$(1)/%.o: private KFLAGS := -O3 -falign-loops=64 $(ISA_$(1)) -DBL_ISA=$(1) -DBL_ISA_$(1)=1
$(B)/kernels/cpu/$(1)/%.o: kernels/cpu/%.c $(B)/flags.stamp $(B)/bl_build.h
	$$(Q)mkdir -p $$(@D); echo "  CC    $$< ($(1))"
	$$(Q)$$(CC) $$(ALL_CPPFLAGS) $$(ALL_CFLAGS) -MMD -MP -c $$< -o $$@
endef
$(foreach i,$(ISAS),$(eval $(call ISA_RULE,$(i))))

# The plug-in proper, where nvcc is. Nothing is contracted, divisions and roots are IEEE's, subnormals stay.
# Code for Blackwell where this nvcc knows it (12.8 and later): compiling PTX on first use takes many seconds. The
# source's lines go with it, for compute-sanitizer and ncu; compressed, all of it is smaller than two plain targets.
NVCC_KNOWS = $(shell $(NVCC) --list-gpu-arch 2>/dev/null)
NVCC_ARCHS = 80 90 $(patsubst compute_%,%,$(filter compute_100 compute_120,$(NVCC_KNOWS)))
NVCC_FP    = --fmad=false --prec-div=true --prec-sqrt=true --ftz=false
NVCC_FLAGS = -std=c++17 -O3 $(NVCC_FP) -lineinfo -I. -I$(B) \
             -Xcompiler -fPIC,-fvisibility=hidden -Xfatbin -compress-all \
             $(if $(CI),-Werror all-warnings) $(foreach a,$(NVCC_ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
             -gencode arch=compute_90,code=compute_90
# Another toolkit, too, means another plug-in.
$(B)/cuda.stamp: FORCE
	$(Q)mkdir -p $(@D); words='$(NVCC) $(NVCC_FLAGS) $(CUDA_HOME) $(CUDNN_H)'; printf '%s\n' "$$words" | cmp -s - $@ || printf '%s\n' "$$words" > $@
$(B)/cuda/%.cu.o: %.cu $(B)/flags.stamp $(B)/cuda.stamp
	$(Q)mkdir -p $(@D); echo "  NVCC  $<"; $(NVCC) $(NVCC_FLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(B)/cuda/%.c.o: %.c $(B)/flags.stamp $(B)/cuda.stamp
	$(Q)mkdir -p $(@D); echo "  CC    $< (cuda)"; $(CC) $(ALL_CPPFLAGS) -isystem $(CUDA_HOME)/include -isystem $(dir $(CUDNN_H)) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c $< -o $@
$(B)/libbatchlab_cuda.so: $(CUDA_O)
	$(Q)echo "  LINK  $@"; $(NVCC) -shared -cudart static -Xcompiler -static-libstdc++,-static-libgcc -Xlinker --exclude-libs=ALL -o $@ $^ -ldl

$(B)/tests/cuda/graph_test: tests/cuda/graph_test.c $(B)/cuda/kernels/vendor/cudnn_engine.c.o $(B)/cuda/kernels/vendor/cudnn_operations.c.o $(B)/cuda/kernels/vendor/library.c.o $(LIB)
	$(Q)mkdir -p $(@D); echo "  CC    $<"; $(CC) $(ALL_CPPFLAGS) -isystem $(CUDA_HOME)/include -isystem $(dir $(CUDNN_H)) $(ALL_CFLAGS) $(LDFLAGS) \
	  -Wl,--enable-new-dtags,-rpath,$(CUDA_HOME)/lib64:$(CUDA_HOME)/lib -o $@ $^ -lcmocka $(LIBS)

# CUDA C for an ordinary compiler; no contraction and no reordering there either.
EMULATED_FLAGS = -D_GNU_SOURCE -DBL_CUDA_EMULATED=1 -Itests/cuda $(ALL_CPPFLAGS) -g -fPIC -fvisibility=hidden -pthread \
                 -Wall -Wextra -Wno-missing-field-initializers $(OPT_$(BUILD)) $(if $(CI),-Werror) $(FP)
EMULATED_O = $(CUDA_CU:%=$(B)/emulated/%.o) $(CUDA_C:%=$(B)/emulated/%.o) $(EMULATED_CC:%=$(B)/emulated/%.o)
$(B)/emulated/%.cu.o: %.cu $(B)/flags.stamp
	$(Q)mkdir -p $(@D); echo "  CXX   $< (emulated)"; $(CXX) -x c++ -std=c++17 $(EMULATED_FLAGS) $(HOST_FMA) -MMD -MP -c $< -o $@
$(B)/emulated/%.cc.o: %.cc $(B)/flags.stamp
	$(Q)mkdir -p $(@D); echo "  CXX   $<"; $(CXX) -std=c++17 $(EMULATED_FLAGS) -MMD -MP -c $< -o $@
$(B)/emulated/%.c.o: %.c $(B)/flags.stamp
	$(Q)mkdir -p $(@D); echo "  CC    $< (emulated)"; $(CC) -std=c17 $(EMULATED_FLAGS) -MMD -MP -c $< -o $@
$(EMULATED): $(EMULATED_O)
	$(Q)echo "  LINK  $@"; $(CXX) -shared $(EMULATED_FLAGS) -o $@ $^

# An NVML to open, for tests/unit/energy_test.c.
FAKE_NVML := $(B)/fake_nvml.so
$(FAKE_NVML): tests/cuda/fake_nvml.c $(B)/flags.stamp
	$(Q)mkdir -p $(@D); echo "  CC    $<"; $(CC) -std=c17 -O2 -Wall -Wextra -shared -fPIC -o $@ $<

$(LIB): $(LIB_O)
	$(Q)rm -f $@; $(AR) rcsD $@ $^
# Loaded into gnuplot, never into the program: see its first comment.
$(B)/fixed_clock.so: scripts/fixed_clock.c $(B)/flags.stamp
	$(Q)mkdir -p $(@D); echo "  CC    $<"; $(CC) -std=c17 -O2 -Wall -shared -fPIC -o $@ $<
$(B)/batchlab: $(B)/engine/cli/main.o $(LIB)
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $^ $(LIBS)
$(TESTS): $(B)/%: $(B)/%.o $(TESTLIB_O) $(LIB)
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $< $(TESTLIB_O) $(LIB) -lcmocka $(LIBS)
# In `make test` a fuzz target is a program that replays its corpus; only BUILD=fuzz has libFuzzer in it.
FUZZ_MAIN := $(if $(filter fuzz,$(BUILD)),,$(B)/tests/fuzz/replay.o)
$(FUZZ): $(B)/%: $(B)/%.o $(FUZZ_MAIN) $(LIB)
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $< $(or $(FUZZ_MAIN),-fsanitize=fuzzer) $(LIB) $(LIBS)
# Loaded into batchlab by the driver; never linked, and without a sanitizer of its own.
$(B)/tests/crash/injector.so: tests/crash/injector.c tests/crash/injector.h $(B)/flags.stamp
	$(Q)mkdir -p $(@D); echo "  CC    $<"; $(CC) -std=c17 -D_GNU_SOURCE -O2 -g -Wall -Wextra -I. -shared -fPIC -o $@ $<
$(RANDOM_TABLES): $(RANDOM_TABLES).o $(LIB) | $(B)/batchlab
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $< $(LIB) $(LIBS)
$(CRASH): $(CRASH_O) $(LIB) | $(B)/tests/crash/injector.so $(B)/batchlab
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $(CRASH_O) $(LIB) $(LIBS)
$(B)/tests/gpu/gpu_bench: $(B)/tests/gpu/gpu_bench.o $(LIB)
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $^ $(LIBS)
# A program for batchlab to start: tests/cli/external_test.sh.
$(TRAINER): $(TRAINER).o $(LIB)
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $^ $(LIBS)
$(BENCH): $(B)/%: $(B)/%.o $(LIB)
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $^ $(LIBS)
$(COVERAGE): $(COVERAGE).o $(B)/tests/unit/coverage_tables.o $(LIB)
	$(Q)echo "  LINK  $@"; $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(RUNPATH) -o $@ $^ $(LIBS)
-include $(LIB_O:.o=.d) $(EMULATED_O:.o=.d) $(CUDA_O:.o=.d) $(TESTLIB_O:.o=.d) $(TESTS:%=%.d) $(FUZZ:%=%.d) $(BENCH:%=%.d) $(COVERAGE).d $(TRAINER).d $(CRASH_O:.o=.d) $(RANDOM_TABLES).d $(B)/engine/cli/main.d

# ---- care ---------------------------------------------------------------------------------------
# Other libraries are found, never required: oneDNN and OpenBLAS when installed, PyTorch and JAX by PYTHON.
PYTHON ?= python3
bench: $(BENCH)
	$(Q)for b in $(BENCH); do $$b || exit 1; done
	$(Q)if command -v $(PYTHON) >/dev/null; then $(PYTHON) tests/bench/steps.py $(B)/tests/bench/train_bench; fi
# The whole job of finding steps against batch size, beside what is written for it with PyTorch, Optuna and JAX.
bench-jobs: program
	$(Q)$(PYTHON) tests/bench/jobs.py build/batchlab $(PEERS)
# Two thousand simulated tables for each cell of the table in docs/statistics.md: ten minutes of one core.
coverage: $(COVERAGE)
	$(Q)$(COVERAGE) $(TABLES)
# Writes the golden reports anew from the fixtures; what changed is then read with git diff.
golden-update: $(B)/tests/unit/report_test
	$(Q)BL_GOLDEN_UPDATE=1 $<

# One hash whatever compiled it: kernels and golden runs as every compiler builds them at its lowest and highest level.
test-bits:
	$(Q)sh tests/run.sh $(B) $(BITS:%=bits:%)
# The two commands on bare machines: Debian 12 and 13, made anew by debootstrap.
test-fresh:
	$(Q)sh tests/fresh.sh
# What nvcc makes of the kernels' arithmetic: every fused multiply-add is the source's, all rounds to nearest.
test-ptx: $(B)/updates_list.h
	$(Q)$(if $(NVCC),sh tests/gpu/ptx.sh $(NVCC) -std=c++17 -O3 $(NVCC_FP) -I. -I$(B),echo "SKIPPED test-ptx: there is no nvcc"; echo "0 passed, 0 failed, 1 skipped")
# The golden runs under emulated processors.
test-portable: $(B)/updates_list.h
	$(Q)mkdir -p build/portable/include; cp $< build/portable/include/; sh tests/portable.sh "$(CC)" $(FP)
# Every input of the elementary functions: 24 minutes on one core (Zen 3).
test-full:
	$(Q)$(MAKE) --no-print-directory B=build/full CPPFLAGS='$(CPPFLAGS) -DEVERY_NTH=1' build/full/tests/kernels/exact_math_test
	$(Q)build/full/tests/kernels/exact_math_test
# Room boundaries: tests/layers.txt says which room may include which. And pages:
# their links, their titles, and how long their lines are.
layers:
	$(Q)sh tests/layers.sh
	$(Q)sh tests/links.sh
FORMATTED = $(shell find engine kernels tests -name '*.[ch]' -o -name '*.cu')
# Version 14, whose line breaks .clang-format was written for.
CLANG_FORMAT ?= $(firstword $(shell command -v clang-format-14 clang-format))
format:
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)
tidy:
	clang-tidy --quiet $(LIB_C) engine/cli/main.c -- $(ALL_CPPFLAGS) $(BASE) $(FP)
# libFuzzer, SECONDS_PER_TARGET each, over TARGETS (default: all). What it learns stays in build/fuzz/corpus/;
# an input that fails goes to tests/fuzz/corpus/<target>/, where `make test` replays it.
TARGETS ?= $(FUZZ_C:tests/fuzz/%_fuzz.c=%)
fuzz:
	$(Q)$(MAKE) --no-print-directory BUILD=fuzz CC=clang $(TARGETS:%=build/fuzz/tests/fuzz/%_fuzz)
	$(Q)for n in $(TARGETS); do echo "  FUZZ  $$n"; mkdir -p build/fuzz/corpus/$$n; \
	  build/fuzz/tests/fuzz/$${n}_fuzz -max_total_time=$${SECONDS_PER_TARGET:-10} \
	    -artifact_prefix=tests/fuzz/corpus/$$n/ build/fuzz/corpus/$$n tests/fuzz/corpus/$$n || exit 1; done
config:
	@echo "build=$(BUILD) cc=$(CC) isas=$(ISAS) libs=$(PKG_LIBS)"
clean:
	rm -rf build
help:
	@echo 'make experiment NAME=rossmann [PRESET=tiny|quick|paper] [ARGS=...]   train, draw, recommend'
	@echo 'make find NAME=rossmann [PRESET=...] [ARGS=--write]                    a batch size to try, without a sweep'
	@echo 'make audit                                                          forecasts against every sweep in the store'
	@echo 'make figures NAME=rossmann                                          draw again, from logs alone: PDF and LaTeX for papers'
	@echo 'make reproduce NAME=rossmann                                        train again, compare with expected.lock'
	@echo 'make test [T="WORD..."]                                             build and run every test, or those whose path has a word'
	@echo 'make test-crash                                                     kill, fill, damage and crowd a store'
	@echo 'make test-more                                                      what make test has no time for: the emulated device, kills and faults'
	@echo 'make test-tables                                                    200 random tables, held against init and least squares'
	@echo 'make test-bits | test-portable | test-full                          one hash: compilers; emulated processors; all 2^32 inputs'
	@echo 'make test-fresh                                                     both commands on bare machines of Debian 12 and 13'
	@echo 'make test-ptx                                                       what nvcc makes of the arithmetic, without a GPU'
	@echo 'make test-slurm                                                     submit to a real Slurm, where it is installed'
	@echo 'make dist                                                           a folder for machines without a compiler, in build/dist'
	@echo 'make install [PREFIX=/usr/local] [DESTDIR=] | uninstall             the program, its data, manual pages, completion'
	@echo 'make deb                                                            a Debian package, in build/'
	@echo 'make                                                                build build/batchlab'
	@echo 'make setup | config | layers | format | tidy | fuzz | bench | bench-jobs | coverage | clean'
