/** HYPERVISOR_mmuext_op(uops, count, pdone, foreigndom): pins, base pointers, flushes and page contents. */
import { type SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { mmuext_op as OPERATION } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { arrayOk } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { allow, refuse, type Verdict } from '../../page_type/verdict.ts';
import { toNumber, type Word } from '../../word/word.ts';
import { mayTarget } from '../domids.ts';
import { fieldOf } from '../guest_struct.ts';
import { fail, type Perform } from '../result.ts';
import { newBaseptr, newUserBaseptr } from './baseptr.ts';
import { batchOf, doneBefore, runBatch, settle } from './batch.ts';
import { flushCache, flushCacheGlobal, invlpg, invlpgLocal, type Scope, tlbFlush } from './flush.ts';
import { pageOwner } from './foreign.ts';
import { clearPage, copyPage } from './page_contents.ts';
import { pin, unpin } from './pin.ts';
import { setLdt } from './set_ldt.ts';

export const mmuext_op: Perform = (machine, caller, args) => {
  const batch = batchOf(args);
  const settled = settle(machine, caller, args);
  if ('kind' in settled) return settled;
  const { machine: m, before } = doneBefore(settled.machine, caller, batch);
  if (!arrayOk(batch.array, batch.count, OPERATION.size)) return fail(m, 'EFAULT', 'mmu/batch-array');

  const owner = pageOwner(m, caller, batch.foreigndom);
  if (owner === null) return fail(m, 'ESRCH', 'mmu/foreign-unknown');
  if (!mayTarget(caller, owner)) return fail(m, 'EPERM', 'mmu/foreign-permission');

  return runBatch(batch.resumed ? cite(m, 'mmu/batch-preempted') : m, caller, batch, before, {
    call: 'mmuext_op',
    tables: owner,
    size: OPERATION.size,
    command: (bytes) => fieldOf(bytes, OPERATION.fields.cmd),
    perform: (machine, bytes) => element(machine, caller, bytes, owner),
  });
};

/** An operation's subject and operands. `arg1` and `arg2` as words, and as the frame numbers that some operations take them for. */
export type Operands = { readonly caller: VcpuRef; readonly owner: number; readonly arg1: Word; readonly arg2: Word };
type Rule = (machine: Machine, operands: Operands) => Verdict;
type Name = keyof typeof SUBOPERATIONS.mmuext_op;

/** Only on oneself (`mmu/ext-self`). */
const self =
  (rule: Rule): Rule =>
  (machine, operands) =>
    operands.owner === operands.caller.domid ? rule(machine, operands) : refuse(machine, 'EPERM', 'mmu/ext-self');

const maskOf = ({ arg2 }: Operands): Scope => ({ mask: arg2 });
const superpage: Rule = (machine) => refuse(machine, 'EOPNOTSUPP', 'mmu/super-unsupported');

const RULES: Readonly<Record<Name, Rule>> = {
  pin_l1_table: (m, { caller, owner, arg1 }) => pin(m, caller, owner, toNumber(arg1), 1),
  pin_l2_table: (m, { caller, owner, arg1 }) => pin(m, caller, owner, toNumber(arg1), 2),
  pin_l3_table: (m, { caller, owner, arg1 }) => pin(m, caller, owner, toNumber(arg1), 3),
  pin_l4_table: (m, { caller, owner, arg1 }) => pin(m, caller, owner, toNumber(arg1), 4),
  unpin_table: (m, { caller, owner, arg1 }) => unpin(m, caller, owner, toNumber(arg1)),
  new_baseptr: self((m, { caller, arg1 }) => newBaseptr(m, caller, toNumber(arg1))),
  new_user_baseptr: self((m, { caller, arg1 }) => newUserBaseptr(m, caller, toNumber(arg1))),
  tlb_flush_local: self(tlbFlush(() => 'local')),
  invlpg_local: self(invlpgLocal),
  tlb_flush_multi: self(tlbFlush(maskOf)),
  invlpg_multi: self(invlpg(maskOf)),
  tlb_flush_all: self(tlbFlush(() => 'all')),
  invlpg_all: self(invlpg(() => 'all')),
  flush_cache: self(flushCache('EACCES')),
  flush_cache_global: self(flushCacheGlobal),
  set_ldt: self(setLdt),
  clear_page: (m, { owner, arg1 }) => clearPage(m, owner, toNumber(arg1)),
  copy_page: (m, { owner, arg1, arg2 }) => copyPage(m, owner, toNumber(arg1), toNumber(arg2)),
  mark_super: superpage,
  unmark_super: superpage,
};

const element = (machine: Machine, caller: VcpuRef, bytes: Uint8Array, owner: number): Verdict => {
  const { fields } = OPERATION;
  const name = suboperation('mmuext_op', fieldOf(bytes, fields.cmd)) as Name | undefined;
  if (!name) return refuse(machine, 'ENOSYS', 'mmu/ext-unknown');
  if (name === 'pin_l4_table' && findDomain(machine, owner)?.pv32) return allow(cite(machine, 'compat/pin_l4_table'));
  const arg1 = wordIn(bytes, fields.arg1.at);
  const arg2 = wordIn(bytes, fields.arg2.at);
  return RULES[name](machine, { caller, owner, arg1, arg2 });
};
