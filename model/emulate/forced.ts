/** CPUID behind Xen's forced-emulation prefix: ud2, "xen", cpuid. Chapter: spec/chapters/emulation.md. */
import type { CpuidLeaf, MachineConfig } from '#spec/config.ts';
import type { VcpuRef } from '#spec/event.ts';
import { CR4 } from '#spec/isa/x86/control_registers.ts';
import { RAX, RBX, RCX, RDX } from '../cpu/x86/state.ts';
import { copyFromGuest } from '../guest_copy.ts';
import { cite, emit } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { timeScale } from '../time/clock.ts';
import { injectPageFault } from '../traps/exception.ts';
import { returnToGuest } from '../traps/return.ts';
import { addInt, word } from '../word/word.ts';
import { instructionDone } from './done.ts';

const PREFIX = [0x0f, 0x0b, 0x78, 0x65, 0x6e];
const CPUID = [0x0f, 0xa2];

/** Emulate at RIP, or null when something else raised #UD. */
export const emulateForced = (machine: Machine, at: VcpuRef): Machine | null => {
  const { rip } = vcpuOf(machine, at).cpu;
  const prefix = copyFromGuest(machine, at, rip, PREFIX.length);
  if (!prefix.ok) return returnToGuest(injectPageFault(cite(prefix.machine, 'trap/forced-unreadable'), at, 0, prefix.fault), at, 'sysret');
  if (!PREFIX.every((byte, i) => prefix.bytes[i] === byte)) return null;
  const code = copyFromGuest(prefix.machine, at, addInt(rip, PREFIX.length), CPUID.length);
  if (!code.ok) return returnToGuest(injectPageFault(cite(code.machine, 'trap/forced-unreadable'), at, 0, code.fault), at, 'sysret');
  if (!CPUID.every((byte, i) => code.bytes[i] === byte)) return null;
  return cpuid(cite(code.machine, 'trap/forced-cpuid'), at);
};

const cpuid = (machine: Machine, at: VcpuRef): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const { machine: told, eax, ebx, ecx, edx } = answer(machine, at, cpu.regs[RAX].lo >>> 0, cpu.regs[RCX].lo >>> 0);
  const regs = cpu.regs.slice();
  regs[RAX] = word(0, eax);
  regs[RBX] = word(0, ebx);
  regs[RCX] = word(0, ecx);
  regs[RDX] = word(0, edx);
  const m = setCpu(told, at, { ...cpu, regs });
  return instructionDone(emit(m, { kind: 'emulated', at, instruction: 'cpuid' }), at, addInt(cpu.rip, PREFIX.length + CPUID.length));
};

type Registers = Pick<CpuidLeaf, 'eax' | 'ebx' | 'ecx' | 'edx'>;
const NOTHING: Registers = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

const answer = (machine: Machine, at: VcpuRef, leaf: number, subleaf: number): Registers & { readonly machine: Machine } => {
  const known = findLeaf(machine.config.cpu.cpuid_forced, leaf, subleaf) ?? NOTHING;
  if (leaf === TIME_LEAF && at.domid !== 0)
    return { machine: cite(machine, 'trap/forced-cpuid_time'), ...timeOf(machine.config, subleaf, known) };
  if (leaf === FEATURES || leaf === EXTENDED_FEATURES)
    return { machine: cite(machine, 'trap/forced-cpuid_view'), ...viewOf(machine, at, leaf, known) };
  return { machine, ...known };
};

const findLeaf = (leaves: readonly CpuidLeaf[], leaf: number, subleaf: number): CpuidLeaf | undefined =>
  leaves.find((row) => row.leaf >>> 0 === leaf && (row.subleaf === null || row.subleaf >>> 0 === subleaf));

const FEATURES = 1;
const EXTENDED_FEATURES = 0x80000001;
const MTRR = 1 << 12;
const OSXSAVE = 1 << 27;

const viewOf = (machine: Machine, at: VcpuRef, leaf: number, known: Registers): Registers => {
  const { mode, cr4 } = vcpuOf(machine, at);
  const kernel = mode === 'kernel';
  const xsave = leaf !== FEATURES || kernel || (cr4.lo & CR4.OSXSAVE) !== 0;
  return { ...known, ecx: xsave ? known.ecx : known.ecx & ~OSXSAVE, edx: kernel && at.domid === 0 ? known.edx : known.edx & ~MTRR };
};

const TIME_LEAF = 0x40000003;
const TSC_EMULATED = 1;
/** The machine's TSC is reliable, so that no domain's is emulated. */
const TSC_SAFE = 2;
const INCARNATION = 1;

/** The clock of a domain that may come from another machine, or go there. */
const timeOf = ({ cpu }: MachineConfig, subleaf: number, known: Registers): Registers => {
  if (subleaf === 0) {
    const eax = (known.eax & TSC_SAFE) !== 0 ? known.eax : known.eax | TSC_EMULATED;
    return { ...known, eax, ecx: cpu.tsc_khz, edx: INCARNATION };
  }
  if (subleaf !== 1) return known;
  const { mul, shift } = timeScale(BigInt(cpu.tsc_khz) * 1000n);
  return { ...known, ecx: mul, edx: shift };
};
