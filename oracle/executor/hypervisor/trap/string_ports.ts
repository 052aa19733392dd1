/** INS and OUTS: as many iterations at once as go without a fault, until Xen is asked to stop. */

import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { WORK } from '#spec/work.ts';
import { GP, SS } from '../../cpu/exit.ts';
import type { Instruction } from '../../cpu/instruction.ts';
import { DS, ES, FS, GS, RCX, RDI, RDX, RSI, SS_REG } from '../../cpu/interface.ts';
import { accessOk, copyFromGuest, copyToGuest, guestToMachine, scratch } from '../guest_access.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectException, injectPageFault } from './inject.ts';
import { ioBreakpoints, refusePort } from './io_permission.ts';
import { guestIoRead, guestIoWrite } from './port_space.ts';
import { portWidth } from './ports.ts';
import type { Emulation } from './privileged.ts';

const PAGE = 4096;
const ERROR_WRITE = 2;
/** Rights as LAR tells them, shifted down by 8. */
const WRITABLE = 2;
const CODE = 8;
const ORDINARY = 0x10;
const PRESENT = 0x80;

/** Where the strings lie: a segment as Xen's emulator sees it. */
type Place = { readonly base: bigint; readonly limit: bigint; readonly vector: number };

export const portString = (machine: Machine, vcpu: Vcpu, instruction: Instruction): Emulation => {
  const { cpu } = vcpu;
  const into = (instruction.opcode & 2) === 0;
  const pointer = into ? RDI : RSI;
  const width = 8 * instruction.address;
  const most = repetitions(vcpu, instruction, pointer);
  if (most === 0n) {
    if (instruction.mode === '64' && instruction.address === 4) for (const r of [RCX, pointer]) cpu.setGpr(r, cpu.gpr(r) & 0xffffffffn);
    return 'done';
  }
  const bytes = portWidth(instruction);
  const port = cpu.gprLo(RDX) & 0xffff;
  const refused = refusePort(machine, vcpu, port, bytes);
  if (refused !== null) return refused;
  const place = segmentOf(vcpu, instruction, into);
  if (place === 'refused' || place === 'exception') return place;
  vcpu.breakpointHits = ioBreakpoints(vcpu, port, bytes);
  const step = (vcpu.savedFlags.lo & RFLAGS.DF) === 0 ? BigInt(bytes) : -BigInt(bytes);
  let offset = BigInt.asUintN(width, cpu.gpr(pointer));
  let done = 0n;
  let faulted = false;
  while (done < most) {
    machine.work.spend(WORK.entry);
    faulted = !moveOne(machine, vcpu, { into, port, bytes, offset: BigInt.asUintN(64, offset), place });
    if (faulted) break;
    done++;
    if (vcpu.breakpointHits !== 0 || shouldPreempt(machine, vcpu)) break;
    offset += step;
  }
  // Without a repeat prefix a fault leaves all as it was.
  if (faulted) vcpu.breakpointHits = 0;
  if (faulted && instruction.rep === 0) return 'exception';
  advance(vcpu, instruction, pointer, done * step);
  if (instruction.rep === 0) return 'done';
  const left = BigInt.asUintN(width, cpu.gpr(RCX) - done);
  putCount(vcpu, instruction, RCX, left);
  if (faulted) return 'exception';
  return left === 0n ? 'done' : 'again';
};

/** How many iterations at most: one when single-stepping, and not beyond where the pointer wraps. */
const repetitions = ({ cpu, savedFlags }: Vcpu, instruction: Instruction, pointer: number): bigint => {
  const width = 8 * instruction.address;
  let most = instruction.rep === 0 ? 1n : BigInt.asUintN(width, cpu.gpr(RCX));
  if (most > 1n && (savedFlags.lo & RFLAGS.TF) !== 0) most = 1n;
  if (most === 0n) return most;
  const bytes = BigInt(portWidth(instruction));
  const at = BigInt.asUintN(width, cpu.gpr(pointer));
  let room = BigInt.asUintN(width, -at) / bytes;
  if ((savedFlags.lo & RFLAGS.DF) !== 0) room = BigInt.asUintN(width, at + bytes - 1n) < at ? 1n : at / bytes + 1n;
  if (room === 0n) return 1n;
  return room < most ? room : most;
};

/** A register that is as wide as addresses: 32 bits clear the upper half in 64-bit code, 16 bits keep the rest. */
const putCount = ({ cpu }: Vcpu, { address, mode }: Instruction, register: number, value: bigint): void => {
  if (address === 8 || (address === 4 && mode === '64')) cpu.setGpr(register, value);
  else {
    const mask = (1n << BigInt(8 * address)) - 1n;
    cpu.setGpr(register, (cpu.gpr(register) & ~mask) | value);
  }
};

const advance = (vcpu: Vcpu, instruction: Instruction, pointer: number, by: bigint): void =>
  putCount(vcpu, instruction, pointer, BigInt.asUintN(8 * instruction.address, vcpu.cpu.gpr(pointer) + by));

/** The segment: in 64-bit code FS and GS have a base; else its descriptor is read anew, and must be present and of a fitting kind. */
const segmentOf = (vcpu: Vcpu, instruction: Instruction, into: boolean): Place | 'refused' | 'exception' => {
  const { cpu } = vcpu;
  const segment = into ? ES : instruction.segment < 0 ? DS : instruction.segment;
  const vector = segment === SS_REG ? SS : GP;
  if (instruction.mode === '64') {
    const base = segment === FS ? cpu.fsBase : segment === GS ? cpu.gsBase : 0n;
    return { base, limit: -1n, vector };
  }
  const found = cpu.xen.describe(segment === SS_REG ? vcpu.savedSs : cpu.selector(segment));
  if (found === null || (found.rights & PRESENT) === 0) return 'refused';
  const kind = found.rights & (ORDINARY | CODE | WRITABLE);
  const fits = into ? kind === (ORDINARY | WRITABLE) : (kind & ORDINARY) !== 0 && (kind & (CODE | WRITABLE)) !== CODE;
  if (!fits) {
    injectException(vcpu, vector, 0);
    return 'exception';
  }
  return { base: BigInt(found.base >>> 0), limit: BigInt(found.limit >>> 0), vector };
};

type Move = { readonly into: boolean; readonly port: number; readonly bytes: number; readonly offset: bigint; readonly place: Place };

/** One iteration; false when it faulted. INS has read the port by then. */
const moveOne = (machine: Machine, vcpu: Vcpu, { into, port, bytes, offset, place }: Move): boolean => {
  const value = into ? guestIoRead(machine, vcpu, port, bytes) : 0;
  const { base, limit, vector } = place;
  const address = BigInt.asUintN(limit < 0n ? 64 : 32, base + offset);
  const [lo, hi] = [Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n))];
  const size = BigInt(bytes);
  if (limit < 0n ? !accessOk(hi) : limit < size - 1n || offset > limit - size + 1n) {
    injectException(vcpu, vector, 0);
    return false;
  }
  scratch.setInt32(0, value, true);
  if (!(into ? copyToGuest : copyFromGuest)(machine, vcpu, lo, hi, bytes)) {
    const reached = guestToMachine(machine, vcpu, lo, hi, into) < 0 ? 0 : PAGE - (lo & (PAGE - 1));
    const at = (lo >>> 0) + reached;
    injectPageFault(machine, vcpu, into ? ERROR_WRITE : 0, at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi);
    return false;
  }
  if (!into) {
    const all = scratch.getInt32(0, true);
    guestIoWrite(machine, vcpu, port, bytes, bytes === 4 ? all : all & (bytes === 1 ? 0xff : 0xffff));
  }
  return true;
};
