/** What one vCPU's processor holds while the guest runs. All of it immutable: an instruction makes a new one. */
import { type Word, ZERO } from '../../word/word.ts';
import { type Fpu, FRESH_FPU } from './fpu/state.ts';
import { PV_SYSTEM, type SystemState } from './system/state.ts';

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

/** The hidden part of a segment register, as spec/isa/x86/cpu_observation.ts tells it. */
export type Hidden = {
  /** 0 for FS and GS, whose bases stand in `fsBase` and `gsBase`. */
  readonly base: Word;
  /** The last offset inside, unsigned. */
  readonly limit: number;
  readonly rights: number;
  /** False after a null selector. */
  readonly usable: boolean;
};

/** What changes seldom: segments and the root of the page tables. */
export type Segments = {
  /** Selectors ES CS SS DS FS GS, in the encoding's order. */
  readonly selectors: readonly number[];
  readonly fsBase: Word;
  /** The GS base that is active now; the other mode's is kept by the vCPU. */
  readonly gsBase: Word;
  /** Of all six, in the encoding's order. 64-bit mode looks at none of it. */
  readonly hidden: readonly Hidden[];
  /** Machine frame of the top-level page table of a PV guest. The bare machine has `system.cr3`. */
  readonly root: number;
};

/** A segment register with its hidden part; `base` is the real one, FS's and GS's too. */
export type Segment = Hidden & { readonly selector: number };

export const segmentOf = ({ selectors, hidden, fsBase, gsBase }: Segments, register: number): Segment => ({
  ...hidden[register],
  base: register === FS ? fsBase : register === GS ? gsBase : hidden[register].base,
  selector: selectors[register],
});

export const withSegment = (segments: Segments, register: number, { selector, base, limit, rights, usable }: Segment): Segments => {
  const selectors = segments.selectors.slice();
  const hidden = segments.hidden.slice();
  selectors[register] = selector;
  hidden[register] = { base: register === FS || register === GS ? ZERO : base, limit, rights, usable };
  const changed = { ...segments, selectors, hidden };
  if (register === FS) return { ...changed, fsBase: base };
  return register === GS ? { ...changed, gsBase: base } : changed;
};

export type CpuState = {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8 .. R15. */
  readonly regs: readonly Word[];
  readonly rip: Word;
  /** The real RFLAGS in ring 3: IF set, IOPL 0, bit 1 set. */
  readonly flags: number;
  readonly segments: Segments;
  readonly fpu: Fpu;
  readonly system: SystemState;
};

/** RFLAGS of a vCPU that has done nothing yet: IF and the fixed bit. */
export const INITIAL_FLAGS = 0x202;

/** Bits of a hidden part's rights. `rights & RIGHTS.TYPE` of code: 8, conforming 4, readable 2; of data: expand-down 4, writable 2. */
export const RIGHTS = {
  TYPE: 15,
  ACCESSED: 1,
  WRITABLE: 2,
  READABLE: 2,
  EXPAND_DOWN: 4,
  CODE: 8,
  S: 0x10,
  DPL: 0x60,
  P: 0x80,
  L: 0x2000,
  BIG: 0x4000,
} as const;

const flat = (rights: number): Hidden => ({ base: ZERO, limit: 0xffffffff, rights, usable: true });
/** Xen's flat segments for ring 3: data, 64-bit code and 32-bit code. */
export const FLAT_DATA: Hidden = flat(0xc0f3);
export const FLAT_CODE64: Hidden = flat(0xa0fb);
export const FLAT_CODE32: Hidden = flat(0xc0fb);
/** The hidden part after a null selector. */
export const UNUSABLE: Hidden = { base: ZERO, limit: 0, rights: 0, usable: false };

const freshHidden = (selector: number, register: number): Hidden => {
  if (register === CS) return FLAT_CODE64;
  return selector > 3 || register === SS ? FLAT_DATA : UNUSABLE;
};

/** A PV guest's processor with all registers zero, at `rip`, on the tables under `root`. Selectors are set by the domain builder. */
export const freshCpu = (root: number, rip: Word, selectors: readonly number[]): CpuState => ({
  regs: new Array<Word>(16).fill(ZERO),
  rip,
  flags: INITIAL_FLAGS,
  segments: { selectors, fsBase: ZERO, gsBase: ZERO, hidden: selectors.map(freshHidden), root },
  fpu: FRESH_FPU,
  system: PV_SYSTEM,
});
