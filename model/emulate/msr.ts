/** Model-specific registers that Xen answers for. Chapter: spec/chapters/emulation.md. */
import type { VcpuRef } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { isCanonical } from '../memory/translate.ts';
import { tscOf } from '../time/clock.ts';
import { equal, fromHex, isZero, type Word, ZERO } from '../word/word.ts';

const MSR = {
  TSC: 0x10,
  APIC_BASE: 0x1b,
  PATCHLEVEL: 0x8b,
  PLATFORM_INFO: 0xce,
  MISC_FEATURES: 0x140,
  MISC_ENABLE: 0x1a0,
  PAT: 0x277,
  XEN: 0x40000000,
  EFER: 0xc0000080,
  STAR: 0xc0000081,
  LSTAR: 0xc0000082,
  CSTAR: 0xc0000083,
  SFMASK: 0xc0000084,
  FS_BASE: 0xc0000100,
  GS_BASE: 0xc0000101,
  KERNEL_GS_BASE: 0xc0000102,
  TSC_AUX: 0xc0000103,
  HWCR: 0xc0010015,
} as const;
// biome-ignore format: one table, read by eye

const EFER = fromHex('0xd01');
const CONSTANTS: ReadonlyMap<number, Word> = new Map([
  [MSR.EFER, EFER],
  [MSR.PAT, fromHex('0x50100070406')],
  [MSR.MISC_ENABLE, fromHex('0x801801')],
  [MSR.PATCHLEVEL, fromHex('0x1000065')],
  ...[MSR.PLATFORM_INFO, MSR.MISC_FEATURES, MSR.TSC_AUX, MSR.HWCR, MSR.XEN].map((number) => [number, ZERO] as const),
]);
/** The register's value, or null for #GP(0). */
export const readMsr = (machine: Machine, at: VcpuRef, number: number): Word | null => {
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
    case MSR.TSC:
      return tscOf(machine);
  }
  const constant = CONSTANTS.get(number);
  if (constant) return constant;
  // Without a handler for #GP Xen makes some of these read as zero, depending on the machine's processor.
  if (isZero(vcpu.traps[VECTOR.GP].address)) throw new NotModelled('msr/faked');
  return null;
};

/** The machine after the write, or null for #GP(0). */
export const writeMsr = (machine: Machine, at: VcpuRef, number: number, value: Word): Machine | null => {
  const { cpu } = vcpuOf(machine, at);
  switch (number) {
    case MSR.FS_BASE:
    case MSR.GS_BASE: {
      if (!isCanonical(value)) return null;
      const base = number === MSR.FS_BASE ? { fsBase: value } : { gsBase: value };
      return updateVcpu(machine, at, { cpu: { ...cpu, segments: { ...cpu.segments, ...base } } });
    }
    case MSR.KERNEL_GS_BASE:
      return isCanonical(value) ? updateVcpu(machine, at, { gsBaseOther: value }) : null;
    case MSR.EFER:
      return equal(value, EFER) ? machine : null;
  }
  return null;
};
