/** CPUID behind Xen's forced-emulation prefix: ud2, "xen", cpuid. Chapter: spec/chapters/emulation.md. */
import type { CpuidLeaf } from '#spec/config.ts';
import type { VcpuRef } from '#spec/event.ts';
import { RAX, RBX, RCX, RDX } from '../cpu/x86/state.ts';
import { copyFromGuest } from '../guest_copy.ts';
import { cite, emit } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
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
  const leaf = findLeaf(machine.config.cpu.cpuid_forced, cpu.regs[RAX].lo, cpu.regs[RCX].lo);
  const regs = cpu.regs.slice();
  regs[RAX] = word(0, leaf?.eax ?? 0);
  regs[RBX] = word(0, leaf?.ebx ?? 0);
  regs[RCX] = word(0, leaf?.ecx ?? 0);
  regs[RDX] = word(0, leaf?.edx ?? 0);
  const m = setCpu(machine, at, { ...cpu, regs });
  return instructionDone(emit(m, { kind: 'emulated', at, instruction: 'cpuid' }), at, addInt(cpu.rip, PREFIX.length + CPUID.length));
};

const findLeaf = (leaves: readonly CpuidLeaf[], leaf: number, subleaf: number): CpuidLeaf | undefined =>
  leaves.find((row) => row.leaf >>> 0 === leaf >>> 0 && (row.subleaf === null || row.subleaf >>> 0 === subleaf >>> 0));
