/* A PV64 guest in C: hypercalls, faults, events, page tables and user mode, told on the console without addresses or time. MIT licence. */
#include "xen.h"

struct registers {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax, vector, rip, cs, rflags, rsp, ss;
};

extern char stub_de[], stub_bp[], stub_ud[], stub_gp[], stub_pf[], stub_80[], event_entry[], failsafe_entry[], syscall_entry[];
extern char kernel_stack_end[], user_stack_end[], user_code[], user_fault[];
extern void enter_user(void *rip, void *rsp);
extern void leave_user(void);

static u8 shared_page[4096] __attribute__((aligned(4096)));
static u8 window[4096] __attribute__((aligned(4096)));
static u64 page[512] __attribute__((aligned(4096)));
static struct start_info *info;
#define SHARED ((volatile struct shared_info *)shared_page)
enum { BASE = 0x800000 };

static char line[256];
static u64 used;

static void flush(void)
{
	hypercall(CALL_console_io, 0, used, (u64)line, 0);
	used = 0;
}
static void character(char c)
{
	line[used++] = c;
	if (c == '\n' || used == sizeof line)
		flush();
}
static void text(const char *s)
{
	while (*s)
		character(*s++);
}
static void number(s64 value)
{
	char digits[24];
	u64 rest = value < 0 ? -(u64)value : (u64)value;
	int n = 0;
	if (value < 0)
		character('-');
	do
		digits[n++] = '0' + rest % 10;
	while (rest /= 10);
	while (n)
		character(digits[--n]);
}
static void told(const char *name, s64 value)
{
	text(name);
	text(": ");
	number(value);
	character('\n');
}

static u64 frame_of(void *address)
{
	return ((u64 *)info->mfn_list)[((u64)address - BASE) >> 12];
}

/* Traps: faults go on behind the faulting instruction, whose length the test says. */
static u64 skip;
void trap(struct registers *r, s64 error)
{
	if (r->vector == 256) {
		volatile struct vcpu_info *v = &SHARED->vcpu[0];
		v->upcall_pending = 0;
		for (u64 sel = __atomic_exchange_n(&v->pending_sel, 0, __ATOMIC_SEQ_CST); sel; sel &= sel - 1) {
			u64 word = __builtin_ctzl(sel);
			u64 bits = SHARED->pending[word] & ~SHARED->mask[word];
			for (; bits; bits &= bits - 1) {
				u64 port = word * 64 + __builtin_ctzl(bits);
				__atomic_fetch_and(&SHARED->pending[word], ~(1ul << (port & 63)), __ATOMIC_SEQ_CST);
				told("  event", port);
			}
		}
		return;
	}
	text("  trap ");
	number(r->vector);
	if (error != -1) {
		text(" error ");
		number(error);
	}
	if (r->vector == 14) {
		text(" at ");
		number(SHARED->vcpu[0].cr2 - (SHARED->vcpu[0].cr2 >= (u64)window && SHARED->vcpu[0].cr2 < (u64)window + 4096 ? (u64)window : 0));
	}
	text(r->cs & 3 ? " user" : " kernel");
	character('\n');
	if (r->vector == 128)
		told("  rax", r->rax);
	if (r->vector == 258 || (r->vector == 14 && (r->cs & 3))) {
		told("  rbx", r->rbx);
		leave_user();
		__builtin_unreachable();
	}
	if (r->vector != 3 && r->vector != 128)
		r->rip += skip;
}

static s64 event(u64 op, void *argument)
{
	return hypercall(CALL_event_channel_op, op, (u64)argument, 0, 0);
}

static void handlers(void)
{
	struct trap_info traps[] = {
		{ 0, 0, 0xe033, 0, (u64)stub_de },  { 3, 3, 0xe033, 0, (u64)stub_bp },	  { 6, 0, 0xe033, 0, (u64)stub_ud },
		{ 13, 0, 0xe033, 0, (u64)stub_gp }, { 14, 0, 0xe033, 0, (u64)stub_pf }, { 128, 3, 0xe033, 0, (u64)stub_80 }, {},
	};
	told("set_trap_table", hypercall(CALL_set_trap_table, (u64)traps, 0, 0, 0));
	told("set_callbacks", hypercall(CALL_set_callbacks, (u64)event_entry, (u64)failsafe_entry, (u64)syscall_entry, 0));
	told("stack_switch", hypercall(CALL_stack_switch, 0xe02b, (u64)kernel_stack_end, 0, 0));
	told("map shared info", hypercall(CALL_update_va_mapping, (u64)shared_page, info->shared_info | 0x63, 2, 0));
}

static u64 fibonacci(u64 n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static void computing(void)
{
	u32 sieve[32] = { 0 };
	u64 primes = 0, product = 1;
	for (u64 i = 2; i < 1000; i++) {
		if (sieve[i / 32] >> (i % 32) & 1)
			continue;
		primes++;
		product = product * i % 0xffffffffffffffc5ul;
		for (u64 j = i * i; j < 1000; j += i)
			sieve[j / 32] |= 1u << (j % 32);
	}
	told("primes", primes);
	told("product", product);
	told("fibonacci", fibonacci(15));
}

static void faulting(void)
{
	volatile u64 *nowhere = (u64 *)0x40000000;
	skip = 2;
	asm volatile("ud2" ::: "memory");
	asm volatile("int3" ::: "memory");
	asm volatile("int $0x80" ::"a"(7) : "memory");
	asm volatile("div %%cl" ::"a"(1), "c"(0) : "memory");
	skip = 3;
	asm volatile("movq (%0), %%rax" ::"b"(nowhere) : "rax", "memory");
	skip = 3;
	asm volatile("movq %%rax, (%0)" ::"b"(0x8000000000000000ul) : "rax", "memory");
	skip = 1;
	asm volatile("hlt" ::: "memory");
}

static void mapping(void)
{
	page[0] = 4711;
	told("map read-only", hypercall(CALL_update_va_mapping, (u64)window, frame_of(page) << 12 | 0x61, 2, 0));
	told("read", *(volatile u64 *)window);
	skip = 3;
	asm volatile("movq %%rax, (%0)" ::"b"(window) : "memory");
	told("map a page table writable", hypercall(CALL_update_va_mapping, (u64)window, frame_of((void *)info->pt_base) << 12 | 0x63, 2, 0));
	told("unmap", hypercall(CALL_update_va_mapping, (u64)window, 0, 2, 0));
	asm volatile("movq (%0), %%rax" ::"b"(window) : "rax", "memory");
}

static void events(void)
{
	struct {
		u16 dom, remote;
		u32 port;
	} unbound = { DOMID_SELF, DOMID_SELF, 0 };
	struct {
		u16 remote_dom, pad;
		u32 remote_port, local_port;
	} bind = { DOMID_SELF, 0, 0, 0 };
	struct {
		u32 virq, vcpu, port;
	} timer = { 0, 0, 0 };
	told("alloc_unbound", event(6, &unbound));
	bind.remote_port = unbound.port;
	told("bind_interdomain", event(0, &bind));
	told("local port", bind.local_port);
	SHARED->vcpu[0].upcall_mask = 0;
	told("send", event(4, &bind.local_port));
	told("close", event(3, &bind.local_port));
	told("close again", event(3, &bind.local_port));
	told("bind_virq", event(1, &timer));
	struct {
		u64 deadline;
		u32 flags;
	} past = { 1, 0 };
	SHARED->vcpu[0].upcall_mask = 1;
	told("timer in the past", hypercall(CALL_vcpu_op, 8, 0, (u64)&past, 0));
	told("block", hypercall(CALL_sched_op, 1, 0, 0, 0));
}

static void users(void)
{
	struct {
		u32 command, pad;
		u64 frame, second;
	} base = { 15, 0, frame_of((void *)info->pt_base), 0 };
	told("new_user_baseptr", hypercall(CALL_mmuext_op, (u64)&base, 1, 0, DOMID_SELF));
	enter_user(user_code, user_stack_end);
	text("back\n");
	enter_user(user_fault, user_stack_end);
	text("back again\n");
}

void guest_main(struct start_info *given)
{
	u32 reason = 0;
	info = given;
	told("stop_periodic_timer", hypercall(CALL_vcpu_op, 7, 0, 0, 0));
	text("A guest in C on ");
	text(given->magic);
	character('\n');
	handlers();
	told("version", hypercall(CALL_xen_version, 0, 0, 0, 0));
	told("no such call", hypercall(63, 1, 2, 3, 4));
	told("bad pointer", event(4, (void *)0x10));
	computing();
	faulting();
	mapping();
	events();
	users();
	for (;;)
		hypercall(CALL_sched_op, 2, (u64)&reason, 0, 0);
}
