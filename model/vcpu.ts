/** One virtual CPU: what the guest can see of its processor, and what Xen keeps beside it. */
import type { GuestTables } from './cpu/x86/guest_tables.ts';
import type { CpuState } from './cpu/x86/state.ts';
import type { Word } from './word/word.ts';

export type RunstateName = 'running' | 'runnable' | 'blocked' | 'offline';
export const RUNSTATES = ['running', 'runnable', 'blocked', 'offline'] as const;

/** Current runstate, since when (ns), and the time spent in each of RUNSTATES before that. */
export type Runstate = { readonly state: RunstateName; readonly since: number; readonly times: readonly [number, number, number, number] };

/** An entry of the virtual IDT. `flags`: TI_* bits. `named`: the vector that a context gave it, wherever it stood; absent = its place. */
export type TrapInfo = { readonly flags: number; readonly cs: number; readonly address: Word; readonly named?: number };

/** Entry points that the guest registered; null address = none. The NMI callback is entry 2 of the virtual IDT. */
export type CallbackName = 'event' | 'failsafe' | 'syscall' | 'syscall32' | 'sysenter';
export type Callbacks = Readonly<Record<CallbackName, Word>>;

/** SCHEDOP_poll: Xen remembers one port (-1 when several are polled, or none) and wakes the vCPU when it is raised. */
export type Poll = { readonly port: number };

export type Timers = {
  /** Period in ns, 0 when stopped, and the time of the last tick. */
  readonly period: number;
  readonly lastTick: number;
  /** Deadline of the running periodic timer; null when it does not run (Xen stops it while the vCPU runs nowhere). */
  readonly periodicDeadline: number | null;
  readonly singleshot: number | null;
  /** Deadline of the last SCHEDOP_poll that gave one; it stays armed until it fires. */
  readonly pollDeadline: number | null;
};

/**
 * A page table whose giving back was put off: `table` is the page table whose entry held it, if one did; `partial`: it stopped
 * half way, in its validation or in being given back.
 */
export type OldGuestTable = { readonly mfn: number; readonly table: number | null; readonly partial: boolean };

export type Vcpu = {
  readonly domid: number;
  readonly id: number;
  readonly cpu: CpuState;
  readonly mode: 'kernel' | 'user';
  /** By which instruction Xen gives the processor back to it; `iret` while it runs (`trap/return-held`). */
  readonly wayBack: 'sysret' | 'iret';
  /** The upper half of the flags that it is to go back with (`iret/frame-flags_above`). */
  readonly flagsAbove: number;
  readonly initialised: boolean;
  /** VCPUOP_up was done (or it is vCPU 0). */
  readonly online: boolean;
  /** Waits in SCHEDOP_block, or in SCHEDOP_poll when `poll` is set too. */
  readonly blocked: boolean;
  readonly poll: Poll | null;
  readonly runstate: Runstate;
  /** Frames of the top-level page tables; 0 = none. */
  readonly kernelTable: number;
  readonly userTable: number;
  /** Stack that an entry from user mode switches to. */
  readonly kernelSs: number;
  readonly kernelSp: Word;
  readonly callbacks: Callbacks;
  /** Of a 32-bit domain: code selectors of the callbacks; absent: a 64-bit one's have none. */
  readonly callbackCs?: Readonly<Record<CallbackName, number>>;
  /** Callbacks whose frames mask events. */
  readonly masking: { readonly failsafe: boolean; readonly syscall: boolean; readonly syscall32: boolean; readonly sysenter: boolean };
  /** Virtual IDT, 256 entries. */
  readonly traps: readonly TrapInfo[];
  /** DR0..DR3, DR6, DR7. */
  readonly dr: readonly Word[];
  /** CR0.TS as the guest set it. */
  readonly taskSwitched: boolean;
  readonly iopl: number;
  readonly tables: GuestTables;
  /** PHYSDEVOP_set_iobitmap: where the bitmap is, and for how many ports; null = none. */
  readonly ioBitmap: { readonly address: Word; readonly ports: number } | null;
  readonly cr4: Word;
  /** TSC_AUX, 32 bits; the machine-check status that the guest wrote. */
  readonly tscAux: number;
  readonly mcgStatus: Word;
  /** Xen reads the time-stamp counter for it. */
  readonly tscEmulated: boolean;
  /** It was put on another pCPU than the first one. */
  readonly elsewhere: boolean;
  /** XCR0: which state the XSAVE family manages. */
  readonly xcr0: Word;
  /** It chose components of the extended state by XSETBV, whichever; absent = never. */
  readonly choseState?: true;
  /** Enables of DR7 for breakpoints on ports, which Xen watches itself: bits 0 to 7. */
  readonly ioBreakpoints: number;
  /** CR2 as the last reflected page fault left it. */
  readonly cr2: Word;
  /** GS base of the mode that the vCPU is not in. */
  readonly gsBaseOther: Word;
  readonly timers: Timers;
  /** Port that each of the 24 VIRQs of this vCPU is bound to; 0 = none. Global VIRQs live on the vCPU that they notify first. */
  readonly virqPorts: readonly number[];
  readonly vcpuInfo: { readonly mfn: number; readonly offset: number };
  /** The record was moved out of the shared info page, which can be done once. */
  readonly infoMoved: boolean;
  /** Guest addresses where runstate and time are copied to; null = none. */
  readonly runstateArea: Word | null;
  readonly timeArea: Word | null;
  /** Records that could not be written while the user's page tables were in use. */
  readonly areasLate: { readonly runstate: boolean; readonly time: Uint8Array | null };
  /** A page table that is still to be given back, when this vCPU's continuation comes (`mmu/deferred`). */
  readonly oldGuestTable: OldGuestTable | null;
  readonly nmiPending: boolean;
  /** An NMI frame was pushed and the iret hypercall that ends it has not come yet. */
  readonly nmiMasked: boolean;
  /** Selectors that set_ext_vcpucontext stored for entry points of a 64-bit domain, and registers of machine checks; absent = as at first. */
  readonly extCs?: { readonly syscall32: number; readonly sysenter: number };
  readonly machineChecks?: { readonly caps: Word; readonly ctl2: readonly [Word, Word]; readonly extCtl: Word };
  /** Flags of the context that it began with, and control registers 5 to 7 of it, which mean nothing; absent = zeros (`domctl/getvcpucontext-told`). */
  readonly contextFlags?: Word;
  readonly unusedControl?: readonly Word[];
  /** Whether it has used x87, MMX or SSE before it was put on its pCPU the last time; absent = it never was put on one. */
  readonly fpuUsed?: boolean;
  /** pCPUs on which it would rather run, as a mask; absent = all. */
  readonly softAffinity?: bigint;
  /** pCPU that SCHEDOP_pin_override pinned it to. */
  readonly pinnedTo: number | null;
};
