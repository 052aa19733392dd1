/** GNTTABOP_cache_flush: who may have which of the machine's caches cleaned. Caches themselves have no state here. */

import type { Errno } from '#spec/abi/errno.ts';
import { GNTTAB_CACHE, gnttab } from '#spec/abi/grant_table.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { arrayOk, copyFromGuest } from '../../guest_copy.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { isKnown, ownerOf } from '../../page_type/owner.ts';
import { addInt, shr, toNumber, type Word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { fieldsOf } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { activeAt } from './active.ts';
import { goOnLater } from './elements.ts';
import { entryCount } from './shared_entry.ts';

const PAGE = 4096;
/** The mark in the command of a call that was interrupted: the reference that comes next, above the command's own twelve bits. */
const MARK_SHIFT = 12;
/** References looked at before Xen asks whether to stop. */
const ROUND = 4096;

/** `next`: the reference at which to go on, while the answer is not known. */
type Flushed = { readonly errno: Errno; readonly clause: ClauseId } | { readonly next: number } | 'done';

export const cacheFlush = (machine: Machine, caller: VcpuRef, uop: Word, count: number, cmd: number): HypercallResult => {
  const { size } = gnttab.cache_flush;
  if (!arrayOk(uop, count, size)) return fail(machine, 'EFAULT', 'gnttab/array');
  let m = machine;
  let next = cmd >>> MARK_SHIFT;
  for (let i = 0; i < count; i++) {
    const at = addInt(uop, i * size);
    const stop = (): HypercallResult | null => {
      const asked = preemptCheck(m, caller);
      m = asked.machine;
      return asked.stop ? goOnLater(m, 'cache_flush', at, count - i, next * 2 ** MARK_SHIFT) : null;
    };
    const stopped = i > 0 ? stop() : null;
    if (stopped) return stopped;
    spend(m, 'entry');
    const read = copyFromGuest(m, caller, at, size);
    m = read.machine;
    if (!read.ok) return fail(m, 'EFAULT', 'gnttab/element-fault');
    for (;;) {
      const flushed = flushOne(m, caller, read.bytes, next);
      if (flushed === 'done') break;
      if ('errno' in flushed) return fail(m, flushed.errno, flushed.clause);
      next = flushed.next;
      const interrupted = stop();
      if (interrupted) return interrupted;
    }
    next = 0;
  }
  return done(m, 'gnttab/cache_flush-done');
};

const flushOne = (machine: Machine, caller: VcpuRef, bytes: Uint8Array, next: number): Flushed => {
  const { offset, length, op } = fieldsOf(bytes, gnttab.cache_flush);
  const { clean, inval } = GNTTAB_CACHE;
  if (offset >= PAGE || length > PAGE || offset + length > PAGE || (op & ~(clean | inval)) !== 0)
    return { errno: 'EINVAL', clause: 'gnttab/cache_flush-argument' };
  if (length === 0 || op === 0) return next === 0 ? 'done' : { errno: 'EILSEQ', clause: 'gnttab/cache_flush-nothing' };
  const mfn = toNumber(shr(wordIn(bytes, gnttab.cache_flush.fields.dev_bus_addr.at), MARK_SHIFT));
  if (!isKnown(machine, mfn)) return { errno: 'EINVAL', clause: 'gnttab/cache_flush-frame' };
  const owner = ownerOf(machine, mfn);
  if (owner === null || !findDomain(machine, owner)) return { errno: 'EPERM', clause: 'gnttab/cache_flush-owner' };
  const found = owner === caller.domid ? 'found' : lookForMapping(machine, owner, caller.domid, mfn, next);
  if (found === 'none') return { errno: 'EINVAL', clause: 'gnttab/cache_flush-not_mapped' };
  if (found !== 'found') return { next: found };
  return op === inval ? { errno: 'EOPNOTSUPP', clause: 'gnttab/cache_flush-inval' } : 'done';
};

/** gnttab/cache_flush-not_mapped: a grant by which the frame is mapped by `user`, among so many references. */
const lookForMapping = (machine: Machine, owner: number, user: number, mfn: number, first: number): 'found' | 'none' | number => {
  const all = entryCount(machine, owner);
  const end = Math.min(first + ROUND, all);
  spend(machine, 'grant', Math.max(0, end - first));
  for (let ref = first; ref < end; ref++) {
    const active = activeAt(machine, owner, ref);
    if (active?.domid === user && active.mfn === mfn) return 'found';
  }
  return end < all ? end : 'none';
};
