/* What a 32-bit PV guest (PAE) needs to know of Xen's ABI. Written from the public documentation of the interface. MIT licence. */
#ifndef XENSPEC_PAE_XEN_H
#define XENSPEC_PAE_XEN_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;

enum { CALL_set_trap_table = 0, CALL_mmu_update = 1, CALL_set_gdt = 2, CALL_stack_switch = 3, CALL_set_callbacks = 4, CALL_update_descriptor = 10,
       CALL_memory_op = 12, CALL_multicall = 13, CALL_update_va_mapping = 14, CALL_set_timer_op = 15, CALL_xen_version = 17, CALL_console_io = 18,
       CALL_grant_table_op = 20, CALL_vm_assist = 21, CALL_iret = 23, CALL_vcpu_op = 24, CALL_set_segment_base = 25, CALL_mmuext_op = 26,
       CALL_sched_op = 29, CALL_callback_op = 30, CALL_event_channel_op = 32 };
enum { DOMID_SELF = 0x7ff0 };
enum { KERNEL_CS = 0xe019, KERNEL_DS = 0xe021, USER_CS = 0xe02b, USER_DS = 0xe033 };
enum { PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40, READ_ONLY_PAGE = 0x61, PAGE = 0x63, USER_PAGE = 0x67 };

struct start_info {
	char magic[32];
	u32 nr_pages, shared_info, flags, store_mfn, store_evtchn, console_mfn, console_evtchn, pt_base, nr_pt_frames, mfn_list, mod_start, mod_len;
	char cmd_line[1024];
	u32 first_p2m_pfn, nr_p2m_frames;
};

struct vcpu_info {
	u8 upcall_pending, upcall_mask, pad[2];
	u32 pending_sel, cr2, pad1[5];
	u32 version, pad2;
	u64 tsc_timestamp, system_time;
	u32 tsc_to_system_mul;
	signed char tsc_shift;
	u8 flags, pad3[2];
};

struct shared_info {
	struct vcpu_info vcpu[32];
	u32 pending[32], mask[32];
};

struct trap_info {
	u8 vector, flags;
	u16 cs;
	u32 address;
};

/* As the stubs leave it on the stack. */
struct registers {
	u32 edi, esi, ebp, esp_here, ebx, edx, ecx, eax, vector, error, eip, cs, eflags, esp, ss;
};

extern u8 hypercall_page[];
extern struct start_info *info;
/* Bytes that a fault goes on behind. */
extern u32 skip;

static inline s32 hypercall(u32 number, u32 a, u32 b, u32 c, u32 d)
{
	s32 result;
	asm volatile("call *%%eax" : "=a"(result), "+b"(a), "+c"(b), "+d"(c), "+S"(d) : "0"(hypercall_page + 32 * number) : "memory");
	return result;
}

/* main.c */
void text(const char *s);
void number(s32 value);
void told(const char *name, s32 value);
u32 frame_of(const void *address);
/* address_space.c */
s32 map(const void *address, u32 frame, u32 flags);
void mapping(void);
void tables(void);
/* segments.c */
void segments(void);
/* call_user.c */
void users(void);

#endif
