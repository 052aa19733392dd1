/**
 * Model-specific registers of the bare machine. A number that has no row here, or whose feature CPUID lacks, is #GP(0) for RDMSR and
 * WRMSR alike. Source: Intel SDM volume 4; AMD APM volume 2, appendix A.
 */
import type { CpuidFeature } from './cpuid_features.ts';

/**
 * What a written value must be besides its reserved bits, else #GP(0). `canonical`: a canonical address. `memory_types`: eight bytes
 * that each name one of `types`. `memory_type`: bits 0 to 7 name one.
 */
export type MsrCheck = 'canonical' | 'memory_types' | 'memory_type';

export type MsrRow = {
  readonly number: number;
  readonly name: string;
  /** Value after reset, as hex. */
  readonly reset: string;
  /** Bits that hold what is written. `all`: every bit. `physical`: also bits 12 up to the physical address width. */
  readonly writable: string;
  readonly physical?: true;
  /** Bits that may be written and are lost. Every other bit that is not writable is reserved: writing 1 is #GP(0). */
  readonly ignored?: string;
  /** Every write is #GP(0). */
  readonly read_only?: true;
  readonly check?: MsrCheck;
  readonly types?: readonly number[];
  readonly feature?: CpuidFeature;
  /**
   * What else the register is. `state`: nothing, it is kept. `tsc`: the time-stamp counter; what is kept (and observed) is its distance
   * from the machine's own count. `efer`, `fs_base`, `gs_base`, `tsc_aux`, `star` …: read by the instructions of that name.
   * `apic_base`: another address than 0xfee00000, x2APIC, or a disabled APIC stop with NotModelled `msr/apic_base`.
   * `debugctl`: values other than 0 stop with NotModelled `msr/debugctl`.
   */
  readonly effect:
    | 'state'
    | 'tsc'
    | 'efer'
    | 'fs_base'
    | 'gs_base'
    | 'kernel_gs_base'
    | 'tsc_aux'
    | 'syscall'
    | 'sysenter'
    | 'apic_base'
    | 'debugctl';
};

const ALL = '0xffffffffffffffff';
const LOW = '0xffffffff';
const HIGH = '0xffffffff00000000';

/** Memory types of an MTRR: uncacheable, write-combining, write-through, write-protected, write-back. PAT has UC- (7) too. */
export const MTRR_TYPES = [0, 1, 4, 5, 6] as const;
export const PAT_TYPES = [0, 1, 4, 5, 6, 7] as const;
const VARIABLE_MTRRS = 8;

const fixedMtrr = (number: number, name: string): MsrRow => ({
  number,
  name,
  reset: '0x0',
  writable: ALL,
  check: 'memory_types',
  types: MTRR_TYPES,
  feature: 'mtrr',
  effect: 'state',
});

const variableMtrr = (n: number): readonly MsrRow[] => [
  {
    number: 0x200 + 2 * n,
    name: `MTRRphysBase${n}`,
    reset: '0x0',
    writable: '0xff',
    physical: true,
    check: 'memory_type',
    types: MTRR_TYPES,
    feature: 'mtrr',
    effect: 'state',
  },
  { number: 0x201 + 2 * n, name: `MTRRphysMask${n}`, reset: '0x0', writable: '0x800', physical: true, feature: 'mtrr', effect: 'state' },
];

export const MSRS: readonly MsrRow[] = [
  { number: 0x10, name: 'TSC', reset: '0x0', writable: ALL, feature: 'tsc', effect: 'tsc' },
  { number: 0x1b, name: 'APIC_BASE', reset: '0xfee00900', writable: '0x900', physical: true, feature: 'apic', effect: 'apic_base' },
  { number: 0x8b, name: 'PATCH_LEVEL', reset: '0x1000065', writable: '0x0', read_only: true, effect: 'state' },
  { number: 0xfe, name: 'MTRRcap', reset: '0x508', writable: '0x0', read_only: true, feature: 'mtrr', effect: 'state' },
  {
    number: 0x174,
    name: 'SYSENTER_CS',
    reset: '0x0',
    writable: '0xffff',
    ignored: '0xffffffffffff0000',
    feature: 'sep',
    effect: 'sysenter',
  },
  { number: 0x175, name: 'SYSENTER_ESP', reset: '0x0', writable: LOW, ignored: HIGH, feature: 'sep', effect: 'sysenter' },
  { number: 0x176, name: 'SYSENTER_EIP', reset: '0x0', writable: LOW, ignored: HIGH, feature: 'sep', effect: 'sysenter' },
  { number: 0x179, name: 'MCG_CAP', reset: '0x0', writable: '0x0', read_only: true, feature: 'mca', effect: 'state' },
  { number: 0x17a, name: 'MCG_STATUS', reset: '0x0', writable: '0x7', feature: 'mca', effect: 'state' },
  { number: 0x1d9, name: 'DEBUGCTL', reset: '0x0', writable: '0x3f', effect: 'debugctl' },
  ...Array.from({ length: VARIABLE_MTRRS }, (_, n) => variableMtrr(n)).flat(),
  fixedMtrr(0x250, 'MTRRfix64K_00000'),
  fixedMtrr(0x258, 'MTRRfix16K_80000'),
  fixedMtrr(0x259, 'MTRRfix16K_A0000'),
  ...Array.from({ length: 8 }, (_, n) => fixedMtrr(0x268 + n, `MTRRfix4K_${(0xc0000 + n * 0x8000).toString(16).toUpperCase()}`)),
  {
    number: 0x277,
    name: 'PAT',
    reset: '0x7040600070406',
    writable: ALL,
    check: 'memory_types',
    types: PAT_TYPES,
    feature: 'pat',
    effect: 'state',
  },
  {
    number: 0x2ff,
    name: 'MTRRdefType',
    reset: '0x0',
    writable: '0xcff',
    check: 'memory_type',
    types: MTRR_TYPES,
    feature: 'mtrr',
    effect: 'state',
  },
  // Reserved bits and what a change demands: control_registers.ts.
  { number: 0xc0000080, name: 'EFER', reset: '0x0', writable: '0x5901', effect: 'efer' },
  { number: 0xc0000081, name: 'STAR', reset: '0x0', writable: ALL, feature: 'syscall', effect: 'syscall' },
  { number: 0xc0000082, name: 'LSTAR', reset: '0x0', writable: ALL, check: 'canonical', feature: 'lm', effect: 'syscall' },
  { number: 0xc0000083, name: 'CSTAR', reset: '0x0', writable: ALL, check: 'canonical', feature: 'lm', effect: 'syscall' },
  { number: 0xc0000084, name: 'SFMASK', reset: '0x0', writable: LOW, ignored: HIGH, feature: 'lm', effect: 'syscall' },
  { number: 0xc0000100, name: 'FS_BASE', reset: '0x0', writable: ALL, check: 'canonical', feature: 'lm', effect: 'fs_base' },
  { number: 0xc0000101, name: 'GS_BASE', reset: '0x0', writable: ALL, check: 'canonical', feature: 'lm', effect: 'gs_base' },
  { number: 0xc0000102, name: 'KERNEL_GS_BASE', reset: '0x0', writable: ALL, check: 'canonical', feature: 'lm', effect: 'kernel_gs_base' },
  { number: 0xc0000103, name: 'TSC_AUX', reset: '0x0', writable: LOW, ignored: HIGH, feature: 'rdtscp', effect: 'tsc_aux' },
  { number: 0xc0010010, name: 'SYSCFG', reset: '0x0', writable: '0x7c0000', effect: 'state' },
  { number: 0xc0010015, name: 'HWCR', reset: '0x0', writable: '0x1000018', effect: 'state' },
];

/**
 * Numbers whose value an observation shows: rows that hold state of their own. FS_BASE and GS_BASE stand in the segments; read-only
 * registers hold nothing.
 */
export const OBSERVED_MSRS: readonly number[] = MSRS.filter(
  (row) => !row.read_only && row.effect !== 'fs_base' && row.effect !== 'gs_base',
).map((row) => row.number);
