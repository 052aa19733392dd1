/** What can happen to event channels: every operation with every argument of the scope, what guests store, what Xen sends. */
import { allocUnbound } from '#model/hypercall/event_channel/alloc_unbound.ts';
import { bindInterdomain } from '#model/hypercall/event_channel/bind_interdomain.ts';
import { bindIpi } from '#model/hypercall/event_channel/bind_ipi.ts';
import { bindVcpu } from '#model/hypercall/event_channel/bind_vcpu.ts';
import { bindVirq } from '#model/hypercall/event_channel/bind_virq.ts';
import { close } from '#model/hypercall/event_channel/close.ts';
import { reset } from '#model/hypercall/event_channel/reset.ts';
import { send } from '#model/hypercall/event_channel/send.ts';
import { status } from '#model/hypercall/event_channel/status.ts';
import { unmask } from '#model/hypercall/event_channel/unmask.ts';
import { sendGuestGlobalVirq, sendGuestVcpuVirq } from '#model/hypercall/event_channel/virq.ts';
import { cite } from '#model/journal.ts';
import type { Machine } from '#model/machine.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Action, Made } from '../core.ts';
import { guestStores } from './guest_stores.ts';
import { oversteps } from './oversteps.ts';
import { type ChannelScope, VIRQ_DOM_EXC, VIRQ_TIMER } from './scope.ts';

const OPERATIONS = {
  alloc_unbound: allocUnbound,
  bind_interdomain: bindInterdomain,
  bind_virq: bindVirq,
  bind_ipi: bindIpi,
  bind_vcpu: bindVcpu,
  close,
  send,
  status,
  unmask,
  reset,
} as const;
type Name = keyof typeof OPERATIONS;
type Fields = Readonly<Record<string, number>>;

type Outcome = { readonly tag: string; readonly machine: Machine; readonly clause: ClauseId; readonly out?: Fields };
const perform = (name: Name, machine: Machine, domid: number, fields: Fields): Outcome =>
  (OPERATIONS[name] as unknown as (machine: Machine, caller: { domid: number; vcpu: number }, fields: Fields) => Outcome)(
    machine,
    { domid, vcpu: 0 },
    fields,
  );

/** Fields that name a port of the caller, or of the domain that `remote_dom` names. */
const PORT_FIELDS: Readonly<Record<string, (domid: number, fields: Fields) => number>> = {
  port: (domid) => domid,
  remote_port: (domid, fields) => (fields['remote_dom'] === DOMID.SELF ? domid : fields['remote_dom']!),
};

const callOf = (domid: number, name: Name, fields: Fields): Action => {
  const told = Object.entries(fields).map(([field, value]) => `${field} ${value === DOMID.SELF ? 'SELF' : value}`);
  return {
    name: `d${domid} ${name}(${told.join(', ')})`,
    apply: (machine) => {
      const { tag, machine: after, clause } = perform(name, machine, domid, fields);
      if (tag === 'preempted') throw new ModelBug(`${name} was preempted`);
      return cite(after, clause);
    },
    oversteps: oversteps(domid),
    asStep: (before, id, made) => {
      const { out } = perform(name, before, domid, fields);
      const owner = name === 'alloc_unbound' && fields['dom'] !== DOMID.SELF ? fields['dom']! : domid;
      const named = Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, asValue(domid, fields, field, value, made)]));
      for (const field of ['port', 'local_port']) {
        const port = out?.[field];
        if (port !== undefined && name !== 'status') made.set(`${owner}:${port}`, { step: id, of: field });
      }
      const args = [SUBOPERATIONS.event_channel_op[name], { struct: `evtchn.${name}` as const, fields: named }];
      return { id, domain: domid, do: 'hypercall', call: 'event_channel_op', args };
    },
  };
};

/** A port that a step of the program made is named by it: the runtime of programs has ports of its own. */
const asValue = (domid: number, fields: Fields, field: string, value: number, made: Made) => {
  const owner = PORT_FIELDS[field]?.(domid, fields);
  const maker = owner === undefined ? undefined : made.get(`${owner}:${value}`);
  return maker ? { ...maker, else: 40 + value } : owner === undefined ? value : 40 + value;
};

const upTo = (n: number, from = 1): readonly number[] => Array.from({ length: n - from + 1 }, (_, i) => from + i);

const callsOf = (domid: number, { domids, ports, vcpus }: ChannelScope): readonly Action[] => {
  const call = (name: Name, fields: Fields): Action => callOf(domid, name, fields);
  const targets = [DOMID.SELF, ...domids.filter((other) => other !== domid)];
  const everyPort = upTo(ports);
  const everyVcpu = upTo(vcpus - 1, 0);
  return [
    ...targets.flatMap((dom) => domids.map((remote_dom) => call('alloc_unbound', { dom, remote_dom }))),
    ...domids.flatMap((remote_dom) => everyPort.map((remote_port) => call('bind_interdomain', { remote_dom, remote_port }))),
    ...everyVcpu.map((vcpu) => call('bind_ipi', { vcpu })),
    ...everyVcpu.map((vcpu) => call('bind_virq', { virq: VIRQ_TIMER, vcpu })),
    ...everyVcpu.map((vcpu) => call('bind_virq', { virq: VIRQ_DOM_EXC, vcpu })),
    ...everyPort.flatMap((port) => everyVcpu.map((vcpu) => call('bind_vcpu', { port, vcpu }))),
    ...everyPort.map((port) => call('close', { port })),
    ...targets.flatMap((dom) => everyPort.map((port) => call('status', { dom, port }))),
    ...targets.map((dom) => call('reset', { dom })),
  ];
};

const raisesOf = (domid: number, { ports, vcpus }: ChannelScope): readonly Action[] => [
  ...upTo(ports).map((port) => callOf(domid, 'send', { port })),
  ...upTo(ports).map((port) => callOf(domid, 'unmask', { port })),
  ...upTo(vcpus - 1, 0).map((vcpu) => ({
    name: `Xen sends d${domid}v${vcpu} VIRQ ${VIRQ_TIMER}`,
    apply: (machine: Machine) => sendGuestVcpuVirq(machine, { domid, vcpu }, VIRQ_TIMER),
  })),
  {
    name: `Xen sends d${domid} VIRQ ${VIRQ_DOM_EXC}`,
    apply: (machine) => sendGuestGlobalVirq(machine, domid, VIRQ_DOM_EXC),
  },
];

export const channelActions = (scope: ChannelScope): readonly Action[] =>
  scope.domids.flatMap((domid) => [
    ...callsOf(domid, scope),
    ...(scope.bits ? [...raisesOf(domid, scope), ...guestStores(domid, scope)] : []),
  ]);
