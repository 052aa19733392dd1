/** The end of the other domain: domain 0 pauses it, asks about it, has it destroyed, and lives on with what it shared with it. */
import { XEN_DOMCTL_MODELLED } from '#spec/abi/domctl.ts';
import type { LayoutName } from '#spec/abi/layouts.ts';
import type { Argument, Step, Value } from '#spec/program.ts';
import { type Generation, PAGES, SELF } from '../state.ts';

const VERSION = 0x15;
/** A number that no domain has. */
const NOBODY = 0x7fe0;

const call = (g: Generation, name: string, ...args: readonly Argument[]): Step =>
  g.step({ do: 'hypercall', call: name, args: [...args] } as never);

const domctl = (
  g: Generation,
  command: keyof typeof XEN_DOMCTL_MODELLED,
  domain: number,
  layout: LayoutName = 'control.domctl',
  fields: Readonly<Record<string, Argument>> = {},
): Step =>
  call(g, 'domctl', {
    struct: layout,
    fields: { cmd: XEN_DOMCTL_MODELLED[command], interface_version: VERSION, domain, ...fields },
  } as never);

const event = (g: Generation, command: number, name: string, fields: Readonly<Record<string, Value>>): Step =>
  call(g, 'event_channel_op', command, { struct: `evtchn.${name}`, fields } as never);

const who = ({ r }: Generation): number => (r.one(8) ? r.pick([0, NOBODY, 0x7ff0]) : 1);
const port = (g: Generation): Value => {
  const { ports } = g.state;
  return ports.length > 0 && !g.r.one(4) ? g.r.pick(ports).value : g.r.int(1, 6);
};

type Maker = { readonly weight: number; readonly make: (g: Generation) => readonly Step[] };

/** What may be done to a domain in any state, and what is seen of it. */
const ANY: readonly Maker[] = [
  { weight: 4, make: (g) => [domctl(g, 'pausedomain', who(g))] },
  { weight: 4, make: (g) => [domctl(g, 'unpausedomain', who(g))] },
  { weight: 2, make: (g) => [domctl(g, 'resumedomain', who(g))] },
  { weight: 6, make: (g) => [domctl(g, 'getdomaininfo', g.r.one(6) ? 0 : who(g), 'domctl.getdomaininfo')] },
  { weight: 2, make: (g) => [domctl(g, 'getvcpuinfo', who(g), 'domctl.getvcpuinfo', { vcpu: g.r.one(6) ? 1 : 0 })] },
  { weight: 2, make: (g) => [domctl(g, 'subscribe', who(g), 'domctl.subscribe', { port: g.r.int(0, 4) })] },
  {
    weight: 2,
    make: (g) => [domctl(g, 'sendtrigger', who(g), 'domctl.sendtrigger', { trigger: g.r.int(0, 4), vcpu: 0 })],
  },
  {
    weight: 2,
    make: (g) => [call(g, 'sched_op', 4, { struct: 'sched.remote_shutdown', fields: { domain_id: 1, reason: g.r.int(0, 4) } } as never)],
  },
  { weight: 5, make: (g) => [event(g, 5, 'status', { dom: g.r.one(3) ? 1 : SELF, port: port(g) })] },
  { weight: 5, make: (g) => [event(g, 4, 'send', { port: port(g) })] },
  { weight: 3, make: (g) => [event(g, 3, 'close', { port: port(g) })] },
  { weight: 3, make: (g) => [event(g, 6, 'alloc_unbound', { dom: g.r.one(2) ? 1 : SELF, remote_dom: g.r.one(2) ? 1 : 0 })] },
  { weight: 2, make: (g) => [event(g, 0, 'bind_interdomain', { remote_dom: 1, remote_port: g.r.int(1, 5) })] },
  { weight: 2, make: (g) => [event(g, 1, 'bind_virq', { virq: 3, vcpu: 0 })] },
  { weight: 2, make: (g) => [event(g, 10, 'reset', { dom: 1 })] },
  {
    weight: 5,
    make: (g) => {
      const { mappings } = g.state;
      if (mappings.length === 0) return [];
      const { page, handle } = g.r.pick(mappings);
      const fields = { host_addr: { page, as: 'va' }, dev_bus_addr: 0, handle };
      return [call(g, 'grant_table_op', 1, { structs: [{ struct: 'gnttab.unmap_grant_ref', fields }] } as never, 1)];
    },
  },
  {
    weight: 4,
    make: (g) => {
      const entries = g.domains[1].entries;
      const ref = entries.length > 0 ? g.r.pick(entries).ref : 9;
      const fields = { host_addr: { page: g.r.pick(PAGES.windows), as: 'va' }, flags: g.r.one(4) ? 3 : 2, ref, dom: 1 };
      return [call(g, 'grant_table_op', 0, { structs: [{ struct: 'gnttab.map_grant_ref', fields }] } as never, 1)];
    },
  },
  {
    weight: 4,
    make: (g) => {
      const at = { page: g.r.pick(PAGES.windows), as: 'va', plus: 16 };
      return [g.step({ do: 'access', how: g.r.one(2) ? 'read' : 'write', at, size: 8, value: 5 } as never)];
    },
  },
  {
    weight: 2,
    make: (g) => [call(g, 'memory_op', g.r.pick([3, 4]), { struct: 'memory.domain', fields: { domid: 1 } } as never)],
  },
  {
    weight: 2,
    make: (g) => [
      call(g, 'memory_op', 6, {
        struct: 'memory.reservation',
        fields: { extent_start: { array: [0], size: 8 }, nr_extents: 1, extent_order: 0, mem_flags: 0, domid: 1 },
      } as never),
    ],
  },
  { weight: 3, make: (g) => [g.step({ do: 'events' } as never)] },
];

/** A domain that is to stand still is paused once more before it is let go on. */
const heldBy = (g: Generation, steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((step) => (isUnpause(step) ? [domctl(g, 'pausedomain', 1), step] : [step]));
const isUnpause = (step: Step): boolean => {
  if (step.do !== 'hypercall' || step.call !== 'domctl') return false;
  const [argument] = step.args;
  return typeof argument === 'object' && 'struct' in argument && argument.fields.cmd === XEN_DOMCTL_MODELLED.unpausedomain;
};

/** Steps of domain 0 alone, the destruction of domain 1 among them. `rests`: domain 1 stands still from the start on. */
export const destruction = (g: Generation, rests: boolean): readonly Step[] => {
  const { r } = g;
  g.domain = 0;
  const some = (most: number): readonly Step[] => r.list(0, most, () => r.weighted(ANY).make(g)).flat();
  const first = rests ? [g.step({ do: 'rest' } as never)] : [];
  const steps = [...some(8), domctl(g, 'destroydomain', 1), ...some(14), domctl(g, 'destroydomain', who(g)), ...some(6)];
  return [...first, ...(rests ? heldBy(g, steps) : steps)];
};
