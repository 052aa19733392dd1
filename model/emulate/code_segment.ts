/** Segments as Xen's emulator sees them: it reads the tables anew, whatever the processor has loaded. Chapter: spec/chapters/emulation.md. */
import { FLAT } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { guestDescriptor } from '../cpu/x86/guest_tables.ts';
import { CS, FS, GS, RIGHTS, SS } from '../cpu/x86/state.ts';
import { baseIn, limitIn, rightsOf } from '../cpu/x86/system/descriptor.ts';
import { vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { withTables } from '../segment_loads.ts';
import { type Word, ZERO } from '../word/word.ts';
import type { Emulated } from './emulated.ts';

/** `limit` null: 64-bit mode knows none. */
export type EmulatedSegment = { readonly base: Word; readonly limit: number | null };
export type CodeSegment = EmulatedSegment & { readonly machine: Machine; readonly mode: '64' | '32' | '16' };

/** `rights` as RIGHTS has them. */
export type EmulatedDescriptor = { readonly machine: Machine; readonly rights: number; readonly base: Word; readonly limit: number };

/** Null: it cannot be read. A null selector, and one behind the local table, read as a descriptor of zeros. */
export const readDescriptor = (machine: Machine, at: VcpuRef, selector: number): EmulatedDescriptor | null => {
  const found = withTables(machine, at, 0, (s) => ({ s, value: selector < 4 ? null : guestDescriptor(s, selector) }));
  if (found.kind !== 'loaded') return null;
  if (found.value === null && selector >= 4 && (selector & 4) === 0) return null;
  const d = found.value ?? { at: ZERO, lo: 0, hi: 0 };
  return { machine: found.machine, rights: rightsOf(d), base: baseIn(d), limit: limitIn(d) };
};

/** The code segment that CS names, which must be present code: null otherwise. */
export const codeSegment = (machine: Machine, at: VcpuRef): CodeSegment | null => {
  const selector = vcpuOf(machine, at).cpu.segments.selectors[CS];
  if (selector === FLAT.RING3_CS64) return { machine, mode: '64', base: ZERO, limit: null };
  const read = readDescriptor(machine, at, selector);
  const needed = RIGHTS.S | RIGHTS.P | RIGHTS.CODE;
  if (read === null || (read.rights & needed) !== needed) return null;
  if ((read.rights & RIGHTS.L) !== 0) return { machine: read.machine, mode: '64', base: ZERO, limit: null };
  return { machine: read.machine, mode: (read.rights & RIGHTS.BIG) !== 0 ? '32' : '16', base: read.base, limit: read.limit };
};

type Found = { readonly machine: Machine; readonly segment: EmulatedSegment; readonly fault?: never };

/** A data segment for string I/O: what it comes to when it cannot be used, else where it is. */
export const dataSegment = (
  machine: Machine,
  at: VcpuRef,
  register: number,
  access: 'read' | 'write',
): Found | (Exclude<Emulated, null> & { fault: object }) | null => {
  const { segments } = vcpuOf(machine, at).cpu;
  if (codeSegment(machine, at)?.mode === '64') {
    const base = register === FS ? segments.fsBase : register === GS ? segments.gsBase : ZERO;
    return { machine, segment: { base, limit: null } };
  }
  const read = readDescriptor(machine, at, segments.selectors[register]);
  if (read === null || (read.rights & RIGHTS.P) === 0) return null;
  const code = (read.rights & RIGHTS.CODE) !== 0;
  const second = (read.rights & RIGHTS.WRITABLE) !== 0;
  const fits = (read.rights & RIGHTS.S) !== 0 && (access === 'write' ? !code && second : !code || second);
  if (!fits) return { machine: read.machine, fault: { vector: access === 'read' && register === SS ? 12 : 13, error: 0 } };
  return { machine: read.machine, segment: { base: read.base, limit: read.limit } };
};
