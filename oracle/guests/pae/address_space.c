/* Page tables of three levels: mappings, stores into tables that Xen carries out, an address space of the guest's own. MIT licence. */
#include "xen.h"

static u8 window[4096] __attribute__((aligned(4096)));
static u32 page[1024] __attribute__((aligned(4096)));
static u64 level1[512] __attribute__((aligned(4096)));
static u64 level2[512] __attribute__((aligned(4096)));
static u64 last_level2[512] __attribute__((aligned(4096)));
static u64 level3[512] __attribute__((aligned(4096)));

s32 map(const void *address, u32 frame, u32 flags)
{
	return hypercall(CALL_update_va_mapping, (u32)address, frame << 12 | flags, frame >> 20, 2);
}

static s32 update(u64 *entry, u64 value)
{
	struct {
		u64 pointer, value;
	} request = { (u64)frame_of(entry) << 12 | ((u32)entry & 0xfff), value };
	return hypercall(CALL_mmu_update, (u32)&request, 1, 0, DOMID_SELF);
}

static s32 extended(u32 command, u32 first, u32 second)
{
	struct {
		u32 command, first, second;
	} request = { command, first, second };
	return hypercall(CALL_mmuext_op, (u32)&request, 1, 0, DOMID_SELF);
}

static u64 entry_of(const void *table, u32 flags)
{
	return (u64)frame_of(table) << 12 | flags;
}

void mapping(void)
{
	page[0] = 4711;
	told("map read-only", map(window, frame_of(page), READ_ONLY_PAGE));
	told("read", *(volatile u32 *)window);
	skip = 2;
	asm volatile("mov %%eax, (%0)" ::"b"(window) : "memory");
	told("map a page table writable", map(window, frame_of((void *)info->pt_base), PAGE));
	told("unmap", map(window, 0, 0));
	asm volatile("mov (%0), %%eax" ::"b"(window) : "eax", "memory");
	told("map again", map(window, frame_of(window), PAGE));
}

/* Where the initial tables stand among the pages of the boot stack: the L3 first. */
static u64 *level3_now(void)
{
	return (u64 *)info->pt_base;
}

/* A table of 4 MiB at 1 GiB: entries by mmu_update, by stores, and by exchanges of eight bytes. */
static void own_l1(void)
{
	volatile u32 *there = (u32 *)0x40000000;
	level1[0] = entry_of(page, PAGE);
	level2[0] = 0;
	told("tables are read-only", map(level1, frame_of(level1), READ_ONLY_PAGE) | map(level2, frame_of(level2), READ_ONLY_PAGE));
	told("into the L3", update(level3_now() + 1, entry_of(level2, PRESENT)));
	told("into the L2", update(level2, entry_of(level1, USER_PAGE)));
	told("read", there[0]);
	/* Stores of four bytes: the lower half alone, as long as the upper is right. */
	((volatile u32 *)level1)[2] = frame_of(page) << 12 | PAGE;
	there[1024] = 4712;
	told("read", page[0]);
	u64 old = level1[1], changed = old & ~(u64)WRITABLE;
	u8 equal;
	asm volatile("lock cmpxchg8b %1\n\tsete %0"
		     : "=q"(equal), "+m"(level1[1]), "+A"(old)
		     : "b"((u32)changed), "c"((u32)(changed >> 32))
		     : "memory", "cc");
	told("exchanged", equal);
	told("invalidate", extended(7, (u32)(there + 1024), 0));
	skip = 2;
	asm volatile("mov %%eax, (%0)" ::"b"(there + 1024) : "memory");
	/* A table cannot be mapped for writing. */
	asm volatile("mov %%eax, (%0)" ::"a"((u32)entry_of(level1, PAGE)), "b"(level1 + 3) : "memory");
}

/* A whole address space: the tables that are there, and a last L2 of its own, to which Xen adds its part. */
static void own_l3(void)
{
	volatile u32 *table_of_frames = (u32 *)0xf5800000;
	for (u32 i = 0; i < 3; i++)
		level3[i] = level3_now()[i] & ~(u64)(ACCESSED | DIRTY | USER | WRITABLE);
	last_level2[0] = entry_of(level1, USER_PAGE);
	told("the tables are read-only", map(level3, frame_of(level3), READ_ONLY_PAGE) | map(last_level2, frame_of(last_level2), READ_ONLY_PAGE));
	told("pin without a last table", extended(2, frame_of(level3), 0));
	told("writable", map(level3, frame_of(level3), PAGE));
	level3[3] = entry_of(last_level2, PRESENT);
	level3[4] = 1;
	told("read-only", map(level3, frame_of(level3), READ_ONLY_PAGE));
	told("pin", extended(2, frame_of(level3), 0));
	told("what lies behind four entries is cleared", level3[4] == 0);
	told("base pointer", extended(5, frame_of(level3), 0));
	told("at 3 GiB", ((volatile u32 *)0xc0000000)[0]);
	told("the table of frames is there", table_of_frames[frame_of(level3)] == ((u32)level3 - 0x800000) >> 12);
	told("the last entry stays", update(level3 + 3, 0));
	told("an entry of Xen's", update(last_level2 + 428, 0));
	told("another entry", update(last_level2, 0));
	skip = 2;
	asm volatile("mov (%0), %%eax" ::"b"(0xc0000000) : "eax", "memory");
	told("a second base pointer", extended(15, frame_of(level3), 0));
	told("an L4", extended(3, frame_of(page), 0));
	told("unpin what is in use", extended(4, frame_of(level3), 0));
	told("the first base pointer", extended(5, frame_of((void *)info->pt_base), 0));
	told("writable again", map(level3, frame_of(level3), PAGE));
}

static void balloon(void)
{
	u32 frame = frame_of(window);
	struct {
		u32 list, count, order, bits;
		u16 domid;
	} request = { (u32)&frame, 1, 0, 0, DOMID_SELF };
	u32 domid = DOMID_SELF, place = ((u32)window - 0x800000) >> 12;
	s32 before = hypercall(CALL_memory_op, 3, (u32)&domid, 0, 0);
	told("give back while it is mapped", hypercall(CALL_memory_op, 1, (u32)&request, 0, 0));
	told("unmap", map(window, 0, 0));
	told("give back again", hypercall(CALL_memory_op, 1, (u32)&request, 0, 0));
	told("pages", hypercall(CALL_memory_op, 3, (u32)&domid, 0, 0) - before);
	frame = place;
	told("take", hypercall(CALL_memory_op, 6, (u32)&request, 0, 0));
	told("pages", hypercall(CALL_memory_op, 3, (u32)&domid, 0, 0) - before);
	told("map", map(window, frame, PAGE));
	*(volatile u32 *)window = 1;
}

void tables(void)
{
	own_l1();
	own_l3();
	balloon();
}
