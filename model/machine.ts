/**
 * The whole hypervisor machine as one immutable value. `step` (model/step.ts) maps a machine and an input to the next machine;
 * every older machine stays valid. Small lenses to change parts of it stand in model/lens.ts.
 */
import type { MachineConfig } from '#spec/config.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Domain } from './domain.ts';
import type { FrameTable } from './frame_table.ts';
import type { Journal } from './journal.ts';
import type { Memory } from './memory/memory.ts';
import type { Tlb } from './tlb.ts';

/** What one physical CPU does: the vCPU it holds, or nothing (idle). */
export type Pcpu = {
  readonly current: VcpuRef | null;
  /** Whose segment registers it still has, while it is idle too: the vCPU that ran last. */
  readonly loaded?: VcpuRef | null;
};

/**
 * Least time that a vCPU runs (µs), events that are traced, deepest idle states, whether threads of a core are preferred: nothing but the answers to
 * domain 0 depends on them. Absent = as at first.
 */
export type Tuning = {
  readonly ratelimit?: number;
  readonly traced?: number;
  readonly cstates?: readonly number[];
  readonly smt?: number;
};

export type Machine = {
  readonly config: MachineConfig;
  /** Xen's system time: nanoseconds since boot. */
  readonly now: number;
  /** Steps retired on all CPUs since boot, and how many of them before the last time input (for the TSC). */
  readonly retired: number;
  readonly retiredAtTime: number;
  /** SHUTDOWN reason when dom0's end stopped the machine. */
  readonly halted: number | null;
  readonly cpus: readonly Pcpu[];
  /** Ascending by domid. */
  readonly domains: readonly Domain[];
  readonly memory: Memory;
  readonly frames: FrameTable;
  readonly tlb: Tlb;
  /** Next frame that Xen's own heap hands out. */
  readonly xenheapNext: number;
  /** Frames of it that were given back, the last one first to be handed out again; absent = none. */
  readonly xenheapFree?: readonly number[];
  /** Frames of domain memory that nobody has, and a frame below which there is none of them. */
  readonly freeFrames: number;
  readonly freeFrom: number;
  /** System time of the last refresh of the running vCPUs' time records. */
  readonly timeRefreshed: number;
  /** Characters typed at Xen's console and not yet read by CONSOLEIO_read. */
  readonly consoleInput: string;
  /** Settings of Xen that domain 0 wrote by hypfs_op, by name; absent = as at first. */
  readonly settings?: ReadonlyMap<string, Uint8Array>;
  /** Lines of the I/O APIC that were set up; absent = those of Xen alone. */
  readonly lines?: readonly number[];
  /** Domains that set_virq_handler named, by VIRQ; absent = domain 0. */
  readonly virqHandlers?: ReadonlyMap<number, number>;
  /** Xen's time of day at system time 0, as `settime` set it; absent = the configuration's. */
  readonly wallclock?: { readonly seconds: bigint; readonly nanoseconds: number };
  /** Bits of the kinds of kexec images whose second place counts; absent = 0. */
  readonly kexec?: number;
  /** Domain 0 is the primary profiler. */
  readonly profiled?: boolean;
  /** What domain 0 set by sysctl; absent = as at first. */
  readonly tuning?: Tuning;
  /** The step so far made the vCPU that runs give up its pCPU (Xen's schedule softirq is pending); false between steps. */
  readonly reschedule: boolean;
  /** Questions, asked by long operations since the input began, whether they should stop; and the numbers of those that the input answers yes. */
  readonly questions: number;
  readonly forced: readonly number[];
  /** What stands in the translation area (model/hypercall/compat/translation.ts) while a structure of a 32-bit caller is worked on; null otherwise. */
  readonly translation: Uint8Array | null;
  /** What happened since the input began; empty between inputs. */
  readonly journal: Journal;
};
