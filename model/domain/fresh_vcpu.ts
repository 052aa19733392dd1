/** A vCPU as Xen allocates it, before anything is known about the guest. */
import { VIRQ } from '#spec/abi/xen.ts';
import { NO_TABLES } from '../cpu/x86/guest_tables.ts';
import { freshCpu } from '../cpu/x86/state.ts';
import type { TrapInfo, Vcpu } from '../vcpu.ts';
import { fromHex, fromNumber, ZERO } from '../word/word.ts';

const NO_TRAP: TrapInfo = { flags: 0, cs: 0, address: ZERO };
/** An empty virtual IDT. */
export const NO_TRAPS: readonly TrapInfo[] = new Array(256).fill(NO_TRAP);

/** The 100 Hz tick that every vCPU starts with, in ns. */
const TICK = 10_000_000;
/** Bit 1 of RFLAGS always reads as one. */
const FIXED_FLAG = 2;
const NR_VIRQS = VIRQ.ARCH_7 + 1;

export const DR6_RESET = fromNumber(0xffff0ff0);
export const DR7_RESET = fromNumber(0x400);
/** x87 and SSE. */
const XCR0_RESET = fromNumber(3);
/** CR4 that a PV guest sees at first: PAE, MCE, OSFXSR, OSXMMEXCPT. */
export const CR4_RESET = fromHex('0x660');

/** vCPU number `id` of domain `domid`, down and without page tables; its vcpu_info is in the shared info frame. */
export const freshVcpu = (domid: number, id: number, sharedInfo: number, tscEmulated = false): Vcpu => ({
  domid,
  id,
  cpu: { ...freshCpu(0, ZERO, [0, 0, 0, 0, 0, 0]), flags: FIXED_FLAG },
  mode: 'kernel',
  wayBack: 'iret',
  flagsAbove: 0,
  initialised: false,
  online: false,
  blocked: false,
  poll: null,
  runstate: { state: 'offline', since: 0, times: [0, 0, 0, 0] },
  kernelTable: 0,
  userTable: 0,
  kernelSs: 0,
  kernelSp: ZERO,
  callbacks: { event: ZERO, failsafe: ZERO, syscall: ZERO, syscall32: ZERO, sysenter: ZERO },
  masking: { failsafe: false, syscall: false, syscall32: false, sysenter: false },
  traps: NO_TRAPS,
  dr: [ZERO, ZERO, ZERO, ZERO, DR6_RESET, DR7_RESET],
  taskSwitched: false,
  iopl: 0,
  tables: NO_TABLES,
  ioBitmap: null,
  cr4: CR4_RESET,
  tscAux: 0,
  mcgStatus: ZERO,
  tscEmulated,
  elsewhere: false,
  xcr0: XCR0_RESET,
  ioBreakpoints: 0,
  cr2: ZERO,
  gsBaseOther: ZERO,
  timers: { period: TICK, lastTick: 0, periodicDeadline: null, singleshot: null, pollDeadline: null },
  virqPorts: new Array(NR_VIRQS).fill(0),
  vcpuInfo: { mfn: sharedInfo, offset: id * 64 },
  infoMoved: false,
  runstateArea: null,
  timeArea: null,
  areasLate: { runstate: false, time: null },
  oldGuestTable: null,
  nmiPending: false,
  nmiMasked: false,
  pinnedTo: null,
});
