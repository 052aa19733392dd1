/** Model-specific registers that Xen answers for: reading. Chapter: spec/chapters/emulation.md. */
import { MSR } from '#spec/abi/msr.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { MSRS_NOT_OFFERED, PROCESSOR_MSRS } from '#spec/releases/emulation.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { cite } from '../journal.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readTsc } from '../time/virtual_tsc.ts';
import type { Vcpu } from '../vcpu.ts';
import { ALL_ONES, fromHex, fromNumber, isZero, type Word, ZERO } from '../word/word.ts';

export const EFER = fromHex('0xd01');
/** Registers that read the same whoever asks. */
const CONSTANTS: ReadonlyMap<number, Word> = new Map([
  [MSR.EFER, EFER],
  [MSR.PAT, fromHex('0x50100070406')],
  [MSR.MISC_ENABLE, fromHex('0x801801')],
  [MSR.PATCHLEVEL, fromHex('0x1000065')],
  [MSR.DE_CFG, fromNumber(2)],
]);

type Range = readonly [first: number, last: number];
/** Registers that read as zero: of machine checks, of performance counting, of frequencies, and a few by themselves. */
const ZEROS: readonly Range[] = [
  [MSR.P5_MC_ADDR, MSR.P5_MC_TYPE],
  [0x280, 0x29f],
  [0x400, 0x47f],
  [MSR.PLATFORM_INFO, MSR.PLATFORM_INFO],
  [MSR.MISC_FEATURES_ENABLES, MSR.MISC_FEATURES_ENABLES],
  [MSR.PERF_CAPABILITIES, MSR.PERF_CAPABILITIES],
  [MSR.XEN, MSR.XEN],
  [0xc0010000, 0xc0010007],
  [MSR.K8_HWCR, MSR.K8_HWCR],
  [MSR.NB_CFG, MSR.NB_CFG],
  [MSR.FID_VID_CTL, MSR.FID_VID_STATUS],
  [MSR.PSTATE_LIMIT, MSR.PSTATE7],
  [0xc0010200, 0xc001020b],
];
/** Memory layout registers, which domain 0 may read: zero on this machine's processor. */
const OF_THE_HOST: readonly Range[] = [
  [MSR.K8_SYSCFG, MSR.K8_SYSCFG],
  [0xc0010016, 0xc001001a],
  [0xc001001d, 0xc001001d],
  [0xc0010112, 0xc0010113],
];

export const isAmong = (ranges: readonly Range[], number: number): boolean =>
  ranges.some(([first, last]) => number >= first && number <= last);

/** The register's value, or null for #GP(0). */
export const readMsr = (machine: Machine, at: VcpuRef, number: number): { readonly machine: Machine; readonly value: Word } | null => {
  if (number === MSR.TSC) return readTsc(cite(machine, 'emulation/rdmsr'), at);
  if (waysOf(machine.config.release)['rdmsr-unlisted'] === "the processor's") return readOpenly(machine, at, number);
  const value = answered(machine, at, number);
  const checks = vcpuOf(machine, at).machineChecks && machineCheck(vcpuOf(machine, at), number);
  if (value) return { machine: cite(machine, checks ? 'domctl/set_ext_vcpucontext-read' : 'emulation/rdmsr'), value };
  // emulation/rdmsr-faked: the processor of this machine lets every number be read.
  const faked = isZero(vcpuOf(machine, at).traps[VECTOR.GP].address) && number >>> 16 !== MSR.XEN >>> 16;
  return faked ? { machine: cite(machine, 'emulation/rdmsr-faked'), value: ZERO } : null;
};

/** Where everybody reads what the processor has. */
const readOpenly = (machine: Machine, at: VcpuRef, number: number): { readonly machine: Machine; readonly value: Word } | null => {
  const isBeyond = number >= FIRST_BANK && number <= LAST_BANK && PROCESSOR_MSRS.has(number);
  const listed = number === MSR.DE_CFG || isBeyond ? null : answered(machine, at, number);
  if (!listed && isAmong(MSRS_NOT_OFFERED, number)) return null;
  return { machine: cite(machine, 'emulation/rdmsr'), value: listed ?? fromHex(PROCESSOR_MSRS.get(number) ?? '0x0') };
};

const MCG_CTL_P = 0x100;
const FIRST_BANK = 0x400;
const LAST_BANK = 0x47f;
/** Of two banks that Xen shows at first (`domctl/set_ext_vcpucontext-read`), control registers read as ones. */
const machineCheck = ({ machineChecks }: Vcpu, number: number): Word | null => {
  const caps = machineChecks?.caps ?? fromNumber(BANKS);
  if (number === MSR.MCG_CAP) return caps;
  if (number === MSR.MCG_CTL) return (caps.lo & MCG_CTL_P) === 0 ? ZERO : ALL_ONES;
  const isControl = number >= FIRST_BANK && number <= LAST_BANK && number % 4 === 0;
  return isControl && (number - FIRST_BANK) / 4 < (caps.lo & 0xff) ? ALL_ONES : null;
};
const BANKS = 2;

const answered = (machine: Machine, at: VcpuRef, number: number): Word | null => {
  const vcpu = vcpuOf(machine, at);
  const { segments } = vcpu.cpu;
  switch (number) {
    case MSR.FS_BASE:
      return segments.fsBase;
    case MSR.GS_BASE:
      return segments.gsBase;
    case MSR.KERNEL_GS_BASE:
      return vcpu.gsBaseOther;
    case MSR.APIC_BASE:
      return fromHex(at.vcpu === 0 ? '0xfee00900' : '0xfee00800');
    case MSR.TSC_AUX:
      return fromNumber(vcpu.tscAux);
    case MSR.MCG_STATUS:
      return vcpu.mcgStatus;
  }
  const check = machineCheck(vcpu, number);
  if (check) return check;
  const constant = CONSTANTS.get(number);
  if (constant) return constant;
  return isAmong(ZEROS, number) || (at.domid === 0 && isAmong(OF_THE_HOST, number)) ? ZERO : null;
};
