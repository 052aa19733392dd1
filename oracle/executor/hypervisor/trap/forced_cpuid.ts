/** What Xen tells a guest that marks its CPUID: the policy of the machine's table, but for what depends on who asks. */
import type { Machine } from '../machine.ts';
import { timeScale } from '../system_time.ts';
import type { Vcpu } from '../vcpu.ts';

const FEATURES = 1;
const EXTENDED_FEATURES = 0x80000001;
const MTRR = 1 << 12;
const OSXSAVE = 1 << 27;
/** CR4.OSXSAVE. */
const CR4_OSXSAVE = 0x40000;

const TIME = 0x40000003;
/** Bits of its EAX: the domain's TSC is emulated; the machine's is safe. */
const EMULATED = 1;
const SAFE = 2;

/** EAX, EBX, ECX, EDX. */
export type Answer = [eax: number, ebx: number, ecx: number, edx: number];

const fromTable = (machine: Machine, leaf: number, subleaf: number): Answer => {
  for (const row of machine.config.cpu.cpuid_forced)
    if (row.leaf >>> 0 === leaf && (row.subleaf === null || row.subleaf >>> 0 === subleaf)) return [row.eax, row.ebx, row.ecx, row.edx];
  return [0, 0, 0, 0];
};

/** @param leaf unsigned, as is the subleaf. */
export const forcedCpuid = (machine: Machine, vcpu: Vcpu, leaf: number, subleaf: number): Answer => {
  const answer = fromTable(machine, leaf, subleaf);
  const privileged = vcpu.domain.domid === 0;
  if (leaf === FEATURES || leaf === EXTENDED_FEATURES) {
    if (!privileged || !vcpu.kernelMode) answer[3] &= ~MTRR;
    if (leaf === FEATURES && !vcpu.kernelMode && (vcpu.cr4 & CR4_OSXSAVE) === 0) answer[2] &= ~OSXSAVE;
  }
  if (leaf === TIME && !privileged) tellTime(answer, subleaf, machine.config.cpu.tsc_khz);
  return answer;
};

/** The clock of a domain other than 0: in its first incarnation, emulated unless the machine's is safe. */
const tellTime = (answer: Answer, subleaf: number, khz: number): void => {
  if (subleaf === 0) {
    if ((answer[0] & SAFE) === 0) answer[0] |= EMULATED;
    answer[2] = khz;
    answer[3] = 1;
  } else if (subleaf === 1) {
    const { mul, shift } = timeScale(khz);
    answer[2] = mul | 0;
    answer[3] = shift;
  }
};
