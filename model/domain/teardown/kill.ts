/** The end of a domain: what it held is given back, a stage at a time. Xen's name: domain_kill. Chapter: spec/chapters/domctl.md, "destroydomain". */
import { VIRQ, vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Dying } from '../../domain.ts';
import { sendGlobalVirq } from '../../hypercall/event_channel/virq.ts';
import { cite } from '../../journal.ts';
import { domainOf, findDomain, updateDomain, updateVcpu } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { putPageAndType } from '../../page_type/references.ts';
import { stopDomain } from '../../sched/pause.ts';
import { closeChannels } from './channels.ts';
import { relinquishFrames } from './frames.ts';
import { releaseMappings } from './mappings.ts';
import { vanishIfEmpty } from './vanish.ts';
import { dropVcpuTables } from './vcpus.ts';

/** What became of a stage: over, or to be gone on with when the caller comes back. */
export type Progress = { readonly machine: Machine; readonly over: boolean };
export type Stage = (machine: Machine, caller: VcpuRef, domid: number) => Progress;

const STAGES: Readonly<Record<Exclude<Dying['stage'], 'dead'>, Stage>> = {
  mappings: releaseMappings,
  channels: closeChannels,
  vcpus: dropVcpuTables,
  frames: relinquishFrames,
};

/** Go on with the end of a domain until it is over, or until something else waits for the caller's pCPU. */
export const kill = (machine: Machine, caller: VcpuRef, domid: number): Progress => {
  const begun = domainOf(machine, domid).dying ? machine : begin(machine, domid);
  const looked = isPastChannels(begun, domid)
    ? closeChannels(cite(begun, 'domctl/destroydomain-again'), caller, domid)
    : { machine: begun, over: true };
  if (!looked.over) return looked;
  let m = looked.machine;
  for (;;) {
    const { dying } = domainOf(m, domid);
    if (!dying || dying.stage === 'dead') return { machine: m, over: true };
    const stage = STAGES[dying.stage](m, caller, domid);
    if (!stage.over) return stage;
    m = nextStage(stage.machine, domid, dying);
    if (!findDomain(m, domid)) return { machine: m, over: true };
  }
};

/** domctl/destroydomain-again: a call that comes back goes over the ports once more, all of which are closed. */
const isPastChannels = (machine: Machine, domid: number): boolean => {
  const stage = domainOf(machine, domid).dying?.stage;
  return stage === 'vcpus' || stage === 'frames';
};

/** domctl/destroydomain-paused: its vCPUs stop for good. */
const begin = (machine: Machine, domid: number): Machine =>
  stopDomain(
    updateDomain(cite(machine, 'domctl/destroydomain-paused'), domid, {
      dying: { stage: 'mappings' },
      claimed: 0,
      virtualNodes: undefined,
    }),
    domid,
  );

const nextStage = (machine: Machine, domid: number, { stage, ...rest }: Dying & { readonly level?: 0 | 4 | 3 | 2 }): Machine => {
  const go = (dying: Dying): Machine => updateDomain(machine, domid, { dying });
  switch (stage) {
    case 'mappings':
      return go({ stage: 'channels' });
    case 'channels':
      return go({ stage: 'vcpus' });
    case 'vcpus':
      return go({ stage: 'frames', level: 0, next: 0 });
    default:
      return rest.level === 2 ? die(machine, domid) : go({ stage: 'frames', level: AFTER[rest.level ?? 0], next: 0 });
  }
};
const AFTER = { 0: 4, 4: 3, 3: 2, 2: 2 } as const;

/** domctl/destroydomain-dead: pages with records of vCPUs go last; then domain 0 is told. */
const die = (machine: Machine, domid: number): Machine => {
  const moved = domainOf(machine, domid).vcpus.filter(({ infoMoved }) => infoMoved);
  const { sharedInfo } = domainOf(machine, domid);
  const put = moved.reduce((m, { id, vcpuInfo }) => {
    const home = { vcpuInfo: { mfn: sharedInfo, offset: id * vcpu_info.size }, infoMoved: false };
    return putPageAndType(updateVcpu(m, { domid, vcpu: id }, home), vcpuInfo.mfn);
  }, machine);
  const dead = updateDomain(cite(put, 'domctl/destroydomain-dead'), domid, { dying: { stage: 'dead' } });
  return vanishIfEmpty(sendGlobalVirq(dead, VIRQ.DOM_EXC), domid);
};
