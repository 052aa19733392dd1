/** Policies of processors, as domctl and sysctl hand them out. */
import type { VcpuRef } from '#spec/event.ts';
import {
  MOST_POLICY_LEAVES,
  MOST_POLICY_MSRS,
  POLICY_LEAF_BYTES,
  POLICY_MSR_BYTES,
  type PolicyLeaf,
  type PolicyMsrs,
} from '#spec/machines/cpu_policies/index.ts';
import { copyToGuest } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import { addInt, isZero, type Word } from '../../word/word.ts';
import { bytesOfNumber } from '../guest_struct.ts';

/** Where entries go, and for how many there is room. */
type Room = { readonly to: Word; readonly count: number };
/** `count`: how many there are; without an address the most that any policy may have. */
export type Told = { readonly machine: Machine; readonly count: number; readonly errno: 'ENOBUFS' | 'EFAULT' | null };

const NO_SUBLEAF = 0xffffffff;

/** One after the other, until there is no room or one cannot be stored. */
const tellEach = (machine: Machine, caller: VcpuRef, { to, count }: Room, entries: readonly Uint8Array[], size: number): Told => {
  let m = machine;
  for (const [i, entry] of entries.entries()) {
    if (i === count) return { machine: m, count: i, errno: 'ENOBUFS' };
    const stored = copyToGuest(m, caller, addInt(to, i * size), entry);
    m = stored.machine;
    if (!stored.ok) return { machine: m, count: i, errno: 'EFAULT' };
  }
  return { machine: m, count: entries.length, errno: null };
};

export const tellLeaves = (machine: Machine, caller: VcpuRef, room: Room, leaves: readonly PolicyLeaf[]): Told => {
  if (isZero(room.to)) return { machine, count: MOST_POLICY_LEAVES, errno: null };
  const entries = leaves.map(([leaf, subleaf, ...registers]) =>
    Uint8Array.from([leaf, subleaf ?? NO_SUBLEAF, ...registers].flatMap((word) => [...bytesOfNumber(word, 4)])),
  );
  return tellEach(machine, caller, room, entries, POLICY_LEAF_BYTES);
};

export const tellMsrs = (machine: Machine, caller: VcpuRef, room: Room, msrs: PolicyMsrs): Told => {
  if (isZero(room.to)) return { machine, count: MOST_POLICY_MSRS, errno: null };
  const entries = msrs.map(([index, value]) => Uint8Array.from([...bytesOfNumber(index, 8), ...bytesOfNumber(value, 8)]));
  return tellEach(machine, caller, room, entries, POLICY_MSR_BYTES);
};
