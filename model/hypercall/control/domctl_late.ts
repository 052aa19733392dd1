/** Domctls that look at arguments of their own before privilege. Chapter: spec/chapters/privileged.md. */
import { control, XEN_DOMCTL, XEN_VM_EVENT_GET_VERSION } from '#spec/abi/control.ts';
import { NR_PIRQS } from '#spec/abi/event_channel.ts';
import { IO_PORTS } from '#spec/abi/physdev.ts';
import type { VcpuRef } from '#spec/event.ts';
import { INTERFACE_VERSIONS } from '#spec/releases/control.ts';
import { copyToGuestUnchecked } from '../../guest_copy.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { add, addInt, below, isZero, or, shr, type Word } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { fieldOf, withFields } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';

/** `domain`: the one that the operation is about; `bytes`: its whole structure, which lies at `at`. */
export type Late = { readonly domain: number; readonly at: Word; readonly bytes: Uint8Array };
/** null: domain 0 goes on to the operation itself. */
type Rule = (m: Machine, caller: VcpuRef, op: Late) => HypercallResult | null;

/** EPERM to others, and what domain 0 gets. */
const forControl = (m: Machine, caller: VcpuRef, answer: (m: Machine) => HypercallResult): HypercallResult =>
  isControlDomain(caller) ? answer(m) : fail(m, 'EPERM', 'domctl/privilege');

const irqPermission: Rule = (m, caller, { bytes }) => {
  const limit = isControlDomain(caller) ? NR_PIRQS.dom0 : NR_PIRQS.other;
  const known = fieldOf(bytes, control.irq_permission.fields.pirq) < limit;
  return fail(m, known ? 'EPERM' : 'EINVAL', 'domctl/irq_permission-pirq');
};

const ioportPermission: Rule = (m, caller, { bytes }) => {
  const { first_port, nr_ports } = control.ioport_permission.fields;
  const first = fieldOf(bytes, first_port);
  const end = (first + fieldOf(bytes, nr_ports)) % 2 ** 32;
  if (end <= first || end > IO_PORTS) return fail(m, 'EINVAL', 'domctl/ioport_permission-range');
  return isControlDomain(caller) ? null : fail(m, 'EPERM', 'domctl/privilege');
};

const LEAF_ADDRESS_SIZES = 0x80000008;
const PAGE_SHIFT = 12;
/** Bits of a frame number on this processor. */
const frameBits = ({ config }: Machine): number =>
  ((config.cpu.cpuid.find(({ leaf }) => leaf === LEAF_ADDRESS_SIZES)?.eax ?? 0) & 0xff) - PAGE_SHIFT;

const memoryMapping: Rule = (m, caller, { bytes }) => {
  const { first_gfn, first_mfn, nr_mfns } = control.memory_mapping.fields;
  const [gfn, mfn, count] = [wordIn(bytes, first_gfn.at), wordIn(bytes, first_mfn.at), wordIn(bytes, nr_mfns.at)];
  const last = (first: Word): Word => addInt(add(first, count), -1);
  const wraps = below(last(mfn), mfn) || below(last(gfn), gfn);
  if (wraps || !isZero(shr(or(mfn, last(mfn)), frameBits(m)))) return fail(m, 'EINVAL', 'domctl/memory_mapping-range');
  return forControl(m, caller, () => done(m, 'domctl/memory_mapping-done'));
};

const setTarget: Rule = (m, _caller, { domain, bytes }) => {
  const target = fieldOf(bytes, control.set_target.fields.target);
  if (!findDomain(m, target)) return fail(m, 'ESRCH', 'domctl/set_target-domain');
  if (target === domain) return fail(m, 'EINVAL', 'domctl/set_target-domain');
  return fail(m, 'EOPNOTSUPP', 'domctl/set_target-not_hvm');
};

const vmEventOp: Rule = (m, caller, { domain, at, bytes }) => {
  const { vm_event_op } = control;
  if (fieldOf(bytes, vm_event_op.fields.op) !== XEN_VM_EVENT_GET_VERSION) {
    if (!findDomain(m, domain)) return fail(m, 'ESRCH', 'domctl/vm_event_op-domain');
    return isControlDomain(caller) ? null : fail(m, 'EPERM', 'domctl/privilege');
  }
  const after = withFields(bytes, vm_event_op, { version: INTERFACE_VERSIONS[m.config.release].vm_event });
  const written = copyToGuestUnchecked(m, caller, at, after);
  return written.ok ? done(written.machine, 'domctl/vm_event_op-version') : fail(written.machine, 'EFAULT', 'domctl/vm_event_op-version');
};

const RULES: Readonly<Record<number, Rule>> = {
  [XEN_DOMCTL.irq_permission]: irqPermission,
  [XEN_DOMCTL.ioport_permission]: ioportPermission,
  [XEN_DOMCTL.bind_pt_irq]: (m) => fail(m, 'EINVAL', 'domctl/bind_pt_irq-not_hvm'),
  [XEN_DOMCTL.unbind_pt_irq]: (m) => fail(m, 'EINVAL', 'domctl/bind_pt_irq-not_hvm'),
  [XEN_DOMCTL.ioport_mapping]: (m) => fail(m, 'EOPNOTSUPP', 'domctl/ioport_mapping-not_hvm'),
  [XEN_DOMCTL.get_device_group]: (m) => fail(m, 'EOPNOTSUPP', 'domctl/get_device_group-no_iommu'),
  [XEN_DOMCTL.memory_mapping]: memoryMapping,
  [XEN_DOMCTL.set_target]: setTarget,
  [XEN_DOMCTL.vm_event_op]: vmEventOp,
};

/** The rule of a command that asks for privilege late, if it is one. */
export const lateRule = (cmd: number): Rule | undefined => RULES[cmd];
