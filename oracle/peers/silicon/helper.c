/*
 * Runs single instructions on the processor of this machine, as one unprivileged process.
 *
 *   helper features          the CPUID leaves of the machine, one a line: leaf subleaf eax ebx ecx edx (hexadecimal)
 *   helper run < cases       a batch of cases on standard input, one result for each on standard output
 *
 * The layout of cases and results is that of format.ts. A case is entered by IRETQ, with all registers, flags, segment bases and,
 * if the batch says so, the FXSAVE image of its own, and is left through a jump to the fixed address LEAVE (whoever makes the case
 * puts it behind the instruction), by a signal, or because it used up its time. The instruction is never trusted: the signal stack
 * is apart, nothing runs on the registers or the stack that it leaves, system calls that it makes are refused, and the memory that
 * it sees is a second mapping of memory that this program writes through the first.
 *
 * Between the entry and the way out the FS base is not ours, so nothing on that way may use thread-local storage.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

#include "entry.h"

/* How a case ended: format.ts. */
enum { END_LEFT, END_SIGNAL, END_TIME };
struct result {
  uint64_t regs[16], rip, flags, fs, gs, address;
  uint32_t end, signal, vector, error;
  uint16_t selectors[6]; /* ES CS SS DS FS GS */
  uint16_t reserved;
  uint16_t runs;
};
static struct result result;
/* Of this case: timer ticks, and signals that ended it. A second one means that the case has spoilt the way back. */
static volatile unsigned ticks, ends;
static const int ORDER[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* The kernel shows a signal handler zeros for FS and GS, and leaves all four as they are. */
static void data_selectors(void) {
  uint16_t es, ds, fs, gs;
  __asm__ volatile("mov %%es, %0; mov %%ds, %1; mov %%fs, %2; mov %%gs, %3" : "=r"(es), "=r"(ds), "=r"(fs), "=r"(gs));
  result.selectors[0] = es;
  result.selectors[3] = ds;
  result.selectors[4] = fs;
  result.selectors[5] = gs;
}

/* The case has spoilt the way back. What is known of the cases before it still gets out. */
static void give_up(void) {
  __asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(state->host_fs), "r"(state->host_gs));
  fflush(stdout);
  _exit(3);
}

/* Notes what the signal shows, and lets the process go on in come_back. */
__attribute__((used)) void handle(int signal, siginfo_t *info, void *context) {
  (void)info;
  greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
  state->block = 0;
  if (!state->inside) {
    if (signal == SIGVTALRM) return;
    _exit(3);
  }
  if (signal == SIGVTALRM && ++ticks < 3) return;
  if (ends++ > 0) give_up();
  for (int i = 0; i < 16; i++) result.regs[i] = g[ORDER[i]];
  result.rip = g[REG_RIP];
  result.flags = g[REG_EFL];
  result.end = signal == SIGVTALRM ? END_TIME : END_SIGNAL;
  result.signal = signal;
  result.vector = g[REG_TRAPNO];
  result.error = g[REG_ERR];
  result.address = g[REG_CR2];
  uint64_t packed = g[REG_CSGSFS];
  result.selectors[1] = packed;
  result.selectors[2] = packed >> 48;
  data_selectors();
  g[REG_RIP] = (greg_t)come_back;
  g[REG_RSP] = state->host_rsp;
  g[REG_EFL] = 0x202;
  g[REG_CSGSFS] = (packed & 0x0000ffffffff0000ull) | 0x002b000000000033ull;
}

/* --- the batch --------------------------------------------------------------------------------------------------------------- */

#define PAGE 4096
#define MOST_PAGES 64
#define MOST_SEGMENTS 64
#define CODE_BYTES 40
#define POKE_BYTES 1024
#define MOST_POKES 16
#define CODE64 0x33
struct header { uint32_t magic, pages, segments, cases, fx, reserved; };
struct page { uint32_t address, rights; }; /* rights: 1 read, 2 write, 4 execute */
struct segment { uint32_t entry, base, limit, flags; }; /* of the LDT; flags: those of struct user_desc, from bit 0 on */
struct poke { uint32_t address, length; uint8_t bytes[POKE_BYTES]; };
/* RIP is an offset in CS, code_at the linear address of the same. Pokes follow, each with as many bytes as it has. */
struct request {
  uint64_t regs[16], rip, flags, fs, gs;
  uint16_t selectors[6]; /* ES CS SS DS FS GS */
  uint16_t code_length, pokes;
  uint32_t code_at, reserved;
  uint8_t code[CODE_BYTES];
};

static struct page pages[MOST_PAGES];
static unsigned page_count;
static uint8_t *pristine, *before, *view; /* as the batch begins; as the case begins; what the case sees */

static void read_all(void *into, size_t size) {
  if (fread(into, 1, size, stdin) != size) exit(0);
}

/* Offset in the buffers of an address, -1 when it lies outside the window. */
static long offset_of(uint64_t address) {
  for (unsigned i = 0; i < page_count; i++)
    if (address - pages[i].address < PAGE) return (long)i * PAGE + (long)(address - pages[i].address);
  return -1;
}

static void put(uint64_t address, const uint8_t *bytes, unsigned length) {
  for (unsigned i = 0; i < length; i++) {
    long at = offset_of(address + i);
    if (at >= 0) view[at] = before[at] = bytes[i];
  }
}

static void take_back(uint64_t address, unsigned length) {
  for (unsigned i = 0; i < length; i++) {
    long at = offset_of(address + i);
    if (at >= 0) view[at] = before[at] = pristine[at];
  }
}

/* Writes each stretch of changed bytes (address, length, bytes) to `to` and undoes it. Returns the stretches. */
static unsigned changes(FILE *to) {
  unsigned runs = 0;
  for (unsigned p = 0; p < page_count; p++) {
    uint8_t *now = view + p * PAGE, *was = before + p * PAGE;
    if (memcmp(now, was, PAGE) == 0) continue;
    for (unsigned i = 0; i < PAGE; i++) {
      if (now[i] == was[i]) continue;
      unsigned end = i;
      while (end < PAGE && now[end] != was[end]) end++;
      uint32_t run[2] = {pages[p].address + i, end - i};
      fwrite(run, sizeof run, 1, to);
      fwrite(now + i, 1, end - i, to);
      memcpy(now + i, was + i, end - i);
      runs++;
      i = end;
    }
  }
  return runs;
}

static void run_case(const struct request *r) {
  uint16_t *data = (uint16_t *)state->selectors;
  data[0] = r->selectors[0];
  for (int i = 1; i < 4; i++) data[i] = r->selectors[i + 2];
  state->compat = r->selectors[1] != CODE64;
  for (int i = 0; i < 16; i++) state->regs[i] = r->regs[i];
  state->frame[0] = r->rip;
  state->frame[1] = r->selectors[1];
  state->frame[2] = r->flags;
  state->frame[3] = r->regs[4];
  state->frame[4] = r->selectors[2];
  state->fs = r->fs;
  state->gs = r->gs;
  memset(&result, 0, sizeof result);
  ticks = ends = 0;
  enter();
  if (result.end == END_LEFT) {
    for (int i = 0; i < 16; i++) result.regs[i] = state->out[i];
    result.flags = state->out_flags;
    result.selectors[1] = r->selectors[1];
    result.selectors[2] = state->out_ss;
    data_selectors();
  }
  result.fs = state->out_fs;
  result.gs = state->out_gs;
  /* Null selectors again; loading one may cost the bases, which the next entry sets anyway, except for our own FS. */
  if (result.selectors[0] | result.selectors[3]) __asm__ volatile("mov %0, %%es; mov %0, %%ds" : : "r"(0));
  if (result.selectors[4] | result.selectors[5])
    __asm__ volatile("mov %0, %%fs; mov %0, %%gs; wrfsbase %1" : : "r"(0), "r"(state->host_fs));
}

static void run_cases(unsigned count, int fx) {
  struct request r;
  static struct poke pokes[MOST_POKES];
  char *text = NULL;
  size_t size = 0;
  FILE *runs = open_memstream(&text, &size);
  for (unsigned n = 0; n < count; n++) {
    read_all(&r, sizeof r);
    if (fx) read_all((void *)state->fx_in, 512);
    put(r.code_at, r.code, r.code_length);
    for (int i = 0; i < r.pokes; i++) {
      read_all(&pokes[i], offsetof(struct poke, bytes));
      read_all(pokes[i].bytes, pokes[i].length);
      put(pokes[i].address, pokes[i].bytes, pokes[i].length);
    }
    run_case(&r);
    rewind(runs);
    result.runs = changes(runs);
    fflush(runs);
    take_back(r.code_at, r.code_length);
    for (int i = 0; i < r.pokes; i++) take_back(pokes[i].address, pokes[i].length);
    fwrite(&result, sizeof result, 1, stdout);
    if (fx) fwrite((void *)state->fx_out, 512, 1, stdout);
    if (result.runs) fwrite(text, 1, size, stdout);
  }
  fflush(stdout);
}

static void *map(void *at, size_t size, int rights, int flags, int file, off_t offset) {
  void *got = mmap(at, size, rights, flags, file, offset);
  if (got == MAP_FAILED || (at && got != at)) {
    fprintf(stderr, "no memory at %p\n", at);
    exit(4);
  }
  return got;
}

/* The window twice: at the addresses that cases use, with their rights, and once more for us to write. */
static void map_window(void) {
  int file = memfd_create("window", 0);
  size_t size = (size_t)page_count * PAGE;
  if (file < 0 || ftruncate(file, size) != 0) exit(4);
  view = map(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  pristine = malloc(size);
  before = malloc(size);
  read_all(pristine, size);
  memcpy(view, pristine, size);
  memcpy(before, pristine, size);
  for (unsigned i = 0; i < page_count; i++) {
    int rights = (pages[i].rights & 1 ? PROT_READ : 0) | (pages[i].rights & 2 ? PROT_WRITE : 0) | (pages[i].rights & 4 ? PROT_EXEC : 0);
    void *at = (void *)(uintptr_t)pages[i].address;
    map(at, PAGE, rights, MAP_SHARED | MAP_FIXED_NOREPLACE, file, (off_t)i * PAGE);
    /* Touched now, so that a case meets no page that the kernel has yet to bring. */
    volatile uint8_t touched = *(volatile uint8_t *)at;
    if (rights & PROT_WRITE) *(volatile uint8_t *)at = touched;
  }
}

/* The LDT, in which cases outside 64-bit mode find their segments. */
static void set_segments(unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    struct segment s;
    read_all(&s, sizeof s);
    uint32_t description[4] = {s.entry, s.base, s.limit, s.flags};
    if (syscall(SYS_modify_ldt, 0x11, description, sizeof description) != 0) {
      fprintf(stderr, "this kernel does not let programs have an LDT\n");
      exit(6);
    }
  }
}

static void map_state(void) {
  void *code = map((void *)LEAVE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  memcpy(code, leave_code, leave_end - leave_code);
  mprotect(code, PAGE, PROT_READ | PROT_EXEC);
  map((void *)STATE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  state->resume = (uint64_t)come_back;
}

static void take_signals(void) {
  stack_t stack = {.ss_sp = map(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 65536};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP, SIGSYS, SIGVTALRM};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  /* Counts the time that this process itself runs, so that a busy machine ends no case. */
  struct itimerval every = {{0, 10000}, {0, 10000}};
  setitimer(ITIMER_VIRTUAL, &every, NULL);
  prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &state->block);
}

static void print_leaf(uint32_t leaf, uint32_t subleaf) {
  uint32_t a, b, c, d;
  __cpuid_count(leaf, subleaf, a, b, c, d);
  printf("%x %x %x %x %x %x\n", leaf, subleaf, a, b, c, d);
}

static int features(void) {
  for (uint32_t range = 0; range <= 0x80000000u; range += 0x80000000u) {
    uint32_t last = __get_cpuid_max(range, NULL);
    for (uint32_t leaf = range; leaf <= last && leaf < range + 0x40; leaf++) {
      print_leaf(leaf, 0);
      if (leaf == 7 || leaf == 0xd) print_leaf(leaf, 1);
    }
    if (range) break;
  }
  return 0;
}

int main(int count, char **words) {
  if (count > 1 && strcmp(words[1], "features") == 0) return features();
  if (!(getauxval(AT_HWCAP2) & 2)) {
    fprintf(stderr, "this kernel does not let programs set segment bases (FSGSBASE)\n");
    return 5;
  }
  struct header h;
  read_all(&h, sizeof h);
  if (h.magic != 0x61736931 || h.pages > MOST_PAGES) return 2;
  page_count = h.pages;
  read_all(pages, page_count * sizeof *pages);
  if (h.segments > MOST_SEGMENTS) return 2;
  set_segments(h.segments);
  map_window();
  map_state();
  state->fx = h.fx != 0;
  setvbuf(stdout, NULL, _IOFBF, 1 << 20);
  setvbuf(stdin, NULL, _IOFBF, 1 << 20);
  take_signals();
  run_cases(h.cases, h.fx != 0);
  return 0;
}
