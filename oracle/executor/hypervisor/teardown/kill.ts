/** XEN_DOMCTL_destroydomain: the end of a domain, a stage at a time, so that the call may stop and come again. */
import { ERRNO } from '#spec/abi/errno.ts';
import { VIRQ, vcpu_info } from '#spec/abi/xen.ts';
import type { Domain } from '../domain.ts';
import { closeAll } from '../event_channel/close.ts';
import { giveBackFifo } from '../event_channel/fifo_control.ts';
import { PGT } from '../frame_table.ts';
import { releaseMappings } from '../grant_table/release_mappings.ts';
import type { Machine } from '../machine.ts';
import { putPageAndType } from '../mm/page_type.ts';
import { hold } from '../pause.ts';
import { sendGlobalVirq } from '../upcall.ts';
import type { Vcpu } from '../vcpu.ts';
import { loseFrames } from './frames.ts';
import { vanishIfGone } from './vanish.ts';
import { loseTables } from './vcpus.ts';

type Stage = (machine: Machine, caller: Vcpu, domain: Domain) => number;

/** What is done once and not looked at again; each answers 0, or -ERESTART. */
const STAGES: readonly Stage[] = [
  loseTables,
  (machine, caller, domain) => loseFrames(machine, caller, domain, 'xen', PGT.none),
  (machine, caller, domain) => loseFrames(machine, caller, domain, 'own', PGT.l4),
  (machine, caller, domain) => loseFrames(machine, caller, domain, 'own', PGT.l3),
  (machine, caller, domain) => loseFrames(machine, caller, domain, 'own', PGT.l2),
];

/** Answers 0, a negative errno, or -ERESTART: to be called again. */
export const killDomain = (machine: Machine, caller: Vcpu, domain: Domain): number => {
  if (domain === caller.domain) return -ERRNO.EINVAL;
  if (domain.dying === 'dead') return 0;
  if (domain.dying === null) begin(machine, caller, domain);
  const answer = releaseMappings(machine, caller, domain) || closeAll(machine, caller, domain);
  if (answer !== 0) return answer;
  for (const [virq, handler] of machine.virqHandlers) if (handler === domain) machine.virqHandlers.delete(virq);
  giveBackFifo(machine, caller, domain);
  for (; domain.teardownStage < STAGES.length; domain.teardownStage++) {
    const stopped = STAGES[domain.teardownStage](machine, caller, domain);
    if (stopped !== 0) return stopped;
    domain.teardownFrom = 0;
  }
  end(machine, caller, domain);
  return 0;
};

const begin = (machine: Machine, caller: Vcpu, domain: Domain): void => {
  hold(machine, caller, domain);
  domain.dying = 'dying';
  domain.virtualNodes = null;
  machine.claims -= domain.claimed;
  domain.claimed = 0;
};

const end = (machine: Machine, caller: Vcpu, domain: Domain): void => {
  for (const vcpu of domain.vcpus) {
    if (!vcpu.infoRegistered) continue;
    const mfn = vcpu.infoMfn;
    vcpu.infoRegistered = false;
    vcpu.infoMfn = domain.sharedInfoMfn;
    vcpu.infoOffset = vcpu_info.size * vcpu.id;
    putPageAndType(machine, caller, mfn);
  }
  domain.dying = 'dead';
  sendGlobalVirq(machine, VIRQ.DOM_EXC);
  vanishIfGone(machine, domain);
};
