/** What system software sets up: mode, control registers, tables, model-specific registers. Immutable. */
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { type Word, word, ZERO } from '../../../word/word.ts';
import type { GuestTables } from '../guest_tables.ts';

/** A table register: where the table begins, and its last offset. */
export type Table = { readonly base: Word; readonly limit: number };

/** LDTR and TR: a selector with its hidden part. */
export type SystemSegment = {
  readonly selector: number;
  readonly base: Word;
  readonly limit: number;
  readonly rights: number;
  readonly usable: boolean;
};

export type SystemState = {
  /** `pv`: a guest of Xen in ring 3, whose system state is Xen's; `bare`: the machine's own. */
  readonly kind: 'pv' | 'bare';
  /** Follows from CR0, EFER, RFLAGS.VM and CS: whoever changes one of them sets it. */
  readonly mode: X86Mode;
  readonly cpl: number;
  readonly cr0: number;
  readonly cr2: Word;
  readonly cr3: Word;
  readonly cr4: number;
  readonly cr8: number;
  readonly efer: number;
  readonly xcr0: Word;
  /** Under Xen: the state of x87, MMX and SSE is not the guest's yet, and CR0.TS is set until an instruction wants it. */
  readonly fpuAside: boolean;
  /** DR0 DR1 DR2 DR3 DR6 DR7. */
  readonly dr: readonly Word[];
  /** The descriptor tables of a PV guest; absent: none of its own. */
  readonly tables?: GuestTables;
  readonly gdtr: Table;
  readonly idtr: Table;
  readonly ldtr: SystemSegment;
  readonly tr: SystemSegment;
  /** Model-specific registers that hold state and have no field of their own. */
  readonly msrs: ReadonlyMap<number, Word>;
  /** Interrupts are held off for one instruction: after STI, after a load of SS. */
  readonly shadow: 'none' | 'sti' | 'ss';
  readonly activity: 'running' | 'halted' | 'shutdown';
  readonly nmiBlocked: boolean;
};

export const CR0 = {
  PE: 1,
  MP: 2,
  EM: 4,
  TS: 8,
  ET: 0x10,
  NE: 0x20,
  WP: 0x10000,
  AM: 0x40000,
  NW: 1 << 29,
  CD: 1 << 30,
  PG: 1 << 31,
} as const;
export const CR4 = {
  VME: 1,
  PVI: 2,
  TSD: 4,
  DE: 8,
  PSE: 0x10,
  PAE: 0x20,
  MCE: 0x40,
  PGE: 0x80,
  PCE: 0x100,
  OSFXSR: 0x200,
  OSXMMEXCPT: 0x400,
  UMIP: 0x800,
  FSGSBASE: 0x10000,
  PCIDE: 0x20000,
  OSXSAVE: 0x40000,
  SMEP: 0x100000,
  SMAP: 0x200000,
} as const;

const UNUSABLE: SystemSegment = { selector: 0, base: ZERO, limit: 0, rights: 0, usable: false };
const EMPTY_TABLE: Table = { base: ZERO, limit: 0 };
/** A table of Xen's at an address that nobody can tell. */
export const UNKNOWN_TABLE: Table = { base: ZERO, limit: -1 };

/** Under Xen: 64-bit code in ring 3, with the control registers that Xen runs a PV guest on. */
export const PV_SYSTEM: SystemState = {
  kind: 'pv',
  mode: '64',
  cpl: 3,
  cr0: CR0.PG | CR0.AM | CR0.WP | CR0.NE | CR0.ET | CR0.MP | CR0.PE,
  cr2: ZERO,
  cr3: ZERO,
  cr4: CR4.PAE | CR4.MCE | CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.FSGSBASE | CR4.OSXSAVE,
  cr8: 0,
  efer: 0xd01,
  xcr0: word(0, 3),
  fpuAside: false,
  dr: new Array<Word>(6).fill(ZERO),
  gdtr: EMPTY_TABLE,
  idtr: UNKNOWN_TABLE,
  ldtr: UNUSABLE,
  tr: UNUSABLE,
  msrs: new Map(),
  shadow: 'none',
  activity: 'running',
  nmiBlocked: false,
};
