/**
 * Two to four domains that work at the same time: each has a program of its own, which names the others in its ports, grants and commands. Who runs when
 * is an input, so that both machines see one and the same run.
 */
import { MOST_PAUSES, XEN_DOMCTL_MODELLED, XEN_DOMCTL_TOOLS } from '#spec/abi/domctl.ts';
import type { Argument, Call, Program, Step } from '#spec/program.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { forRelease } from '../../generators/for_release.ts';
import { denseProgram } from '../../generators/index.ts';
import { Draw } from '../pv32/draw.ts';
import { isFast, isHostEmpty } from './machine.ts';
import { moments } from './moments.ts';

const SELF = 0x7ff0;
const DOMCTL_VERSION = 0x15;
const MOST_DOMAINS = 4;
export type Crowd = { readonly seed: number; readonly release: XenRelease; readonly programs: readonly Program[] };

/** Fields that name a domain. */
const NAMING: ReadonlySet<string> = new Set(['dom', 'domid', 'remote_dom', 'source_domid', 'dest_domid', 'in_domid', 'out_domid']);

const { pausedomain, destroydomain } = XEN_DOMCTL_MODELLED;
/** Whether a structure is a domctl that may be about any domain; how domains wait and end is drawn apart. */
const isAboutOthers = ({ struct: name, fields: { cmd } }: Extract<Argument, { struct: unknown }>): boolean =>
  /^(?:domctl|control)\./.test(name) && cmd !== pausedomain && cmd !== destroydomain;

/** Now and then another domain in place of the one that is named. */
const crossed = (draw: Draw, domains: number, argument: Argument): Argument => {
  if (typeof argument !== 'object') return argument;
  if ('structs' in argument) return { ...argument, structs: argument.structs.map((one) => crossed(draw, domains, one) as typeof one) };
  if ('calls' in argument) return { ...argument, calls: argument.calls.map((one) => crossedCall(draw, domains, one)) };
  if (!('struct' in argument)) return argument;
  const others = isAboutOthers(argument);
  const fields = Object.entries(argument.fields).map(([name, value]) => [
    name,
    (NAMING.has(name) || (others && name === 'domain')) && draw.below(3) === 0 ? draw.below(domains) : value,
  ]);
  return { ...argument, fields: Object.fromEntries(fields) };
};
const crossedCall = (draw: Draw, domains: number, call: Call): Call => ({
  ...call,
  args: call.args.map((argument) => crossed(draw, domains, argument)),
});

type Fields = Readonly<Record<string, unknown>>;
const struct = (name: string, fields: Fields): Argument => ({ struct: name, fields }) as unknown as Argument;
const event = (command: number, name: string, fields: Fields): Call => ({
  call: 'event_channel_op',
  args: [command, struct(`evtchn.${name}`, fields)],
});
const grant = (command: number, name: string, fields: Fields): Call => ({
  call: 'grant_table_op',
  args: [command, { structs: [{ struct: `gnttab.${name}`, fields }] } as unknown as Argument, 1],
});

const [FIRST_REF, REFS] = [8, 8];
const PORTS = 8;
const HANDLES = 6;
/** Pages that are granted, and those that grants are mapped at. */
const [GRANTED, WINDOWS] = [
  [4, 5, 6, 7],
  [9, 10, 11],
] as const;

/** A call that means something to another domain. */
const peerCall = (draw: Draw, domains: number, self: number): Call => {
  const other = (self + 1 + draw.below(domains - 1)) % domains;
  const port = 1 + draw.below(PORTS);
  const ref = FIRST_REF + draw.below(REFS);
  const window = { page: draw.pick(...WINDOWS), as: 'va' };
  switch (draw.below(14)) {
    case 0:
    case 1:
      return event(6, 'alloc_unbound', { dom: SELF, remote_dom: other });
    case 2:
    case 3:
      return event(0, 'bind_interdomain', { remote_dom: other, remote_port: port });
    case 4:
    case 5:
      return event(4, 'send', { port });
    case 6:
      return event(3, 'close', { port });
    case 7:
    case 8:
    case 9:
      return grant(0, 'map_grant_ref', { host_addr: window, flags: draw.pick(2, 2, 6, 3), ref, dom: other });
    case 10:
      return grant(1, 'unmap_grant_ref', { host_addr: window, dev_bus_addr: 0, handle: draw.below(HANDLES) });
    case 11:
      return grant(5, 'copy', {
        ...{ source: ref, source_domid: other, source_offset: draw.pick(0, 16), dest: { page: draw.pick(...GRANTED), as: 'mfn' } },
        ...{ dest_domid: SELF, dest_offset: 0, len: 64, flags: 1 },
      });
    case 12:
      return grant(4, 'transfer', { mfn: { page: draw.pick(...GRANTED), as: 'mfn' }, domid: other, ref });
    default:
      return self === 0 ? control(draw, other) : event(5, 'status', { dom: draw.pick(SELF, other), port });
  }
};

const domctl = (cmd: number, layout: string, domain: number, fields: Fields): Call => ({
  call: 'domctl',
  args: [struct(layout, { cmd, interface_version: DOMCTL_VERSION, domain, ...fields })],
});

/** Domain 0 has another one wait, go on, or end, debugs it, says what machine checks it sees, and asks after it, also when it is dying. */
const control = (draw: Draw, domain: number): Call => {
  const { unpausedomain, getdomaininfo } = XEN_DOMCTL_MODELLED;
  const { setdebugging, set_ext_vcpucontext, shadow_op } = XEN_DOMCTL_TOOLS;
  switch (draw.below(16)) {
    case 0:
      return domctl(setdebugging, 'domctl.setdebugging', domain, { enable: draw.pick(1, 1, 0) });
    case 1:
      return domctl(set_ext_vcpucontext, 'domctl.set_ext_vcpucontext', domain, { size: 64, mcg_cap: draw.pick(2, 0x102) });
    case 2:
      return domctl(shadow_op, 'domctl.shadow_op', domain, { shadow: 0 });
    case 3:
    case 4:
      return domctl(getdomaininfo, 'domctl.getdomaininfo', domain, {});
    case 5:
      return domctl(draw.below(3) === 0 ? destroydomain : pausedomain, 'control.domctl', domain, {});
    case 6:
    case 7:
    case 8:
      return domctl(pausedomain, 'control.domctl', domain, {});
    default:
      return domctl(unpausedomain, 'control.domctl', domain, {});
  }
};

const CALLS = 24;

/** What a domain does with the others, before what it does by itself and after. */
const dealings = (draw: Draw, domains: number, self: number, draws: number): readonly Omit<Step, 'id'>[] => {
  const entries = Array.from({ length: REFS }, (_, i) => ({
    ...{ do: 'grant_entry', ref: FIRST_REF + i, flags: draw.pick(1, 1, 1, 5, 2) },
    ...{ domid: (self + 1 + draw.below(domains - 1)) % domains, frame: { page: draw.pick(...GRANTED), as: 'mfn' } },
  }));
  const calls = Array.from({ length: CALLS }, () => peerCall(draw, domains, self));
  const table = { do: 'calls', calls, draws, seed: draw.below(0x7fffffff), batches: draw.below(3) };
  return [...entries, table] as unknown as Omit<Step, 'id'>[];
};

/** Of so many crowds one has a domain paused as often as it may be, and once more. */
const PATIENCE = 12;
const pauses = (domain: number): Omit<Step, 'id'> => {
  const calls = [domctl(pausedomain, 'control.domctl', domain, {})];
  return { do: 'calls', calls, draws: MOST_PAUSES + 5, seed: 1, batches: 0 } as unknown as Omit<Step, 'id'>;
};

/** Of so many crowds one has a domain end whose pages others hold, and be asked after. */
const FAREWELLS = 4;
const farewell = (draw: Draw, dom: number): Omit<Step, 'id'> => {
  const maps = Array.from({ length: REFS }, (_, i) =>
    grant(0, 'map_grant_ref', { host_addr: { page: draw.pick(...WINDOWS), as: 'va' }, flags: draw.pick(2, 6), ref: FIRST_REF + i, dom }),
  );
  const { shadow_op, gettscinfo } = XEN_DOMCTL_TOOLS;
  const calls = [
    ...maps,
    domctl(destroydomain, 'control.domctl', dom, {}),
    domctl(shadow_op, 'domctl.shadow_op', dom, { shadow: draw.pick(0, 2, 32) }),
    domctl(XEN_DOMCTL_MODELLED.getdomaininfo, 'domctl.getdomaininfo', dom, {}),
    domctl(gettscinfo, 'domctl.tsc_info', dom, {}),
  ];
  return { do: 'calls', calls } as unknown as Omit<Step, 'id'>;
};

/** The crowd of a seed: as many domains, each making about so many calls by itself and as many with the others. Calls are the release's. */
export const drawCrowd = (seed: number, domains: number, draws: number, release: XenRelease = REFERENCE_RELEASE): Crowd => {
  if (domains < 2 || domains > MOST_DOMAINS) throw new RangeError(`${domains} domains are no crowd`);
  const draw = new Draw(seed, 0);
  const programs = Array.from({ length: domains }, (_, self): Program => {
    const alone = denseProgram(seed * MOST_DOMAINS + self, { draws, alone: self === 0 ? 'pv64_dom0' : 'pv64_domU' });
    const own = alone.steps.map((step) =>
      step.do === 'calls' ? { ...step, calls: step.calls.map((call) => crossedCall(draw, domains, call)) } : step,
    );
    const surroundings = { self, hostIsEmpty: isHostEmpty(seed), fast: isFast(seed) };
    const steps = [
      ...dealings(draw, domains, self, draws),
      ...moments(draw, surroundings),
      ...own,
      ...moments(draw, surroundings),
      ...dealings(draw, domains, self, draws),
      ...(self === 0 && draw.below(FAREWELLS) === 0 ? [farewell(draw, 1 + draw.below(domains - 1))] : []),
      ...(self === 0 && draw.below(PATIENCE) === 0 ? [pauses(1 + draw.below(domains - 1))] : []),
      ...moments(draw, surroundings),
    ];
    return forRelease({ steps: steps.map((step, id) => ({ ...step, id }) as Step) }, release);
  });
  return { seed, release, programs };
};
