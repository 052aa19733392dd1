/** HYPERVISOR_hvm_op(op, arg), as PV guests meet it on a machine without HVM guests. Chapter: spec/chapters/privileged.md. */
import { HVM_NR_PARAMS, hvm, XENTRACE_EVENTS, XENTRACE_MOST_EXTRA } from '#spec/abi/hvm.ts';
import type { Layout } from '#spec/abi/layout.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { isZero, type Word } from '../../word/word.ts';
import { mayTarget, self } from '../domids.ts';
import { bytesOfNumber, type Fields, fieldsOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

type Rule = (machine: Machine, caller: VcpuRef, arg: Word) => HypercallResult;

/** Read the argument, then decide. */
const reading =
  <L extends Layout>(layout: L, fault: ClauseId, decide: (m: Machine, caller: VcpuRef, fields: Fields<L>) => HypercallResult): Rule =>
  (machine, caller, arg) => {
    const read = copyFromGuest(machine, caller, arg, layout.size);
    return read.ok ? decide(read.machine, caller, fieldsOf(read.bytes, layout)) : fail(read.machine, 'EFAULT', fault);
  };

const param = reading(hvm.param, 'hvm/param-argument', (m, caller, { domid, index }) => {
  if (index >= HVM_NR_PARAMS) return fail(m, 'EINVAL', 'hvm/param-index');
  if (!findDomain(m, self(domid, caller))) return fail(m, 'ESRCH', 'hvm/param-domain');
  return fail(m, 'EINVAL', 'hvm/param-not_hvm');
});

const pagetableDying = reading(hvm.pagetable_dying, 'hvm/pagetable_dying-argument', (m, caller, { domid }) => {
  const target = self(domid, caller);
  if (!findDomain(m, target)) return fail(m, 'ESRCH', 'hvm/pagetable_dying-domain');
  return target === caller.domid ? fail(m, 'EINVAL', 'hvm/pagetable_dying-caller') : fail(m, 'EOPNOTSUPP', 'hvm/pagetable_dying-other');
});

const getMemType = reading(hvm.get_mem_type, 'hvm/get_mem_type-argument', (m, caller, { domid }) => {
  const target = self(domid, caller);
  if (!findDomain(m, target)) return fail(m, 'ESRCH', 'hvm/get_mem_type-domain');
  if (!mayTarget(caller, target)) return fail(m, 'EPERM', 'hvm/get_mem_type-permission');
  return fail(m, 'EINVAL', 'hvm/get_mem_type-not_hvm');
});

const getTime: Rule = (machine, caller, arg) => {
  const stored = copyToGuest(machine, caller, arg, bytesOfNumber(machine.now, hvm.get_time.size));
  return stored.ok ? done(stored.machine, 'hvm/get_time') : fail(stored.machine, 'EFAULT', 'hvm/get_time');
};

const xentrace = reading(hvm.xentrace, 'hvm/xentrace-argument', (m, _caller, { event, extra_bytes }) =>
  event >= XENTRACE_EVENTS || extra_bytes > XENTRACE_MOST_EXTRA ? fail(m, 'EINVAL', 'hvm/xentrace-event') : done(m, 'hvm/xentrace-done'),
);

const guestRequest: Rule = (machine, _caller, arg) =>
  isZero(arg) ? done(machine, 'hvm/guest_request_vm_event') : fail(machine, 'EINVAL', 'hvm/guest_request_vm_event');

const forHvmCallers: Rule = (machine) => fail(machine, 'EINVAL', 'hvm/caller');

/** By command. */
const RULES: ReadonlyMap<number, Rule> = new Map([
  [0, param],
  [1, param],
  [5, forHvmCallers],
  [9, pagetableDying],
  [10, getTime],
  [11, xentrace],
  [15, getMemType],
  [23, forHvmCallers],
  [24, guestRequest],
  [25, (machine) => fail(machine, 'EOPNOTSUPP', 'hvm/altp2m')],
]);
export const hvm_op: Perform = (machine, caller, [op, arg]) => {
  const rule = op.hi === 0 ? RULES.get(op.lo) : undefined;
  return rule ? rule(machine, caller, arg) : fail(machine, 'ENOSYS', 'hvm/operation');
};
