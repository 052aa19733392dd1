/** RDMSR and WRMSR of a guest kernel, as Xen answers them on an AMD processor. What is not here is a #GP. */
import { MSR } from '#spec/abi/msr.ts';
import { MSRS_NOT_OFFERED, MSRS_NOT_WRITTEN, PROCESSOR_MSRS } from '#spec/releases/emulation.ts';
import { GP } from '../../cpu/exit.ts';
import { RAX, RCX, RDX } from '../../cpu/interface.ts';
import type { Domain } from '../domain.ts';
import { hypercallPage } from '../domain_builder/hypercall_page.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { getPageAndType, putPageAndType } from '../mm/page_type.ts';
import { guestTsc } from '../system_time.ts';
import { isCanonical } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { readMachineCheck, writeMachineCheck } from './machine_check.ts';
import { type Feature, hasFeature } from './policy.ts';
import type { Emulation } from './privileged.ts';

const APIC_BASE = 0xfee00800n;
const APIC_BASE_BOOT_CPU = 0x100n;
const EFER = 0xd01n;

/** Registers that always read the same. */
const CONSTANT: ReadonlyMap<number, bigint> = new Map([
  [MSR.PAT, 0x0000050100070406n],
  [MSR.EFER, EFER],
  [MSR.PATCHLEVEL, 0x1000065n],
  [MSR.PLATFORM_INFO, 0n],
  [MSR.MISC_FEATURES_ENABLES, 0n],
  [MSR.MISC_ENABLE, 0x801801n],
  [MSR.PERF_CAPABILITIES, 0n],
  [MSR.XEN, 0n],
  [MSR.K8_HWCR, 0n],
  [MSR.DE_CFG, 2n],
  [MSR.NB_CFG, 0n],
]);

type Range = readonly [first: number, last: number];
const isIn = (ranges: readonly Range[], register: number): boolean => ranges.some(([first, last]) => register >= first && register <= last);

/** Performance counters, and power states: they read as 0 and swallow writes. */
const COUNTERS: readonly Range[] = [
  [0xc0010000, 0xc0010007],
  [0xc0010200, 0xc001020b],
];
const POWER: readonly Range[] = [
  [MSR.FID_VID_CTL, MSR.FID_VID_STATUS],
  [MSR.PSTATE_LIMIT, MSR.PSTATE7],
];
/** How memory is laid out, for dom0 to read: the emulated processor says nothing. */
const MEMORY_LAYOUT: readonly Range[] = [
  [MSR.K8_SYSCFG, MSR.K8_SYSCFG],
  [0xc0010016, 0xc001001a],
  [0xc001001d, 0xc001001d],
  [0xc0010112, 0xc0010113],
];
/** Registers that swallow writes. */
const IGNORED: readonly number[] = [MSR.MPERF, MSR.APERF, MSR.K8_HWCR, MSR.NB_CFG, MSR.DE_CFG];
/** Numbers from here up to 0x4000ffff are reserved for hypervisors. */
const HYPERVISOR_RANGE = 0x4000;

const DEBUG_MASKS: readonly number[] = [MSR.DR0_ADDRESS_MASK, MSR.DR1_ADDRESS_MASK, MSR.DR1_ADDRESS_MASK + 1, MSR.DR3_ADDRESS_MASK];
const SPEC_CTRL_VALID = 3n;
const PRED_CMD_VALID = 1n;

const whole = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

/** What RDTSCP and RDPID tell. */
export const guestTscAux = (vcpu: Vcpu): number => Number(BigInt.asIntN(32, vcpu.cpu.msrs.get(MSR.TSC_AUX) ?? 0n));

/** Registers that keep what is written to them, and the feature that brings them. */
const KEPT: ReadonlyMap<number, readonly Feature[]> = new Map<number, readonly Feature[]>([
  [MSR.TSC_AUX, ['rdtscp', 'rdpid']],
  [MSR.SPEC_CTRL, ['ibrsb', 'ibrs']],
  [MSR.VIRT_SPEC_CTRL, ['virt_ssbd']],
  [MSR.XSS, ['xsaves']],
  ...DEBUG_MASKS.map((mask) => [mask, ['dbext']] as const),
]);

const isThere = (machine: Machine, register: number): boolean =>
  KEPT.get(register)?.some((feature) => hasFeature(machine.config, feature)) ?? false;

/** null: it faults, whatever else; undefined: unknown to Xen's table. */
const read = (machine: Machine, vcpu: Vcpu, register: number): bigint | null => {
  const { cpu } = vcpu;
  switch (register) {
    case MSR.TSC:
      return guestTsc(machine, vcpu.domain);
    case MSR.APIC_BASE:
      return APIC_BASE | (vcpu.id === 0 ? APIC_BASE_BOOT_CPU : 0n);
    case MSR.FS_BASE:
      return cpu.fsBase;
    case MSR.GS_BASE:
      return cpu.gsBase;
    case MSR.KERNEL_GS_BASE:
      return whole(vcpu.gsBaseOther.lo, vcpu.gsBaseOther.hi);
  }
  if (isThere(machine, register)) return cpu.msrs.get(register) ?? 0n;
  if (isIn(COUNTERS, register) || isIn(POWER, register)) return 0n;
  if (vcpu.domain.privileged && isIn(MEMORY_LAYOUT, register)) return 0n;
  return CONSTANT.get(register) ?? readMachineCheck(vcpu, register) ?? null;
};

export const readMsr = (machine: Machine, vcpu: Vcpu): Emulation => {
  const register = vcpu.cpu.gprLo(RCX) >>> 0;
  let value = read(machine, vcpu, register);
  if (machine.ways['rdmsr-unlisted'] === "the processor's") return give(vcpu, asProcessor(register, value));
  // To a guest without a #GP handler Xen pretends that whatever the hardware has reads as 0.
  const hasHandler = (vcpu.trapLo[GP] | vcpu.trapHi[GP]) !== 0;
  if (value === null && !hasHandler && register >>> 16 !== HYPERVISOR_RANGE) value = 0n;
  return give(vcpu, value);
};

/** Registers of machine checks: of banks that the guest does not have, older releases read the processor's. */
const BANKS: readonly (readonly [number, number])[] = [[0x400, 0x47f]];

/** What older releases read from the processor itself, for whoever asks. */
const asProcessor = (register: number, known: bigint | null): bigint | null => {
  if (known !== null && register !== MSR.DE_CFG && !(isIn(BANKS, register) && PROCESSOR_MSRS.has(register))) return known;
  return isIn(MSRS_NOT_OFFERED, register) ? null : BigInt(PROCESSOR_MSRS.get(register) ?? 0);
};

const give = (vcpu: Vcpu, value: bigint | null): Emulation => {
  if (value === null) return 'refused';
  vcpu.cpu.setGpr(RAX, value & 0xffffffffn);
  vcpu.cpu.setGpr(RDX, value >> 32n);
  return 'done';
};

export const writeMsr = (machine: Machine, vcpu: Vcpu): Emulation => {
  const { cpu } = vcpu;
  const value = whole(cpu.gprLo(RAX), cpu.gprLo(RDX));
  const register = cpu.gprLo(RCX) >>> 0;
  return writeGuestMsr(machine, vcpu, register, value) || isPassedOver(machine, register) ? 'done' : 'refused';
};

/** Older releases tell a guest nothing of a write that they do not carry out. */
const isPassedOver = (machine: Machine, register: number): boolean =>
  machine.ways['wrmsr-unlisted'] === 'lost' &&
  register !== MSR.MISC_FEATURES_ENABLES &&
  ![MSRS_NOT_OFFERED, MSRS_NOT_WRITTEN].some((ranges) => isIn(ranges, register));

/** Whether it was taken. */
export const writeGuestMsr = (machine: Machine, vcpu: Vcpu, register: number, value: bigint): boolean => {
  const { cpu } = vcpu;
  const [lo, hi] = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
  switch (register) {
    case MSR.FS_BASE:
      if (isCanonical(hi)) cpu.fsBase = value;
      return isCanonical(hi);
    case MSR.GS_BASE:
      if (isCanonical(hi)) cpu.gsBase = value;
      return isCanonical(hi);
    case MSR.KERNEL_GS_BASE:
      if (isCanonical(hi)) vcpu.gsBaseOther.set(lo, hi);
      return isCanonical(hi);
    case MSR.EFER:
      return value === EFER;
    case MSR.MISC_ENABLE:
      // Another value is passed over, and only Xen's log tells.
      return true;
    case MSR.MISC_FEATURES_ENABLES:
      return value === 0n;
    case MSR.PRED_CMD:
      return (hasFeature(machine.config, 'ibrsb') || hasFeature(machine.config, 'ibpb')) && (value & ~PRED_CMD_VALID) === 0n;
    case MSR.FLUSH_CMD:
      return hasFeature(machine.config, 'l1d_flush') && value <= 1n;
    case MSR.XEN:
      return writeHypercallPage(machine, vcpu, value);
  }
  if (isThere(machine, register)) return keep(vcpu, register, value);
  if (IGNORED.includes(register) || isIn(COUNTERS, register) || isIn(POWER, register)) return true;
  return writeMachineCheck(vcpu, register, value) ?? false;
};

const keep = ({ cpu }: Vcpu, register: number, value: bigint): boolean => {
  if (register === MSR.VIRT_SPEC_CTRL) {
    cpu.msrs.set(register, value & 4n);
    return true;
  }
  const most = register === MSR.XSS ? 0n : register === MSR.SPEC_CTRL ? SPEC_CTRL_VALID : 0xffffffffn;
  if (value > most) return false;
  cpu.msrs.set(register, value);
  return true;
};

/** Xen fills a frame of the domain's with its entry points. */
const writeHypercallPage = (machine: Machine, vcpu: Vcpu, value: bigint): boolean => {
  if ((value & 0xfffn) !== 0n) return false;
  return fillHypercallPage(machine, vcpu, vcpu.domain, Number(value >> 12n));
};

/** Whether the frame is the domain's and may be written to. */
export const fillHypercallPage = (machine: Machine, vcpu: Vcpu, domain: Domain, mfn: number): boolean => {
  if (getPageAndType(machine, vcpu, mfn, PGT.writable, domain.domid) !== 0) return false;
  machine.memory.writeBytes(mfn * 4096, hypercallPage(domain.compat));
  putPageAndType(machine, vcpu, mfn);
  return true;
};
