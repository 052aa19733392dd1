/* A 32-bit PV guest (PAE) in C: hypercalls, faults, events, page tables, segments and user mode, told on the console without addresses or time. MIT licence. */
#include "xen.h"

extern char stub_de[], stub_bp[], stub_ud[], stub_ss[], stub_gp[], stub_pf[], stub_80[], event_entry[], failsafe_entry[], syscall_entry[];
extern char kernel_stack_end[];
extern void leave_user(void);

static u8 shared_page[4096] __attribute__((aligned(4096)));
struct start_info *info;
u32 skip;
#define SHARED ((volatile struct shared_info *)shared_page)
enum { BASE = 0x800000 };

static char line[256];
static u32 used;

static void flush(void)
{
	hypercall(CALL_console_io, 0, used, (u32)line, 0);
	used = 0;
}
static void character(char c)
{
	line[used++] = c;
	if (c == '\n' || used == sizeof line)
		flush();
}
void text(const char *s)
{
	while (*s)
		character(*s++);
}
void number(s32 value)
{
	char digits[12];
	u32 rest = value < 0 ? -(u32)value : (u32)value;
	int n = 0;
	if (value < 0)
		character('-');
	do
		digits[n++] = '0' + rest % 10;
	while (rest /= 10);
	while (n)
		character(digits[--n]);
}
void told(const char *name, s32 value)
{
	text(name);
	text(": ");
	number(value);
	character('\n');
}

u32 frame_of(const void *address)
{
	return ((u32 *)info->mfn_list)[((u32)address - BASE) >> 12];
}

static void deliver(void)
{
	volatile struct vcpu_info *v = &SHARED->vcpu[0];
	v->upcall_pending = 0;
	for (u32 sel = __atomic_exchange_n(&v->pending_sel, 0, __ATOMIC_SEQ_CST); sel; sel &= sel - 1) {
		u32 word = __builtin_ctz(sel);
		for (u32 bits = SHARED->pending[word] & ~SHARED->mask[word]; bits; bits &= bits - 1) {
			u32 port = word * 32 + __builtin_ctz(bits);
			__atomic_fetch_and(&SHARED->pending[word], ~(1u << (port & 31)), __ATOMIC_SEQ_CST);
			told("  event", port);
		}
	}
}

/* Faults go on behind the faulting instruction, whose length the test says. */
void trap(struct registers *r)
{
	u32 user = (r->cs & 3) == 3;
	if (r->vector == 256)
		return deliver();
	text("  trap ");
	number(r->vector);
	if (r->error != (u32)-1) {
		text(" error ");
		number(r->error);
	}
	if (r->vector == 14) {
		u32 at = SHARED->vcpu[0].cr2;
		text(at >= 0xf5800000 ? " in Xen's part" : at >> 30 ? " far away" : " near");
	}
	text(user ? " user" : " kernel");
	character('\n');
	if (r->vector == 128)
		told("  eax", r->eax);
	if (r->vector == 258 || (r->vector >= 13 && r->vector <= 14 && user)) {
		told("  ebx", r->ebx);
		leave_user();
		__builtin_unreachable();
	}
	if (r->vector != 3 && r->vector != 128)
		r->eip += skip;
}

static s32 event(u32 op, void *argument)
{
	return hypercall(CALL_event_channel_op, op, (u32)argument, 0, 0);
}

static void handlers(void)
{
	struct trap_info traps[] = {
		{ 0, 0, KERNEL_CS, (u32)stub_de },  { 3, 3, KERNEL_CS, (u32)stub_bp },	{ 6, 0, KERNEL_CS, (u32)stub_ud },    { 12, 0, KERNEL_CS, (u32)stub_ss },
		{ 13, 0, KERNEL_CS, (u32)stub_gp }, { 14, 0, KERNEL_CS, (u32)stub_pf }, { 128, 3, KERNEL_CS, (u32)stub_80 }, {},
	};
	struct {
		u16 type, flags;
		u32 cs, eip;
	} syscall = { 7, 0, KERNEL_CS, (u32)syscall_entry };
	told("set_trap_table", hypercall(CALL_set_trap_table, (u32)traps, 0, 0, 0));
	told("set_callbacks", hypercall(CALL_set_callbacks, KERNEL_CS, (u32)event_entry, KERNEL_CS, (u32)failsafe_entry));
	told("callback for syscall", hypercall(CALL_callback_op, 0, (u32)&syscall, 0, 0));
	told("stack_switch", hypercall(CALL_stack_switch, KERNEL_DS, (u32)kernel_stack_end, 0, 0));
	told("map shared info", map(shared_page, info->shared_info >> 12, PAGE));
}

static u32 fibonacci(u32 n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static void computing(void)
{
	u32 sieve[32] = { 0 };
	u32 primes = 0;
	u64 product = 1;
	for (u32 i = 2; i < 1000; i++) {
		if (sieve[i / 32] >> (i % 32) & 1)
			continue;
		primes++;
		product = product * i + (product >> 7);
		for (u32 j = i * i; j < 1000; j += i)
			sieve[j / 32] |= 1u << (j % 32);
	}
	told("primes", primes);
	told("product, upper half", (s32)(product >> 32));
	told("product, lower half", (s32)product);
	told("fibonacci", fibonacci(15));
}

static void faulting(void)
{
	volatile u32 *nowhere = (u32 *)0x40000000;
	volatile u32 *xen = (u32 *)0xffc00000;
	skip = 2;
	asm volatile("ud2" ::: "memory");
	asm volatile("int3" ::: "memory");
	asm volatile("int $0x80" ::"a"(7) : "memory");
	asm volatile("div %%cl" ::"a"(1), "c"(0) : "memory");
	asm volatile("mov (%0), %%eax" ::"b"(nowhere) : "eax", "memory");
	asm volatile("mov %%eax, (%0)" ::"b"(xen) : "eax", "memory");
	asm volatile("mov %0, %%ds" ::"b"(0xe009) : "memory");
	skip = 1;
	asm volatile("hlt" ::: "memory");
}

static void calling(void)
{
	struct {
		u32 number, result, arguments[6];
	} list[] = { { CALL_xen_version, 7, { 0 } }, { CALL_set_segment_base, 7, { 0, 1 } }, { 63, 7, { 1 } } };
	u32 machphys[3], start;
	told("version", hypercall(CALL_xen_version, 0, 0, 0, 0));
	told("no such call", hypercall(63, 1, 2, 3, 4));
	told("bad pointer", event(4, (void *)0x10));
	told("multicall", hypercall(CALL_multicall, (u32)list, 3, 0, 0));
	for (u32 i = 0; i < 3; i++)
		told("  result", list[i].result);
	told("machphys_mapping", hypercall(CALL_memory_op, 12, (u32)machphys, 0, 0));
	told("platform_parameters", hypercall(CALL_xen_version, 5, (u32)&start, 0, 0));
	told("Xen's part begins with the table of frames", start == machphys[0]);
	u32 right = 0;
	for (u32 pfn = 0; pfn < info->nr_pages; pfn++)
		right += ((volatile u32 *)start)[((u32 *)info->mfn_list)[pfn]] == pfn;
	told("all frames know their place", right == info->nr_pages);
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
	struct {
		u64 deadline;
		u32 flags;
	} __attribute__((packed)) past = { 1, 0 };
	told("alloc_unbound", event(6, &unbound));
	bind.remote_port = unbound.port;
	told("bind_interdomain", event(0, &bind));
	told("local port", bind.local_port);
	SHARED->vcpu[0].upcall_mask = 0;
	told("send", event(4, &bind.local_port));
	told("close", event(3, &bind.local_port));
	told("close again", event(3, &bind.local_port));
	told("bind_virq", event(1, &timer));
	SHARED->vcpu[0].upcall_mask = 1;
	told("timer in the past", hypercall(CALL_vcpu_op, 8, 0, (u32)&past, 0));
	told("block", hypercall(CALL_sched_op, 1, 0, 0, 0));
	u64 since = SHARED->vcpu[0].system_time + 1000000;
	told("set_timer_op", hypercall(CALL_set_timer_op, (u32)since, (u32)(since >> 32), 0, 0));
	told("block", hypercall(CALL_sched_op, 1, 0, 0, 0));
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
	calling();
	computing();
	faulting();
	mapping();
	tables();
	segments();
	events();
	users();
	for (;;)
		hypercall(CALL_sched_op, 2, (u32)&reason, 0, 0);
}
