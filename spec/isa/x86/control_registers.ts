/**
 * Control and debug registers, bit by bit. Source: Intel SDM volume 3, 2.5 and 17.2; AMD APM volume 2, 3.1 and 13.1. What a change
 * demands or brings is a clause of spec/chapters/cpu_x86_system.md.
 */
import type { CpuidFeature } from './cpuid_features.ts';

export const CR0 = {
  PE: 1 << 0,
  MP: 1 << 1,
  EM: 1 << 2,
  TS: 1 << 3,
  /** Always 1: writes of 0 are lost. */
  ET: 1 << 4,
  NE: 1 << 5,
  WP: 1 << 16,
  AM: 1 << 18,
  NW: 1 << 29,
  CD: 1 << 30,
  PG: 1 << 31,
} as const;
/** CD, NW and ET. */
export const CR0_RESET = 0x60000010;
/** Bits of the low half that hold what is written; others read as 0 (ET as 1), whatever is written. */
export const CR0_WRITABLE = 0xe005002f;

export const CR3 = {
  PWT: 1 << 3,
  PCD: 1 << 4,
  /** With CR4.PCIDE: bits 0 to 11 are the process-context identifier, and bit 63, which is never stored, keeps translations. */
  PCID: 0xfff,
  NOFLUSH_BIT: 63,
} as const;

export const CR4 = {
  VME: 1 << 0,
  PVI: 1 << 1,
  TSD: 1 << 2,
  DE: 1 << 3,
  PSE: 1 << 4,
  PAE: 1 << 5,
  MCE: 1 << 6,
  PGE: 1 << 7,
  PCE: 1 << 8,
  OSFXSR: 1 << 9,
  OSXMMEXCPT: 1 << 10,
  UMIP: 1 << 11,
  LA57: 1 << 12,
  FSGSBASE: 1 << 16,
  PCIDE: 1 << 17,
  OSXSAVE: 1 << 18,
  SMEP: 1 << 20,
  SMAP: 1 << 21,
  PKE: 1 << 22,
} as const;

/**
 * The CPUID feature that brings each bit of CR4; null: every processor. Without the feature the bit is reserved: #GP(0). `not_modelled`:
 * setting the bit stops the machine with NotModelled `cr4/vme` and the like.
 */
export const CR4_FEATURES: Readonly<Record<keyof typeof CR4, { readonly feature: CpuidFeature | null; readonly not_modelled?: true }>> = {
  VME: { feature: 'vme', not_modelled: true },
  PVI: { feature: 'vme', not_modelled: true },
  TSD: { feature: 'tsc' },
  DE: { feature: 'de' },
  PSE: { feature: 'pse' },
  PAE: { feature: 'pae' },
  MCE: { feature: 'mce' },
  PGE: { feature: 'pge' },
  PCE: { feature: null },
  OSFXSR: { feature: 'fxsr' },
  OSXMMEXCPT: { feature: 'sse' },
  UMIP: { feature: 'umip' },
  LA57: { feature: 'la57', not_modelled: true },
  FSGSBASE: { feature: 'fsgsbase' },
  PCIDE: { feature: 'pcid' },
  OSXSAVE: { feature: 'xsave' },
  SMEP: { feature: 'smep' },
  SMAP: { feature: 'smap' },
  PKE: { feature: 'pku', not_modelled: true },
};

/** CR8 holds the upper half of the local APIC's task priority. Other bits: #GP(0). */
export const CR8_WRITABLE = 0xf;

export const EFER = { SCE: 1 << 0, LME: 1 << 8, LMA: 1 << 10, NXE: 1 << 11, SVME: 1 << 12, FFXSR: 1 << 14 } as const;
/** As with CR4. LMA follows CR0.PG and LME: what is written to it is lost. */
export const EFER_FEATURES: Readonly<Record<keyof typeof EFER, { readonly feature: CpuidFeature | null; readonly not_modelled?: true }>> = {
  SCE: { feature: 'syscall' },
  LME: { feature: 'lm' },
  LMA: { feature: 'lm' },
  NXE: { feature: 'nx' },
  SVME: { feature: 'svm', not_modelled: true },
  FFXSR: { feature: 'ffxsr' },
};

/** Bit 0 must be 1. Bits that CPUID's leaf 0xd lacks: #GP(0). AVX (bit 2) needs SSE, and is not modelled: NotModelled `xcr0/avx`. */
export const XCR0 = { X87: 1, SSE: 2, AVX: 4 } as const;
export const XCR0_RESET = 1;

export const DR6 = { B0: 1, B1: 2, B2: 4, B3: 8, BD: 1 << 13, BS: 1 << 14, BT: 1 << 15 } as const;
/** Bits that read as 1 whatever is written. */
export const DR6_FIXED = 0xffff0ff0;
export const DR6_WRITABLE = 0xe00f;
/** AMD's value after reset. */
export const DR6_RESET = 0xffff0ff0;

/** `G_D`: general detect. Breakpoint n: enable bits at 2n and 2n + 1, R/W field at 16 + 4n, LEN field at 18 + 4n. */
export const DR7 = { LE: 1 << 8, GE: 1 << 9, GD: 1 << 13 } as const;
export const DR7_FIXED = 0x400;
export const DR7_WRITABLE = 0xffff23ff;
export const DR7_RESET = 0x400;
/** R/W field: what a breakpoint watches. `io` only with CR4.DE; without it the field means nothing, and the breakpoint never matches. */
export const DR7_RW = { execute: 0, write: 1, io: 2, access: 3 } as const;
/** LEN field to bytes. 8 bytes exist in processors with long mode. Execution breakpoints have LEN 0. */
export const DR7_LENGTH = [1, 2, 8, 4] as const;

/** Debug registers with bits above 31 of DR6 and DR7 refuse them: #GP(0). DR4 and DR5 are DR6 and DR7, #UD with CR4.DE. */
export const DEBUG_REGISTER_ALIASES = { 4: 6, 5: 7 } as const;
