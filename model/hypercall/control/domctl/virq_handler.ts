/** XEN_DOMCTL_set_virq_handler and hypercall_init. */
import { domctl } from '#spec/abi/domctl.ts';
import { VIRQ } from '#spec/abi/xen.ts';
import { compatHypercallPage, hypercallPage } from '../../../domain/hypercall_page.ts';
import { setMemory } from '../../../lens.ts';
import { writeBytes } from '../../../memory/access.ts';
import { wordIn } from '../../../memory/guest.ts';
import { getPage, putPage, putPageAndType } from '../../../page_type/references.ts';
import { getPageType } from '../../../page_type/type.ts';
import { toNumber } from '../../../word/word.ts';
import { fieldOf } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { done, fail } from '../../result.ts';
import type { Rule } from './rule.ts';

const VIRQS = 24;
const OF_EACH_VCPU: readonly number[] = [VIRQ.TIMER, VIRQ.DEBUG, VIRQ.XENOPROF, VIRQ.XENPMU];

export const setVirqHandler: Rule = (machine, { caller, bytes, target }) => {
  const virq = fieldOf(bytes, domctl.virq_handler.fields.virq);
  if (virq >= VIRQS || OF_EACH_VCPU.includes(virq)) return fail(machine, 'EINVAL', 'domctl/set_virq_handler-number');
  if (target.dying) return notModelled(machine, caller, 'domctl');
  const virqHandlers = new Map(machine.virqHandlers);
  if (target.domid === 0) virqHandlers.delete(virq);
  else virqHandlers.set(virq, target.domid);
  return done({ ...machine, virqHandlers }, 'domctl/set_virq_handler-done');
};

/** What has no number of a frame is no frame. */
export const hypercallInit: Rule = (machine, { bytes, target }) => {
  const mfn = toNumber(wordIn(bytes, domctl.hypercall_init.fields.gmfn.at));
  const held = mfn >= machine.config.frames ? null : getPage(machine, target.domid, mfn);
  if (!held || held.errno) return fail(held?.machine ?? machine, 'EINVAL', 'domctl/hypercall_init-frame');
  const used = getPageType(held.machine, mfn, 'writable');
  if (used.errno) return fail(putPage(used.machine, mfn), 'EPERM', 'domctl/hypercall_init-frame');
  const code = target.pv32 ? compatHypercallPage() : hypercallPage();
  const written = setMemory(used.machine, writeBytes(used.machine.memory, mfn, 0, code));
  return done(putPageAndType(written, mfn), 'domctl/hypercall_init-done');
};
