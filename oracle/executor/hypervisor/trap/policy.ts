/** Features that Xen gives to PV guests, by its CPUID policy: what the marked CPUID answers. */
import type { MachineConfig } from '#spec/config.ts';

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';
type Place = { readonly leaf: number; readonly subleaf: number | null; readonly register: Register; readonly bit: number };

const at = (leaf: number, subleaf: number | null, register: Register, bit: number): Place => ({ leaf, subleaf, register, bit });

const PLACES = {
  rdtscp: at(0x80000001, null, 'edx', 27),
  dbext: at(0x80000001, null, 'ecx', 26),
  rdpid: at(7, 0, 'ecx', 22),
  ibrsb: at(7, 0, 'edx', 26),
  l1d_flush: at(7, 0, 'edx', 28),
  ibpb: at(0x80000008, null, 'ebx', 12),
  ibrs: at(0x80000008, null, 'ebx', 14),
  virt_ssbd: at(0x80000008, null, 'ebx', 25),
  xsaves: at(0xd, 1, 'eax', 3),
} as const;
export type Feature = keyof typeof PLACES;

export const hasFeature = ({ cpu }: MachineConfig, feature: Feature): boolean => {
  const { leaf, subleaf, register, bit } = PLACES[feature];
  const row = cpu.cpuid_forced.find((found) => found.leaf >>> 0 === leaf && (found.subleaf === null || found.subleaf === subleaf));
  return row !== undefined && ((row[register] >>> bit) & 1) === 1;
};
