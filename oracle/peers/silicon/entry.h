/* How helper.c enters a case and comes back: fixed addresses, the state that both sides share, and the code between them. */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/* Fixed addresses, in reach of 32-bit addressing. LEAVE is what cases jump to; STATE is used on the way in and out. */
#define LEAVE 0x6ead0000
#define STATE 0x6ead1000
#define S_REGS 0x000
#define S_FRAME 0x080
#define S_FS 0x0a8
#define S_GS 0x0b0
#define S_BLOCK 0x0b8
#define S_INSIDE 0x0b9
#define S_FX 0x0ba
#define S_COMPAT 0x0bb
#define S_HOST_RSP 0x0c0
#define S_HOST_FS 0x0c8
#define S_HOST_GS 0x0d0
#define S_RESUME 0x0d8
#define S_OUT 0x0e0
#define S_OUT_FLAGS 0x160
#define S_OUT_FS 0x168
#define S_OUT_GS 0x170
#define S_FX_IN 0x180
#define S_FX_OUT 0x380
#define S_SELECTORS 0x580
#define S_OUT_SS 0x590
#define S_STACK_TOP 0xf00

struct state {
  uint64_t regs[16];
  uint64_t frame[5]; /* RIP CS RFLAGS RSP SS, as IRETQ takes them */
  uint64_t fs, gs;
  uint8_t block;  /* syscall user dispatch: 1 refuses */
  uint8_t inside; /* a case runs */
  uint8_t fx;     /* the batch has FXSAVE images */
  uint8_t compat; /* the case is not in 64-bit mode: data segments come from selectors, not FS and GS from bases */
  uint8_t pad[4];
  uint64_t host_rsp, host_fs, host_gs, resume;
  uint64_t out[16], out_flags, out_fs, out_gs;
  uint8_t pad2[8];
  uint8_t fx_in[512], fx_out[512];
  uint64_t selectors[2]; /* ES DS FS GS, 16 bits each */
  uint64_t out_ss;
};
_Static_assert(offsetof(struct state, frame) == S_FRAME && offsetof(struct state, fs) == S_FS, "layout");
_Static_assert(offsetof(struct state, block) == S_BLOCK && offsetof(struct state, host_rsp) == S_HOST_RSP, "layout");
_Static_assert(offsetof(struct state, out) == S_OUT && offsetof(struct state, out_flags) == S_OUT_FLAGS, "layout");
_Static_assert(offsetof(struct state, fx_in) == S_FX_IN && offsetof(struct state, fx_out) == S_FX_OUT, "layout");
_Static_assert(offsetof(struct state, selectors) == S_SELECTORS && offsetof(struct state, out_ss) == S_OUT_SS, "layout");
_Static_assert(offsetof(struct state, compat) == S_COMPAT, "layout");
#define state ((volatile struct state *)STATE)

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)
#define AT(field) NUMBER(STATE) "+" NUMBER(field)
#define REG(area, n) AT(area) "+8*" #n

/* enter(): into the case that STATE describes; comes back when it is over. leave_code is copied to LEAVE. */
void enter(void);
void come_back(void);
extern const uint8_t leave_code[], leave_end[];
__asm__(
  ".text\n"
  "enter:\n"
  "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
  "  mov %rsp, " AT(S_HOST_RSP) "\n"
  "  rdfsbase %rax; mov %rax, " AT(S_HOST_FS) "\n"
  "  rdgsbase %rax; mov %rax, " AT(S_HOST_GS) "\n"
  "  cmpb $0, " AT(S_FX) "\n"
  "  je 1f\n"
  "  fxrstor64 " AT(S_FX_IN) "\n"
  "1:\n"
  "  cmpb $0, " AT(S_COMPAT) "\n"
  "  je 2f\n"
  "  movw " AT(S_SELECTORS) ", %ax; mov %eax, %es\n"
  "  movw " AT(S_SELECTORS) "+2, %ax; mov %eax, %ds\n"
  "  movw " AT(S_SELECTORS) "+4, %ax; mov %eax, %fs\n"
  "  movw " AT(S_SELECTORS) "+6, %ax; mov %eax, %gs\n"
  "  jmp 3f\n"
  "2:\n"
  "  mov " AT(S_FS) ", %rax; wrfsbase %rax\n"
  "  mov " AT(S_GS) ", %rax; wrgsbase %rax\n"
  "3:\n"
  "  mov " REG(S_REGS, 0) ", %rax; mov " REG(S_REGS, 1) ", %rcx; mov " REG(S_REGS, 2) ", %rdx; mov " REG(S_REGS, 3) ", %rbx\n"
  "  mov " REG(S_REGS, 5) ", %rbp; mov " REG(S_REGS, 6) ", %rsi; mov " REG(S_REGS, 7) ", %rdi\n"
  "  mov " REG(S_REGS, 8) ", %r8; mov " REG(S_REGS, 9) ", %r9; mov " REG(S_REGS, 10) ", %r10; mov " REG(S_REGS, 11) ", %r11\n"
  "  mov " REG(S_REGS, 12) ", %r12; mov " REG(S_REGS, 13) ", %r13; mov " REG(S_REGS, 14) ", %r14; mov " REG(S_REGS, 15) ", %r15\n"
  "  movb $1, " AT(S_INSIDE) "\n"
  "  movb $1, " AT(S_BLOCK) "\n"
  "  mov $" AT(S_FRAME) ", %rsp\n"
  "  iretq\n"
  "leave_code:\n"
  "  mov %rax, " REG(S_OUT, 0) "; mov %rcx, " REG(S_OUT, 1) "; mov %rdx, " REG(S_OUT, 2) "; mov %rbx, " REG(S_OUT, 3) "\n"
  "  mov %rsp, " REG(S_OUT, 4) "; mov %rbp, " REG(S_OUT, 5) "; mov %rsi, " REG(S_OUT, 6) "; mov %rdi, " REG(S_OUT, 7) "\n"
  "  mov %r8, " REG(S_OUT, 8) "; mov %r9, " REG(S_OUT, 9) "; mov %r10, " REG(S_OUT, 10) "; mov %r11, " REG(S_OUT, 11) "\n"
  "  mov %r12, " REG(S_OUT, 12) "; mov %r13, " REG(S_OUT, 13) "; mov %r14, " REG(S_OUT, 14) "; mov %r15, " REG(S_OUT, 15) "\n"
  "  mov %ss, %eax; mov %rax, " AT(S_OUT_SS) "\n"
  "  mov $0x2b, %eax; mov %eax, %ss\n"
  "  mov $" AT(S_STACK_TOP) ", %rsp\n"
  "  pushfq\n"
  "  pop %rax\n"
  "  mov %rax, " AT(S_OUT_FLAGS) "\n"
  "  jmp *" AT(S_RESUME) "\n"
  "leave_end:\n"
  "come_back:\n"
  "  mov " AT(S_HOST_RSP) ", %rsp\n"
  "  movb $0, " AT(S_BLOCK) "\n"
  "  pushq $2; popfq\n"
  "  rdfsbase %rax; mov %rax, " AT(S_OUT_FS) "\n"
  "  rdgsbase %rax; mov %rax, " AT(S_OUT_GS) "\n"
  "  mov " AT(S_HOST_FS) ", %rax; wrfsbase %rax\n"
  "  mov " AT(S_HOST_GS) ", %rax; wrgsbase %rax\n"
  "  movb $0, " AT(S_INSIDE) "\n"
  "  cmpb $0, " AT(S_FX) "\n"
  "  je 1f\n"
  "  fxsave64 " AT(S_FX_OUT) "\n"
  "  fninit\n"
  "  pushq $0x1f80; ldmxcsr (%rsp); add $8, %rsp\n"
  "1:\n"
  "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
  "  ret\n"
  /* The flags of the case, AC among them, must not be ours. */
  "on_signal:\n"
  "  pushq $2; popfq\n"
  "  jmp handle\n");
void on_signal(int, siginfo_t *, void *);
