/** A sysctl of domain 0 that is carried out: who asks, and the structure that it came with. */
import { ERRNO } from '#spec/abi/errno.ts';
import { copyFromGuest, copyToGuest } from '../../guest_access.ts';
import type { Machine } from '../../machine.ts';
import { TWO32 } from '../../u64.ts';
import type { Vcpu } from '../../vcpu.ts';

export type Asker = { readonly machine: Machine; readonly caller: Vcpu; readonly op: DataView };
/** And where the structure lies in the guest. */
export type Placed = Asker & { readonly lo: number; readonly hi: number };
/** Answers 0 or a negative errno. */
export type Work = (asker: Placed) => number;

export const u32 = (op: DataView, at: number): number => op.getUint32(at, true);
export const isNull = (op: DataView, at: number): boolean => op.getBigUint64(at, true) === 0n;

/** Store bytes at an offset from the address that stands at `at`. */
export const store = ({ machine, caller, op }: Asker, at: number, offset: number, bytes: Uint8Array): boolean => {
  const low = u32(op, at) + offset;
  const hi = op.getInt32(at + 4, true);
  return copyToGuest(machine, caller, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, bytes.length, bytes);
};
export const load = ({ machine, caller, op }: Asker, at: number, offset: number, into: Uint8Array): boolean => {
  const low = u32(op, at) + offset;
  const hi = op.getInt32(at + 4, true);
  return copyFromGuest(machine, caller, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, into.length, into);
};
export const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

export const stops = ({ machine, caller }: Asker): number => {
  machine.notModelled(caller, 'sysctl');
  return -ERRNO.ENOSYS;
};
