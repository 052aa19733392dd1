/** A virtual CPU as Xen keeps it. The guest's registers live in `cpu`. */
import { NR_VIRQS, RUNSTATE } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { GuestCpu } from '../cpu/interface.ts';
import type { Domain } from './domain.ts';
import type { SyscallEntry } from './trap/syscall_entry.ts';
import { U64 } from './u64.ts';

const DR6_DEFAULT = 0xffff0ff0 | 0;
const DR7_DEFAULT = 0x400;
/** Two banks. */
const MCG_CAP_AT_FIRST = 2n;

/** Bits of `Vcpu.pauseFlags`: why a vCPU cannot run. */
export const VPF = { blocked: 1, down: 2, polling: 4 } as const;

/** Where runstate or time is to be copied: an address in the domain's own space. */
export type GuestArea = { lo: number; hi: number };

export class Vcpu {
  readonly domain: Domain;
  readonly id: number;
  readonly ref: VcpuRef;
  readonly cpu: GuestCpu;

  initialised = false;
  kernelMode = true;
  /** pCPU that SCHEDOP_pin_override chose, -1 when none; and that it has to go there. */
  pinnedTo = -1;
  mustMove = false;
  /** pCPUs on which it may run, and on which it should; null: on all. */
  hardAffinity: bigint | null = null;
  softAffinity: bigint | null = null;
  /** pCPU that holds it, -1 when none. */
  processor = -1;
  /** pCPU that has its segment registers loaded, -1 when none. */
  loadedOn = -1;
  pauseFlags: number = VPF.down;

  /** GS base of the mode that is not active. */
  readonly gsBaseOther = new U64();
  /** Frames of the top-level tables; 0 when none. */
  kernelTable = 0;
  userTable = 0;
  /**
   * A page table whose type reference is still to be dropped, by the next memory management call of this vCPU; -1 when none. `Partial`: it was
   * validated up to a point. `Ptpg`: the table of the same kind that referred to it, -1 when none.
   */
  oldGuestTable = -1;
  oldGuestTablePartial = true;
  oldGuestPtpg = -1;
  /** Descriptors in the guest's part of the GDT; the tables themselves stand in `cpu.tables`. */
  gdtEntries = 0;
  kernelSs = 0;
  readonly kernelSp = new U64();
  readonly eventCallback = new U64();
  readonly failsafeCallback = new U64();
  readonly syscallCallback = new U64();
  readonly syscall32Callback = new U64();
  readonly sysenterCallback = new U64();
  /** Code segments of callbacks: of vCPUs of 32-bit domains only. */
  eventCallbackCs = 0;
  failsafeCallbackCs = 0;
  syscall32CallbackCs = 0;
  sysenterCallbackCs = 0;
  failsafeDisablesEvents = false;
  syscallDisablesEvents = false;
  syscall32DisablesEvents = false;
  sysenterDisablesEvents = false;

  /** Virtual IDT: one column a field. */
  readonly trapVector = new Uint8Array(256);
  readonly trapFlags = new Uint8Array(256);
  readonly trapCs = new Uint16Array(256);
  readonly trapLo = new Int32Array(256);
  readonly trapHi = new Int32Array(256);

  /** DR0..DR3 as halves; DR6, DR7. */
  readonly dr = new Int32Array(8);
  dr6: number = DR6_DEFAULT;
  dr7: number = DR7_DEFAULT;
  /** Enables of breakpoints on I/O, as in DR7: Xen looks after these itself, and `dr7` lacks them. */
  dr7Io = 0;
  /** Breakpoints on I/O that the instruction at work has hit, as bits of DR6. */
  breakpointHits = 0;
  taskSwitched = false;
  iopl = 0;
  /** The kernel's bitmap of ports, and how many it is about; null until it is named. */
  ioBitmap: { readonly lo: number; readonly hi: number; readonly ports: number } | null = null;
  /** Guest-controlled bits of CR4. */
  cr4 = 0;
  /** Of the context that it was given last: its flags, and control registers that nothing looks at (CR5 to CR7). */
  readonly contextFlags = new U64();
  unusedControl: readonly bigint[] = [0n, 0n, 0n];
  /** It has used x87 or SSE registers, or was given some. */
  fpuUsed = false;
  /** Components of its state that it ever chose by XSETBV. */
  statesUsed = 0;
  /** CR2 as Xen stores it for the guest. */
  readonly cr2 = new U64();

  /** MCG_STATUS; MCG_CAP, the banks' second control registers and MCG_EXT_CTL, which XEN_DOMCTL_set_ext_vcpucontext sets. */
  mcgStatus = 0n;
  mcgCap = MCG_CAP_AT_FIRST;
  mciCtl2: readonly [bank0: bigint, bank1: bigint] = [0n, 0n];
  mcgExtCtl = 0n;

  nmiPending = false;
  /** An NMI frame was pushed and no iret made since. */
  nmiMasked = false;

  /** How its SYSCALLs are carried out; null until it runs. */
  entry: SyscallEntry | null = null;
  /** Xen holds the vCPU between an entry from the guest and the return to it; the fields below say how it will return. */
  inXen = false;
  /** The return is by SYSRET: RCX and R11 are lost, CS and SS are flat. Else by IRET. */
  exitBySysret = false;
  /** The saved flags as they are, bits that no CPU would keep included. */
  readonly savedFlags = new U64();
  /** The saved selectors of code and stack. */
  savedCs = 0;
  savedSs = 0;
  /** An exception that waits for its frame: vector, -1 for none; error code, -1 for none. */
  pendingVector = -1;
  pendingError = -1;

  /** Machine address of its vcpu_info. */
  infoMfn = 0;
  infoOffset = 0;
  infoRegistered = false;

  readonly virqPort = new Int32Array(NR_VIRQS);
  /** SCHEDOP_poll: -1 several ports, 0 none, else the port. */
  pollPort = 0;

  runstate: number = RUNSTATE.offline;
  /** Time in ns at which the current runstate began, and the time spent in each. */
  runstateEntry = 0;
  readonly runstateTime = new Float64Array(4);
  runstateArea: GuestArea | null = null;
  timeArea: GuestArea | null = null;
  runstateUpdatePending = false;
  lateTime: DataView | null = null;

  /** Timers, ns; null when stopped. `periodicDue` is armed only while the vCPU holds a pCPU. */
  periodicPeriod: number | null = null;
  periodicLast = 0;
  periodicDue: number | null = null;
  singleshot: number | null = null;
  pollDeadline: number | null = null;

  constructor(domain: Domain, id: number, cpu: GuestCpu) {
    this.domain = domain;
    this.id = id;
    this.cpu = cpu;
    this.ref = { domid: domain.domid, vcpu: id };
  }
}
