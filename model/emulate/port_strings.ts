/** INS and OUTS for a guest that may use the port. Chapter: spec/chapters/emulation.md. */
import type { VcpuRef } from '#spec/event.ts';
import type { Instruction } from '../cpu/x86/instruction.ts';
import { PF } from '../cpu/x86/outcome.ts';
import { RCX, RDI, RDX, RSI, SS } from '../cpu/x86/state.ts';
import { addressOk, copyFromGuest, copyToGuestUnchecked } from '../guest_copy.ts';
import { preemptCheck } from '../hypercall/preempt.ts';
import { cite } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { add, addInt, isZero, type Word, word, ZERO } from '../word/word.ts';
import { spend } from '../work.ts';
import { type CodeSegment, dataSegment, type EmulatedSegment } from './code_segment.ts';
import type { Emulated } from './emulated.ts';
import { metPorts } from './port_breakpoints.ts';
import { readPorts, writePorts } from './port_space.ts';
import { portsAllowed } from './ports.ts';

const TF = 1 << 8;
const DF = 1 << 10;

/** An address register, or the counter, as far as the address size goes. */
const cut = (value: Word, size: number): Word => (size === 8 ? value : word(0, size === 4 ? value.lo : value.lo & 0xffff));
const merged = (old: Word, value: Word, size: number): Word =>
  size === 8 ? value : size === 4 ? word(0, value.lo) : word(old.hi, (old.lo & ~0xffff) | (value.lo & 0xffff));

/** One element moved between port and memory; or the fault that kept it. */
type Moved = { readonly machine: Machine; readonly fault?: Exclude<Emulated, null>['fault'] };

const ins = (machine: Machine, at: VcpuRef, port: number, size: number, place: Word): Moved => {
  const read = readPorts(machine, at, port, size);
  if (!addressOk(place)) return { machine: read.machine, fault: { vector: 13, error: 0 } };
  const value = Uint8Array.from({ length: size }, (_, k) => (read.value >>> (8 * k)) & 0xff);
  const stored = copyToGuestUnchecked(read.machine, at, place, value);
  if (stored.ok) return { machine: stored.machine };
  return { machine: stored.machine, fault: { vector: 14, error: PF.WRITE, address: firstUnwritable(stored.machine, at, place, size) } };
};

/** Of an element that crosses into a page that cannot be written, the bytes before it are written. */
const firstUnwritable = (machine: Machine, at: VcpuRef, place: Word, size: number): Word => {
  const here = 4096 - (place.lo & 4095);
  if (here >= size) return place;
  const before = copyFromGuest(machine, at, place, here);
  return before.ok && copyToGuestUnchecked(machine, at, place, before.bytes).ok ? addInt(place, here) : place;
};

const outs = (machine: Machine, at: VcpuRef, port: number, size: number, place: Word, stack: boolean): Moved => {
  if (!addressOk(place)) return { machine, fault: { vector: stack ? 12 : 13, error: 0 } };
  const copied = copyFromGuest(machine, at, place, size);
  if (!copied.ok) return { machine: copied.machine, fault: { vector: 14, error: 0, address: copied.fault } };
  const value = copied.bytes.reduceRight((all, byte) => (all << 8) | byte, 0);
  return { machine: writePorts(copied.machine, at, port, size, value >>> 0) };
};

/** A counter of zero. With 32-bit addresses in 64-bit code Xen cuts counter and pointer to 32 bits all the same. */
const skipped = (machine: Machine, at: VcpuRef, { mnemonic, addressSize }: Instruction, { mode }: CodeSegment): Machine => {
  if (mode !== '64' || addressSize !== 4) return machine;
  const { cpu } = vcpuOf(machine, at);
  const pointer = mnemonic === 'ins' ? RDI : RSI;
  return setCpu(machine, at, { ...cpu, regs: cpu.regs.with(RCX, ZERO).with(pointer, word(0, cpu.regs[pointer].lo)) });
};

/**
 * emulation/port-string: as many elements as the counter says, until an upcall could be delivered, one goes wrong, or a breakpoint is met;
 * the instruction then goes on or faults with registers as they are by then. Null: not for Xen.
 */
export const portString = (machine: Machine, at: VcpuRef, instruction: Instruction, code: CodeSegment): Emulated => {
  const input = instruction.mnemonic === 'ins';
  const size = input ? instruction.dst.size : instruction.src.size;
  const { addressSize } = instruction;
  const repeats = instruction.rep !== 'none';
  const { cpu } = vcpuOf(machine, at);
  const count = cut(cpu.regs[RCX], addressSize);
  if (repeats && isZero(count)) return { machine: skipped(cite(machine, 'emulation/port-string'), at, instruction, code) };
  const port = cpu.regs[RDX].lo & 0xffff;
  const permission = portsAllowed(machine, at, port, size);
  if (!permission.allowed) return permission.refused;
  const asked = permission.machine;
  const pointer = input ? RDI : RSI;
  const number = input ? 0 : instruction.segment;
  const segment = dataSegment(asked, at, number, input ? 'write' : 'read');
  if (segment === null || 'fault' in segment) return segment;

  const met = metPorts(asked, at, port, size);
  const most = repeats && (cpu.flags & TF) === 0 ? Math.min(count.hi === 0 ? count.lo >>> 0 : 0xffffffff, 0xffffffff) : 1;
  const delta = (cpu.flags & DF) !== 0 ? -size : size;
  let m = cite(segment.machine, 'emulation/port-string');
  let fault: Moved['fault'];
  let done = 0;
  while (done < most && fault === undefined) {
    spend(m, 'entry');
    const offset = cut(addInt(cpu.regs[pointer], done * delta), addressSize);
    const place = linear(segment.segment, offset, size);
    const moved: Moved =
      place === null
        ? { machine: m, fault: { vector: !input && number === SS ? 12 : 13, error: 0 } }
        : input
          ? ins(m, at, port, size, place)
          : outs(m, at, port, size, place, number === SS);
    m = moved.machine;
    fault = moved.fault;
    if (fault === undefined) {
      done++;
      if (met !== 0) break;
      const asked = preemptCheck(m, at);
      m = asked.machine;
      if (asked.stop) break;
    }
  }
  if (fault !== undefined && !repeats) return { machine: m, fault };
  const before = vcpuOf(m, at).cpu;
  const moved = before.regs.with(pointer, merged(before.regs[pointer], addInt(before.regs[pointer], done * delta), addressSize));
  const left = addInt(before.regs[RCX], -done);
  const regs = repeats ? moved.with(RCX, merged(before.regs[RCX], left, addressSize)) : moved;
  const after = setCpu(m, at, { ...before, regs });
  if (fault !== undefined) return { machine: after, fault };
  return { machine: after, met, stays: repeats && !isZero(cut(left, addressSize)) };
};

/** In 64-bit mode only FS and GS have a base; elsewhere all bytes must lie inside the limit, and addresses have 32 bits. Null: they do not. */
const linear = ({ base, limit }: EmulatedSegment, offset: Word, size: number): Word | null => {
  if (limit === null) return add(base, offset);
  if (limit < size - 1 || offset.lo >>> 0 > limit - size + 1) return null;
  return word(0, (base.lo + offset.lo) | 0);
};
