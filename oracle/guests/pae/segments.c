/* Segments of the guest's own: bases, limits, rings, a local table. MIT licence. */
#include "xen.h"

static u64 gdt[512] __attribute__((aligned(4096)));
static u64 ldt[512] __attribute__((aligned(4096)));
static u32 data[4] = { 1, 2, 3, 4 };
extern char far_code[];
extern u32 far_call(u32 selector);

static u64 segment(const void *base, u32 limit, u32 access)
{
	u32 at = (u32)base;
	return (u64)((at & 0xff000000) | access << 8 | (limit & 0xf0000) | (at >> 16 & 0xff)) << 32 | at << 16 | (limit & 0xffff);
}

static u32 through_fs(u32 selector, u32 offset)
{
	u32 value = 0;
	asm volatile("mov %1, %%fs\n\t.byte 0x64\n\tmov (%2), %0" : "+a"(value) : "b"(selector), "c"(offset) : "memory");
	return value;
}

void segments(void)
{
	u32 frame = frame_of(gdt);
	struct {
		u32 command, first, second;
	} set_ldt = { 13, (u32)ldt, 2 };
	/* Data of ring 1, code of ring 1 (given as ring 0's), data without a limit that reaches Xen. */
	gdt[1] = segment(data, 11, 0x40b3);
	gdt[2] = segment(far_code, 64, 0x409b);
	gdt[3] = segment(0, 0xfffff, 0xc0f3);
	ldt[1] = segment(data + 1, 7, 0x40f3);
	told("the table is read-only", map(gdt, frame, READ_ONLY_PAGE) | map(ldt, frame_of(ldt), READ_ONLY_PAGE));
	told("set_gdt", hypercall(CALL_set_gdt, (u32)&frame, 512, 0, 0));
	told("fs:0", through_fs(9, 0));
	told("fs:8", through_fs(9, 8));
	skip = 3;
	told("fs:12, beyond the limit", through_fs(9, 12));
	told("code of its own", far_call(17));
	told("ring of the descriptor", gdt[2] >> 45 & 3);
	told("set_ldt", hypercall(CALL_mmuext_op, (u32)&set_ldt, 1, 0, DOMID_SELF));
	told("fs:4 of the local table", through_fs(12 | 3, 4));
	told("update_descriptor",
	     hypercall(CALL_update_descriptor, frame << 12 | 32, 0, (u32)segment(data + 2, 3, 0x40b3), (u32)(segment(data + 2, 3, 0x40b3) >> 32)));
	told("fs:0", through_fs(33, 0));
	told("code of 64 bits", hypercall(CALL_update_descriptor, frame << 12 | 40, 0, 0xffff, 0x00af9b00));
	told("4gb_segments", hypercall(CALL_vm_assist, 0, 0, 0, 0));
	asm volatile("mov %0, %%fs" ::"r"(0));
}
