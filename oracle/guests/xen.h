/* What a PV64 guest needs to know of Xen's ABI. Written from the public documentation of the interface. MIT licence. */
#ifndef XENSPEC_GUEST_XEN_H
#define XENSPEC_GUEST_XEN_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

enum { CALL_set_trap_table = 0, CALL_mmu_update = 1, CALL_stack_switch = 3, CALL_set_callbacks = 4, CALL_multicall = 13, CALL_update_va_mapping = 14,
       CALL_xen_version = 17, CALL_console_io = 18, CALL_iret = 23, CALL_vcpu_op = 24, CALL_mmuext_op = 26, CALL_sched_op = 29, CALL_event_channel_op = 32 };
enum { DOMID_SELF = 0x7ff0 };

struct start_info {
	char magic[32];
	u64 nr_pages, shared_info;
	u32 flags, pad0;
	u64 store_mfn;
	u32 store_evtchn, pad1;
	u64 console_mfn;
	u32 console_evtchn, pad2;
	u64 pt_base, nr_pt_frames, mfn_list, mod_start, mod_len;
	char cmd_line[1024];
	u64 first_p2m_pfn, nr_p2m_frames;
};

struct vcpu_info {
	u8 upcall_pending, upcall_mask, pad[6];
	u64 pending_sel, cr2, pad1;
	u32 version, pad2;
	u64 tsc_timestamp, system_time;
	u32 tsc_to_system_mul;
	signed char tsc_shift;
	u8 flags, pad3[2];
};

struct shared_info {
	struct vcpu_info vcpu[32];
	u64 pending[64], mask[64];
};

struct trap_info {
	u8 vector, flags;
	u16 cs;
	u32 pad;
	u64 address;
};

static inline s64 hypercall(u64 number, u64 a, u64 b, u64 c, u64 d)
{
	s64 result;
	register u64 r10 asm("r10") = d;
	asm volatile("syscall" : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10) : "0"(number) : "rcx", "r11", "memory");
	return result;
}

#endif
