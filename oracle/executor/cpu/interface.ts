/** What the hypervisor side of the executor sees of a CPU: one for each vCPU. Values of 64 bits are unsigned bigints. */
import type { Capture } from './capture.ts';
import type { DescriptorTables } from './descriptor_tables.ts';
import type { Exit } from './exit.ts';
import type { Instruction } from './instruction.ts';
import type { XenSide } from './pv_entry.ts';
import type { Access, Translation } from './walk.ts';

/** Numbers of the general registers in the encoding's order. */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;

/** Numbers of the segment registers in the encoding's order. */
export const ES = 0;
export const CS = 1;
export const SS_REG = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;

/** Who carries out SYSCALLs of 64-bit code while the CPU runs. */
export interface SyscallServer {
  /** The SYSCALL is done, `retired` steps into the run, it included. True: the guest goes on at RIP; false: the run is to end. */
  serve(retired: number): boolean;
}

export interface GuestCpu {
  /** The register file (layout.ts). */
  readonly s: Int32Array;
  /** Frame of the top-level page table in use. Setting it is cheap; translations are kept for several roots. */
  root: number;
  rip: bigint;
  /** The same by int32 halves. */
  ripLo(): number;
  ripHi(): number;
  setRipHalves(lo: number, hi: number): void;
  /** All defined bits; writing keeps what is written and sets bit 1. */
  rflags: bigint;
  /** The same as an int32. */
  flags: number;
  fsBase: bigint;
  gsBase: bigint;
  gpr(register: number): bigint;
  setGpr(register: number, value: bigint): void;
  /** The same by int32 halves, for paths where a bigint costs too much. */
  gprLo(register: number): number;
  gprHi(register: number): number;
  setGprHalves(register: number, lo: number, hi: number): void;
  /** Selector of a segment register. Setting one here loads nothing (bases stay): see `fsBase`, `gsBase`. */
  selector(segment: number): number;
  setSelector(segment: number, value: number): void;
  /** Model-specific registers that have no place of their own, by number; absent: 0. */
  readonly msrs: Map<number, bigint>;
  /** Where descriptors come from. */
  readonly tables: DescriptorTables;
  /** In code of 32 or 16 bits: `ip` is the instruction pointer, an offset in CS, while `rip` is linear. */
  readonly legacy: boolean;
  ip: number;
  /** What Xen does to it. */
  readonly xen: XenSide;
  /** Breakpoints are enabled. */
  readonly breaking: boolean;
  /** Why the #DB came that ended the last run, as bits of DR6. */
  readonly causes: number;
  /** The fault that the last attempt of Xen's ended in. */
  readonly faultVector: number;
  readonly faultError: number | null;
  readonly faultAddress: bigint | null;
  /** CR0.TS of the processor: while set, FPU instructions raise #NM. */
  taskSwitched: boolean;
  /** CR4.FSGSBASE: while clear, RDFSBASE and its like are #UD. */
  basesByInstruction: boolean;
  /** New x87, MMX and SSE state: fx_image.ts. */
  loadFpu(image: Uint8Array | null): void;
  /** RDTSC at the first step of the next `run` is the sum of the two, modulo 2^64; it grows by one a step. */
  tsc: bigint;
  tscSteps: number;
  /** Null: each SYSCALL ends the run. */
  server: SyscallServer | null;
  /** Take up to `steps` steps (1 to 2^30). Ends early as `Exit` says. */
  run(steps: number): Exit;
  /** Take one step in which offsets in segments are addresses and what the instruction writes to memory is caught, not done. */
  runCaptured(capture: Capture): Exit;
  /** Walk the tables for an address now, setting accessed and dirty bits. A non-canonical address reads as not present. */
  translate(root: number, address: bigint, access: Access): Translation;
  /** Fetch and decode the instruction at RIP, for an emulator of privileged ones; null when it cannot be fetched. */
  instruction(): Instruction | null;
  /** Where the last `instruction()` that answered null met a page fault; null when it was another fault. */
  fetchFault(): bigint | null;
  /** Linear address of the instruction's memory operand. */
  operandAddress(instruction: Instruction): bigint;
}
