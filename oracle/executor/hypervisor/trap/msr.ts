/** RDMSR and WRMSR of a guest kernel: the few registers that a PV guest has, as Debian's Xen on QEMU answers them. */
import { GP } from '../../cpu/exit.ts';
import { RAX, RCX, RDX } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import { tscNow } from '../system_time.ts';
import { isCanonical } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import type { Emulation } from './privileged.ts';

const MSR = {
  TSC: 0x10,
  APIC_BASE: 0x1b,
  PAT: 0x277,
  EFER: 0xc0000080,
  FS_BASE: 0xc0000100,
  GS_BASE: 0xc0000101,
  SHADOW_GS_BASE: 0xc0000102,
} as const;
const APIC_BASE = 0xfee00800n;
const APIC_BASE_BOOT_CPU = 0x100n;
const EFER = 0xd01n;

/** Registers that always read the same. */
const CONSTANT: ReadonlyMap<number, bigint> = new Map([
  [MSR.PAT, 0x0000050100070406n],
  [MSR.EFER, EFER],
  [0x8b, 0x1000065n],
  [0xce, 0n],
  [0x140, 0n],
  [0x1a0, 0x801801n],
  [0x40000000, 0n],
  [0xc0000103, 0n],
  [0xc0010015, 0n],
]);
/** Numbers from here up to 0x4000ffff are reserved for hypervisors. */
const HYPERVISOR_RANGE = 0x4000;

const base = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

const read = (machine: Machine, vcpu: Vcpu, register: number): bigint | null => {
  switch (register) {
    case MSR.TSC:
      return BigInt.asUintN(64, tscNow(machine));
    case MSR.APIC_BASE:
      return APIC_BASE | (vcpu.id === 0 ? APIC_BASE_BOOT_CPU : 0n);
    case MSR.FS_BASE:
      return vcpu.cpu.fsBase;
    case MSR.GS_BASE:
      return vcpu.cpu.gsBase;
    case MSR.SHADOW_GS_BASE:
      return base(vcpu.gsBaseOther.lo, vcpu.gsBaseOther.hi);
  }
  const constant = CONSTANT.get(register);
  if (constant !== undefined) return constant;
  // To a guest without a #GP handler Xen pretends that whatever the hardware has reads as 0.
  const hasHandler = (vcpu.trapLo[GP] | vcpu.trapHi[GP]) !== 0;
  return hasHandler || register >>> 16 === HYPERVISOR_RANGE ? null : 0n;
};

export const readMsr = (machine: Machine, vcpu: Vcpu): Emulation => {
  const value = read(machine, vcpu, vcpu.cpu.gprLo(RCX) >>> 0);
  if (value === null) return 'refused';
  vcpu.cpu.setGpr(RAX, value & 0xffffffffn);
  vcpu.cpu.setGpr(RDX, value >> 32n);
  return 'done';
};

export const writeMsr = (_machine: Machine, vcpu: Vcpu): Emulation => {
  const { cpu } = vcpu;
  const lo = cpu.gprLo(RAX);
  const hi = cpu.gprLo(RDX);
  const register = cpu.gprLo(RCX) >>> 0;
  switch (register) {
    case MSR.FS_BASE:
      if (!isCanonical(hi)) return 'refused';
      cpu.fsBase = base(lo, hi);
      return 'done';
    case MSR.GS_BASE:
      if (!isCanonical(hi)) return 'refused';
      cpu.gsBase = base(lo, hi);
      return 'done';
    case MSR.SHADOW_GS_BASE:
      if (!isCanonical(hi)) return 'refused';
      vcpu.gsBaseOther.set(lo, hi);
      return 'done';
    case MSR.EFER:
      return base(lo, hi) === EFER ? 'done' : 'refused';
  }
  return 'refused';
};
