/**
 * A machine to try hypercalls on, for tests: domains built from an image, whose memory and calls a test drives directly instead of
 * by guest code.
 */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { bootMachine } from '../domain/boot.ts';
import { copyFromGuest, copyToGuest } from '../guest_copy.ts';
import { event_channel_op } from '../hypercall/event_channel/event_channel_op.ts';
import { grant_table_op } from '../hypercall/grant_table/grant_table_op.ts';
import { type Fields, fieldsOf, withFields } from '../hypercall/guest_struct.ts';
import { memory_op } from '../hypercall/memory/memory_op.ts';
import { mmu_update } from '../hypercall/mm/mmu_update.ts';
import { mmuext_op } from '../hypercall/mm/mmuext_op.ts';
import { update_va_mapping, update_va_mapping_otherdomain } from '../hypercall/mm/update_va_mapping.ts';
import { clausesOf, EMPTY_JOURNAL } from '../journal.ts';
import { domainOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { fromBigInt, toBigInt, type Word } from '../word/word.ts';

export const VIRT_BASE = 0x200000;
/** A page of the initial mapping that nothing uses: arguments go there. */
export const ARGUMENTS = 0x3f0000;
/** The first of many more such pages. */
export const POOL = 0x300000;

export const DOM0: VcpuRef = { domid: 0, vcpu: 0 };
export const DOM1: VcpuRef = { domid: 1, vcpu: 0 };
export const SELF = DOMID.SELF;

/** Domain 0 and domain 1 with 4 MiB each and `vcpus` vCPUs, all of it mapped from VIRT_BASE on. */
export const twoDomains = (image: Uint8Array, vcpus = 2): Machine => {
  const domain = (domid: number) => ({ domid, pages: 1024, vcpus, cmdline: '' });
  const { machine } = { machine: bootMachine(debian_4_17([domain(0), domain(1)]), [image, image]) };
  return { ...machine, cpus: [{ current: DOM0 }], journal: EMPTY_JOURNAL };
};

/** Frame behind an address of the initial mapping. */
export const frameAt = (machine: Machine, at: VcpuRef, va: number): number =>
  domainOf(machine, at.domid).firstMfn + (va - VIRT_BASE) / 4096;

const wordOf = (n: number | bigint): Word => fromBigInt(BigInt.asUintN(64, BigInt(n)));

/** Write bytes as the guest could. */
export const poke = (machine: Machine, at: VcpuRef, va: number, bytes: Uint8Array): Machine => {
  const stored = copyToGuest(machine, at, wordOf(va), bytes);
  if (!stored.ok) throw new Error(`cannot write at ${va.toString(16)}`);
  return stored.machine;
};

export const peek = (machine: Machine, at: VcpuRef, va: number, size: number): Uint8Array => {
  const copied = copyFromGuest(machine, at, wordOf(va), size);
  if (!copied.ok) throw new Error(`cannot read at ${va.toString(16)}`);
  return copied.bytes;
};

export const peek64 = (machine: Machine, at: VcpuRef, va: number): bigint =>
  new DataView(peek(machine, at, va, 8).buffer).getBigUint64(0, true);
export const poke64 = (machine: Machine, at: VcpuRef, va: number, value: bigint): Machine =>
  poke(machine, at, va, new Uint8Array(new BigUint64Array([BigInt.asUintN(64, value)]).buffer));

export type Called = { readonly machine: Machine; readonly rc: number; readonly clauses: readonly ClauseId[] };

const RULES = {
  event_channel_op,
  grant_table_op,
  memory_op,
  mmu_update,
  mmuext_op,
  update_va_mapping,
  update_va_mapping_otherdomain,
} as const;

/** Issue a hypercall. `clauses`: what decided, oldest first. */
export const call = (machine: Machine, at: VcpuRef, name: keyof typeof RULES, ...args: (number | bigint)[]): Called => {
  let words = [0, 1, 2, 3, 4].map((i) => wordOf(args[i] ?? 0));
  let result = RULES[name]({ ...machine, journal: EMPTY_JOURNAL }, at, words);
  // What a guest does without knowing: it comes back with the arguments that Xen left in its registers.
  while (result.kind === 'preempted') {
    words = words.map((word, i) => (result.kind === 'preempted' ? result.args[i] : undefined) ?? word);
    result = RULES[name](result.machine, at, words);
  }
  if (result.kind !== 'reply') throw new Error(`${name} did not reply`);
  return { machine: result.machine, rc: Number(BigInt.asIntN(64, toBigInt(result.value))), clauses: clausesOf(result.machine.journal) };
};

type Batched = { readonly [name: string]: number };

/** Issue a sub-operation with one argument structure; `out` is the structure afterwards. */
export const operate = <L extends Layout>(
  machine: Machine,
  at: VcpuRef,
  name: 'event_channel_op' | 'grant_table_op' | 'memory_op',
  operation: string,
  layout: L,
  fields: Partial<Fields<L>>,
): Called & { readonly out: Fields<L> } => {
  const before = poke(machine, at, ARGUMENTS, withFields(new Uint8Array(layout.size), layout, fields));
  const cmd = (SUBOPERATIONS[name] as Batched)[operation];
  const called = call(before, at, name, cmd, ARGUMENTS, 1);
  return { ...called, out: fieldsOf(peek(called.machine, at, ARGUMENTS, layout.size), layout) };
};

/** Write an array of 64-bit words to the arguments' page. */
export const pokeWords = (machine: Machine, at: VcpuRef, words: readonly (number | bigint)[]): Machine =>
  poke(machine, at, ARGUMENTS, new Uint8Array(new BigUint64Array(words.map((n) => BigInt.asUintN(64, BigInt(n)))).buffer));

/** mmu_update with elements [ptr, val]. */
export const mmuUpdate = (
  machine: Machine,
  at: VcpuRef,
  updates: readonly (readonly [number | bigint, number | bigint])[],
  foreigndom: number = SELF,
): Called => call(pokeWords(machine, at, updates.flat()), at, 'mmu_update', ARGUMENTS, updates.length, 0, foreigndom);

/** mmuext_op with one operation. */
export const mmuext = (
  machine: Machine,
  at: VcpuRef,
  name: keyof typeof SUBOPERATIONS.mmuext_op,
  arg1: number | bigint = 0,
  arg2: number | bigint = 0,
  foreigndom: number = SELF,
): Called => call(pokeWords(machine, at, [SUBOPERATIONS.mmuext_op[name], arg1, arg2]), at, 'mmuext_op', ARGUMENTS, 1, 0, foreigndom);

/** Set the level 1 entry of an address. */
export const remap = (machine: Machine, at: VcpuRef, va: number, pte: number | bigint): Called =>
  call(machine, at, 'update_va_mapping', va, pte, 0);
