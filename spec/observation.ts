/** The one small picture of a machine through which engines are compared. Plain JSON; 64-bit values as `Hex`. */
import type { EvtchnStat } from './abi/event_channel.ts';
import type { VcpuRef } from './event.ts';
import type { FpuObservation } from './isa/x86/cpu_observation.ts';

export type VcpuObservation = {
  readonly vcpu: number;
  /** Guest kernel or guest user; both are ring 3 to the CPU. */
  readonly mode: 'kernel' | 'user';
  readonly initialised: boolean;
  /** VCPUOP_up was done (or it is vCPU 0). */
  readonly online: boolean;
  readonly runstate: 'running' | 'runnable' | 'blocked' | 'offline';
  /** Blocked in SCHEDOP_poll. */
  readonly polling: boolean;
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8 .. R15, the encoding's order. */
  readonly gpr: readonly string[];
  readonly rip: string;
  /** The real flags register while in the guest (IF set, IOPL 0). */
  readonly rflags: string;
  readonly cs: number;
  readonly ss: number;
  readonly ds: number;
  readonly es: number;
  readonly fs: number;
  readonly gs: number;
  readonly fs_base: string;
  /** The active GS base, and the one that the other mode uses. */
  readonly gs_base: string;
  readonly gs_base_other: string;
  /** Frames of the kernel and user top-level tables; user 0 when none is set. */
  readonly kernel_table: number;
  readonly user_table: number;
  /** A page table that it gives back when it enters Xen next (`mmu/deferred`): until then it holds it; absent when there is none. */
  readonly put_off?: number;
  readonly kernel_ss: number;
  readonly kernel_sp: string;
  readonly event_callback: string;
  readonly failsafe_callback: string;
  readonly syscall_callback: string;
  readonly syscall32_callback: string;
  readonly sysenter_callback: string;
  readonly nmi_callback: string;
  /** Callback types whose frames mask events: names of CALLBACKTYPE. */
  readonly masking_callbacks: readonly string[];
  /** Set entries of the virtual IDT: [vector, flags, cs, address]. */
  readonly traps: readonly (readonly [number, number, number, string])[];
  /** DR0–DR3, DR6, DR7 as the guest reads them. */
  readonly dr: readonly string[];
  /** What x87, MMX and SSE instructions work on. */
  readonly fpu: FpuObservation;
  /** CR0.TS as the guest set it. */
  readonly task_switched: boolean;
  readonly iopl: number;
  /** The frames that set_gdt named, and how many entries of them count. */
  readonly gdt: { readonly entries: number; readonly frames: readonly number[] };
  /** `frames`: its pages that Xen has put in place, as [page, frame]; absent while there is none. */
  readonly ldt: { readonly base: string; readonly entries: number; readonly frames?: readonly (readonly [page: number, mfn: number])[] };
  /** What PHYSDEVOP_set_iobitmap named: address and number of ports; null when none. */
  readonly io_bitmap: { readonly address: string; readonly ports: number } | null;
  /** Guest's view of CR4. */
  readonly cr4: string;
  /** Armed timers, ns; null when stopped. */
  readonly periodic_period: number | null;
  readonly singleshot: number | null;
  readonly poll_deadline: number | null;
  /** Frame and byte offset of the vCPU's vcpu_info. */
  readonly vcpu_info: readonly [mfn: number, offset: number];
  readonly runstate_area: string | null;
  readonly time_area: string | null;
  readonly nmi_pending: boolean;
};

export type PortObservation = {
  readonly port: number;
  readonly status: Exclude<EvtchnStat, 'closed'>;
  readonly vcpu: number;
  /** unbound: the domain allowed to bind; interdomain: [domid, port]; virq and pirq: the number. */
  readonly remote_dom: number | null;
  readonly remote_port: number | null;
  readonly number: number | null;
  /** Its priority, 0 to 15; only while its domain has the FIFO ABI. */
  readonly priority?: number;
};

/** What Xen keeps of a domain that has the FIFO ABI; the rest of the queues stands in the guest's own pages. */
export type FifoObservation = {
  /** Frames of the event array, in the order in which they were added. */
  readonly array: readonly number[];
  /** By vCPU: frame and byte offset of its control block, and the last port of each of its 16 queues (0 = none). */
  readonly vcpus: readonly { readonly control_block: readonly [mfn: number, offset: number] | null; readonly tails: readonly number[] }[];
  /** Valid ports that are raised when the page of their event word comes, ascending. */
  readonly kept: readonly number[];
};

export type MaptrackObservation = { readonly handle: number; readonly domid: number; readonly ref: number; readonly flags: number };
/** An active grant: refs that somebody maps. Counts as Xen keeps them for each kind of mapping. */
export type ActiveGrantObservation = {
  readonly ref: number;
  readonly mfn: number;
  readonly domid: number;
  readonly host_read: number;
  readonly host_write: number;
  readonly device_read: number;
  readonly device_write: number;
};

export type DomainObservation = {
  readonly domid: number;
  /** It is being destroyed, or dead and not gone yet; absent while it lives. */
  readonly dying?: 'dying' | 'dead';
  /** How often it was paused by domain 0 and not unpaused; absent while it is not. */
  readonly pauses?: number;
  /** What XEN_DOMCTL_setdomainhandle stored, 32 hex digits; its weight and cap for the scheduler; port for its suspension. Absent as at first. */
  readonly handle?: string;
  readonly credit?: readonly [weight: number, cap: number];
  readonly suspend_port?: number;
  /** The frame that PHYSDEVOP_pirq_eoi_gmfn named; absent before. */
  readonly eoi_map?: number;
  /** XEN_DOMCTL_setdebugging marked it; nodes that its memory shall be of, as a mask. Absent as at first. */
  readonly debugged?: true;
  readonly nodes?: string;
  /** What settimeoffset set, in seconds (two's complement); mode and incarnation that settscinfo set. Absent as at first. */
  readonly time_offset?: string;
  readonly tsc?: readonly [mode: number, incarnation: number];
  /** Of a domain that is not domain 0, the ports and the frames of devices that domain 0 lets it use; absent while there are none. */
  readonly io_ports?: readonly (readonly [first: number, last: number])[];
  readonly io_frames?: readonly (readonly [first: number, last: number])[];
  readonly pages: number;
  /** Most pages that it may have, and pages claimed for it and not yet handed out. */
  readonly max_pages: number;
  readonly claimed: number;
  /** What XENMEM_set_memory_map stored: [address, size, type]; null before. */
  readonly memory_map: readonly (readonly [address: string, size: string, type: number])[] | null;
  readonly shared_info: number;
  /** Reason of SHUTDOWN when the domain is shut down. */
  readonly shutdown: number | null;
  /** Code stored by SCHEDOP_shutdown_code; null when none. */
  readonly shutdown_code: number | null;
  readonly vm_assist: string;
  readonly vcpus: readonly VcpuObservation[];
  /** All ports that are not free, ascending. */
  readonly ports: readonly PortObservation[];
  /** Absent while the domain has the two-level ABI. */
  readonly fifo?: FifoObservation;
  readonly grant_frames: readonly number[];
  /** Version of its grant table and the frames with the marks of use; absent for version 1, which has none. */
  readonly grant_version?: 2;
  readonly status_frames?: readonly number[];
  readonly active_grants: readonly ActiveGrantObservation[];
  readonly maptrack: readonly MaptrackObservation[];
  /** Deadlines in ns of the watchdog slots that are armed, null otherwise. */
  readonly watchdogs: readonly (number | null)[];
  readonly console_bytes: number;
};

export type PcpuObservation = {
  readonly current: VcpuRef | null;
  /** The vCPU whose state it holds, also while it idles (clause tlb/dirty): translations of that one's tables may be cached. */
  readonly holds: VcpuRef | null;
  /** How often it has forgotten all translations since boot. */
  readonly flushes: number;
};

export type Observation = {
  readonly now: number;
  /** Steps retired on all CPUs. */
  readonly retired: number;
  /** Reason with which dom0's end stopped the machine. */
  readonly halted: number | null;
  readonly cpus: readonly PcpuObservation[];
  readonly domains: readonly DomainObservation[];
  /** VIRQs that another domain than domain 0 handles, ascending; absent while there are none. */
  readonly virq_handlers?: readonly (readonly [virq: number, domid: number])[];
  /** Digest of all machine memory, and of all frame states (spec/digest.ts). */
  readonly memory: string;
  readonly frames: string;
};

export const FRAME_TYPES = ['none', 'writable', 'l1', 'l2', 'l3', 'l4', 'seg_desc', 'shared'] as const;
export type FrameType = (typeof FRAME_TYPES)[number];

/** State of one machine frame. A frame whose type count is 0 reads as type `none`. */
export type FrameObservation = {
  readonly mfn: number;
  /** Owning domain; null for Xen's own and free frames. */
  readonly owner: number | null;
  /** References; the domain's own allocation counts one. */
  readonly refs: number;
  readonly type: FrameType;
  readonly type_refs: number;
  readonly pinned: boolean;
  /** False once its domain gave it back, or lost it, while something still refers to it; absent: one of `refs` is its allocation's. */
  readonly allocated?: false;
  /** A page table whose validation, or its end, stopped half way: the entries below `entries` count; `nested`: the next one in part. */
  readonly partial: { readonly entries: number; readonly nested: boolean } | null;
};
