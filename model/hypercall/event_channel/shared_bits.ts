/** Event bits that a domain shares with Xen: pending and mask bits by port, selector and upcall flags by vCPU. */
import { COMPAT } from '#spec/abi/compat.ts';
import { shared_info, vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { domainOf, setMemory, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { read, write } from '../../memory/access.ts';
import { readWord, writeWord } from '../../memory/memory.ts';
import { vcpuInfoField } from '../../vcpu_info.ts';
import { and, bit, bitMask, fromNumber, not, or } from '../../word/word.ts';

/** One bit of machine memory: its frame, its 64-bit word there, and its number in the word. */
type Bit = { readonly mfn: number; readonly index: number; readonly number: number };

export const BITS_PER_WORD = 64;

const ofPort = (field: { readonly at: number }, machine: Machine, domid: number, port: number): Bit => ({
  mfn: domainOf(machine, domid).sharedInfo,
  index: field.at / 8 + Math.floor(port / BITS_PER_WORD),
  number: port % BITS_PER_WORD,
});

/** compat/ports: the page as the domain has it. */
const sharedOf = (machine: Machine, domid: number) => (domainOf(machine, domid).pv32 ? COMPAT.shared_info : shared_info).fields;

export const pendingBit = (machine: Machine, domid: number, port: number): Bit =>
  ofPort(sharedOf(machine, domid).evtchn_pending, machine, domid, port);
export const maskBit = (machine: Machine, domid: number, port: number): Bit =>
  ofPort(sharedOf(machine, domid).evtchn_mask, machine, domid, port);

/** The bit of a vCPU's `evtchn_pending_sel` that covers the port. `vcpu_info` may lie anywhere in a page, aligned to 8 or not. */
export const selector = (port: number, bits = BITS_PER_WORD): number => Math.floor(port / bits);

/** Where the selector is, and its number of bits, which is also that of a word of ports. */
const selectorOf = (machine: Machine, at: VcpuRef): { readonly at: number; readonly size: 4 | 8; readonly bits: number } => {
  const field = vcpuInfoField(machine, at, 'evtchn_pending_sel');
  return { at: vcpuOf(machine, at).vcpuInfo.offset + field.at, size: field.size === 4 ? 4 : 8, bits: field.size * 8 };
};

export const testBit = (machine: Machine, { mfn, index, number }: Bit): boolean => bit(readWord(machine.memory, mfn, index), number) === 1;

export const setBit = (machine: Machine, { mfn, index, number }: Bit): Machine =>
  setMemory(machine, writeWord(machine.memory, mfn, index, or(readWord(machine.memory, mfn, index), bitMask(number))));

export const clearBit = (machine: Machine, { mfn, index, number }: Bit): Machine =>
  setMemory(machine, writeWord(machine.memory, mfn, index, and(readWord(machine.memory, mfn, index), not(bitMask(number)))));

export const testSelector = (machine: Machine, at: VcpuRef, port: number): boolean => {
  const { mfn } = vcpuOf(machine, at).vcpuInfo;
  const { at: place, size, bits } = selectorOf(machine, at);
  return bit(read(machine.memory, mfn, place, size), selector(port, bits)) === 1;
};

export const setSelector = (machine: Machine, at: VcpuRef, port: number): Machine => {
  const { mfn } = vcpuOf(machine, at).vcpuInfo;
  const { at: place, size, bits } = selectorOf(machine, at);
  const value = or(read(machine.memory, mfn, place, size), bitMask(selector(port, bits)));
  return setMemory(machine, write(machine.memory, mfn, place, size, value));
};

/** A byte of the vCPU's `vcpu_info`. */
const infoByte = (machine: Machine, at: VcpuRef, field: { readonly at: number }): number => {
  const { mfn, offset } = vcpuOf(machine, at).vcpuInfo;
  return read(machine.memory, mfn, offset + field.at, 1).lo;
};

export const upcallPending = (machine: Machine, at: VcpuRef): number => infoByte(machine, at, vcpu_info.fields.evtchn_upcall_pending);

export const setUpcallPending = (machine: Machine, at: VcpuRef): Machine => {
  const { mfn, offset } = vcpuOf(machine, at).vcpuInfo;
  const place = offset + vcpu_info.fields.evtchn_upcall_pending.at;
  return setMemory(machine, write(machine.memory, mfn, place, 1, fromNumber(upcallPending(machine, at) | 1)));
};
