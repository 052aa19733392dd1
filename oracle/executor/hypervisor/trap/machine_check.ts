/** The machine-check registers that Xen shows to guests: two banks, in which nothing ever happens. */
import { MSR } from '#spec/abi/msr.ts';
import type { Vcpu } from '../vcpu.ts';

/** Bits of MCG_CAP: number of banks; there is an MCG_CTL. */
const BANKS = 0xffn;
const CTL_PRESENT = 0x100n;
const FIRST_CTL2 = 0x280;
const LAST_CTL2 = 0x29f;
const FIRST_BANK = 0x400;
const LAST_BANK = 0x47f;
/** Number of a bank's control register among its four. */
const CTL = 0;
const ALL_ONES = 0xffffffffffffffffn;

const isBank = (register: number): boolean => register >= FIRST_BANK && register <= LAST_BANK;
const isOurs = ({ mcgCap }: Vcpu, register: number): boolean => register < FIRST_BANK + 4 * Number(mcgCap & BANKS);

/** undefined: no such register; null: it faults. */
export const readMachineCheck = (vcpu: Vcpu, register: number): bigint | null | undefined => {
  switch (register) {
    case MSR.P5_MC_ADDR:
    case MSR.P5_MC_TYPE:
      return 0n;
    case MSR.MCG_CTL:
      return (vcpu.mcgCap & CTL_PRESENT) === 0n ? 0n : ALL_ONES;
    case MSR.MCG_CAP:
      return vcpu.mcgCap;
    case MSR.MCG_STATUS:
      return vcpu.mcgStatus;
    case MSR.MCG_EXT_CTL:
      return null;
  }
  if (register >= FIRST_CTL2 && register <= LAST_CTL2) return 0n;
  if (!isBank(register)) return undefined;
  return isOurs(vcpu, register) && (register & 3) === CTL ? ALL_ONES : 0n;
};

/** Whether it was taken; undefined: no such register. The banks take zeros only, but for the control registers, which never change. */
export const writeMachineCheck = (vcpu: Vcpu, register: number, value: bigint): boolean | undefined => {
  switch (register) {
    case MSR.MCG_CAP:
    case MSR.MCG_CTL:
      return true;
    case MSR.MCG_STATUS:
      vcpu.mcgStatus = value;
      return true;
    case MSR.MCG_EXT_CTL:
      return false;
  }
  if (register >= FIRST_CTL2 && register <= LAST_CTL2) return true;
  if (!isBank(register)) return undefined;
  return !isOurs(vcpu, register) || (register & 3) === CTL || value === 0n;
};
