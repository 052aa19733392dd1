/** What one vCPU's processor holds while the guest runs. All of it immutable: an instruction makes a new one. */
import { type Word, ZERO } from '../../word/word.ts';

/** Numbers of the general registers, as instructions encode them. */
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

/** Numbers of the segment registers, as instructions encode them. */
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;

/** What changes seldom: segments and the root of the page tables. */
export type Segments = {
  /** Selectors ES CS SS DS FS GS, in the encoding's order. */
  readonly selectors: readonly number[];
  readonly fsBase: Word;
  /** The GS base that is active now; the other mode's is kept by the vCPU. */
  readonly gsBase: Word;
  /** Machine frame of the top-level page table (CR3). */
  readonly root: number;
};

export type CpuState = {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8 .. R15. */
  readonly regs: readonly Word[];
  readonly rip: Word;
  /** The real RFLAGS in ring 3: IF set, IOPL 0, bit 1 set. */
  readonly flags: number;
  readonly segments: Segments;
};

/** RFLAGS of a vCPU that has done nothing yet: IF and the fixed bit. */
export const INITIAL_FLAGS = 0x202;

/** A processor with all registers zero, at `rip`, on the tables under `root`. Selectors are set by the domain builder. */
export const freshCpu = (root: number, rip: Word, selectors: readonly number[]): CpuState => ({
  regs: new Array<Word>(16).fill(ZERO),
  rip,
  flags: INITIAL_FLAGS,
  segments: { selectors, fsBase: ZERO, gsBase: ZERO, root },
});

export const withReg = (cpu: CpuState, index: number, value: Word): CpuState => {
  const regs = cpu.regs.slice();
  regs[index] = value;
  return { ...cpu, regs };
};
