/** map_grant_ref and unmap_grant_ref over an array: read an element, carry it out, write its result back. */
import { gnttab } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import { arrayOk, copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite, emit } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { dirtyPcpus, flush } from '../../tlb.ts';
import { add, addInt, fromNumber, type Word, ZERO } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { bytesOfNumber, fieldOf, withFields } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { mapGrantRef } from './map_grant_ref.ts';
import { completeUnmap, type Unmapped, type UnmapRequest, unmapGrantRef } from './unmap_grant_ref.ts';

type Name = 'map_grant_ref' | Unmapping;

export const mapGrantRefs = (machine: Machine, caller: VcpuRef, uop: Word, count: number): HypercallResult => {
  const { size, fields } = gnttab.map_grant_ref;
  if (!arrayOk(uop, count, size)) return fail(machine, 'EFAULT', 'gnttab/array');
  let m = machine;
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      const asked = preemptCheck(m, caller);
      m = asked.machine;
      if (asked.stop) return interrupted(m, 'map_grant_ref', uop, i * size, count - i);
    }
    spend(m, 'entry');
    const at = add(uop, fromNumber(i * size));
    const read = copyFromGuest(m, caller, at, size);
    if (!read.ok) return fail(read.machine, 'EFAULT', 'gnttab/element-fault');
    const request = {
      hostAddr: wordIn(read.bytes, fields.host_addr.at),
      flags: fieldOf(read.bytes, fields.flags),
      ref: fieldOf(read.bytes, fields.ref),
      dom: fieldOf(read.bytes, fields.dom),
    };
    const { machine: after, status, out } = mapGrantRef(read.machine, caller, request);
    const results = out ? { status, handle: out.handle, dev_bus_addr: fromWord(out.devBusAddr) } : { status };
    const written = copyToGuest(
      tell(after, caller, 'map_grant_ref', status),
      caller,
      at,
      withFields(read.bytes, gnttab.map_grant_ref, results),
    );
    if (!written.ok) return fail(written.machine, 'EFAULT', 'gnttab/element-fault');
    m = written.machine;
  }
  return done(m, 'gnttab/batch-done');
};

/** Elements between two rounds of giving back what was unmapped. */
const ROUND = 32;

type Unmapping = 'unmap_grant_ref' | 'unmap_and_replace';

const unmapping =
  (name: Unmapping) =>
  (machine: Machine, caller: VcpuRef, uop: Word, count: number): HypercallResult => {
    const { size } = gnttab[name];
    if (!arrayOk(uop, count, size)) return fail(machine, 'EFAULT', 'gnttab/array');
    let m = machine;
    for (let first = 0; first < count; first += ROUND) {
      if (first > 0) {
        const asked = preemptCheck(m, caller);
        m = asked.machine;
        if (asked.stop) return interrupted(m, name, uop, first * size, count - first);
      }
      const round = unmapRound(m, caller, name, add(uop, fromNumber(first * size)), Math.min(ROUND, count - first));
      const flushed = flush(cite(round.machine, 'tlb/unmapped_grants'), dirtyPcpus(round.machine, caller.domid));
      m = round.unmapped.reduce(completeUnmap, flushed);
      if (round.fault) return fail(m, 'EFAULT', 'gnttab/element-fault');
    }
    return done(m, 'gnttab/batch-done');
  };

export const unmapGrantRefs = unmapping('unmap_grant_ref');
export const unmapAndReplace = unmapping('unmap_and_replace');

type Round = { readonly machine: Machine; readonly unmapped: readonly Unmapped[]; readonly fault: boolean };

const requestIn = (name: Unmapping, bytes: Uint8Array): UnmapRequest => {
  if (name === 'unmap_grant_ref') {
    const { host_addr, dev_bus_addr, handle } = gnttab.unmap_grant_ref.fields;
    const [hostAddr, devBusAddr] = [wordIn(bytes, host_addr.at), wordIn(bytes, dev_bus_addr.at)];
    return { hostAddr, devBusAddr, newAddr: ZERO, handle: fieldOf(bytes, handle) };
  }
  const { host_addr, new_addr, handle } = gnttab.unmap_and_replace.fields;
  const [hostAddr, newAddr] = [wordIn(bytes, host_addr.at), wordIn(bytes, new_addr.at)];
  return { hostAddr, devBusAddr: ZERO, newAddr, handle: fieldOf(bytes, handle) };
};

const unmapRound = (machine: Machine, caller: VcpuRef, name: Unmapping, uop: Word, count: number): Round => {
  const { size, fields } = gnttab[name];
  const unmapped: Unmapped[] = [];
  let m = machine;
  for (let i = 0; i < count; i++) {
    spend(m, 'entry');
    const at = addInt(uop, i * size);
    const read = copyFromGuest(m, caller, at, size);
    if (!read.ok) return { machine: read.machine, unmapped, fault: true };
    const { machine: after, status, out } = unmapGrantRef(read.machine, caller, requestIn(name, read.bytes));
    if (out) unmapped.push(out);
    const bytes = bytesOfNumber(status, fields.status.size);
    const written = copyToGuest(tell(after, caller, name, status), caller, addInt(at, fields.status.at), bytes);
    m = written.machine;
    if (!written.ok) return { machine: m, unmapped, fault: true };
  }
  return { machine: m, unmapped, fault: false };
};

const tell = (machine: Machine, caller: VcpuRef, name: Name, result: number): Machine =>
  emit(machine, { kind: 'operation', at: caller, name: `grant_table_op/${name}`, result });

const interrupted = (machine: Machine, name: Name, uop: Word, bytes: number, left: number): HypercallResult => ({
  kind: 'preempted',
  machine: cite(machine, 'gnttab/batch-preempted'),
  args: [fromNumber(SUBOPERATIONS.grant_table_op[name]), add(uop, fromNumber(bytes)), fromNumber(left)],
});

/** A machine address: below 2⁵², so a number holds it. */
const fromWord = (address: Word): number => (address.hi >>> 0) * 2 ** 32 + (address.lo >>> 0);
