/** Flushes of translations and caches that a guest asks for. Chapters: spec/chapters/memory.md, spec/chapters/tlb.md. */
import type { Errno } from '#spec/abi/errno.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { mayUseDevices } from '../../domain/io_caps.ts';
import { addressOk } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { pcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { isCanonical } from '../../memory/translate.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { dirtyPcpus, flush, flushOne, pcpusHolding } from '../../tlb.ts';
import type { Word } from '../../word/word.ts';
import type { Operands } from './mmuext_op.ts';
import { readVcpuMask } from './vcpu_mask.ts';

/** Whose pCPUs: the caller's own, those of the vCPUs in a mask in guest memory, or those of its whole domain. */
export type Scope = 'local' | { readonly mask: Word } | 'all';

/** Flush what the scope names: one address of it, or everything. `ok`: the mask, if there is one, could be read. */
export const flushScope = (
  machine: Machine,
  caller: VcpuRef,
  scope: Scope,
  address: Word | null,
): { readonly machine: Machine; readonly ok: boolean } => {
  const on = (m: Machine, cpus: readonly number[]): Machine =>
    address === null ? flush(m, cpus) : flushOne(cite(m, 'tlb/one'), cpus, address);
  if (scope === 'local') return { machine: on(cite(machine, 'tlb/local'), [pcpuOf(machine, caller)]), ok: true };
  if (scope === 'all') return { machine: on(cite(machine, 'tlb/all'), dirtyPcpus(machine, caller.domid)), ok: true };
  const { machine: m, vcpus } = readVcpuMask(machine, caller, scope.mask);
  return vcpus ? { machine: on(cite(m, 'tlb/multi'), pcpusHolding(m, caller.domid, vcpus)), ok: true } : { machine: m, ok: false };
};

const answered = (machine: Machine, caller: VcpuRef, scope: Scope, address: Word | null): Verdict => {
  const { machine: m, ok } = flushScope(machine, caller, scope, address);
  return ok ? allow(cite(m, 'mmu/flush-done')) : refuse(m, 'EINVAL', 'mmu/flush-mask');
};

/** MMUEXT_TLB_FLUSH_LOCAL, _MULTI, _ALL. */
export const tlbFlush =
  (scopeOf: (operands: Operands) => Scope) =>
  (machine: Machine, operands: Operands): Verdict =>
    answered(machine, operands.caller, scopeOf(operands), null);

/** MMUEXT_INVLPG_LOCAL: any canonical address. */
export const invlpgLocal = (machine: Machine, { caller, arg1 }: Operands): Verdict =>
  isCanonical(arg1) ? answered(machine, caller, 'local', arg1) : allow(cite(machine, 'tlb/one-address'));

/** MMUEXT_INVLPG_MULTI, _ALL: an address of the guest's. A mask is read for any other, too. */
export const invlpg =
  (scopeOf: (operands: Operands) => Scope) =>
  (machine: Machine, operands: Operands): Verdict => {
    const { caller, arg1 } = operands;
    const scope = scopeOf(operands);
    if (addressOk(arg1)) return answered(machine, caller, scope, arg1);
    const read = typeof scope === 'object' ? readVcpuMask(machine, caller, scope.mask) : { machine, vcpus: new Set<number>() };
    return read.vcpus ? allow(cite(read.machine, 'tlb/one-address')) : refuse(read.machine, 'EINVAL', 'mmu/flush-mask');
  };

/** MMUEXT_FLUSH_CACHE, MMUEXT_FLUSH_CACHE_GLOBAL: for domains with devices only. */
export const flushCache =
  (errno: Errno) =>
  (machine: Machine, { caller }: Operands): Verdict =>
    mayUseDevices(machine, caller.domid) ? allow(cite(machine, 'mmu/flush-done')) : refuse(machine, errno, 'mmu/flush_cache-permission');

/** What that is without the right, by release. */
export const flushCacheGlobal = (machine: Machine, operands: Operands): Verdict =>
  flushCache(waysOf(machine.config.release)['flush_cache_global-errno'])(machine, operands);
