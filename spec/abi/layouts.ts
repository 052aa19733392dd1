/** Structures of hypercall arguments by name, for programs that name them as data. */
import { control } from './control.ts';
import { domctl as domctlsOfDomain0 } from './domctl.ts';
import { evtchn } from './event_channel.ts';
import { gnttab } from './grant_table.ts';
import { hvm } from './hvm.ts';
import type { Layout } from './layout.ts';
import { mca } from './mca.ts';
import { memory } from './memory.ts';
import { physdev, physdev_op_compat } from './physdev.ts';
import { platform } from './platform.ts';
import { callback, sched, vcpu, vcpu_context_told, vcpu_guest_context } from './sched.ts';
import { sysctl as sysctlsOfDomain0 } from './sysctl.ts';
import { xen_version } from './version.ts';
import { mmu_update, mmuext_op, multicall_entry, trap_info } from './xen.ts';

const prefixed = <P extends string, T extends Readonly<Record<string, Layout>>>(prefix: P, table: T) =>
  Object.fromEntries(Object.entries(table).map(([name, layout]) => [`${prefix}.${name}`, layout])) as {
    readonly [K in keyof T & string as `${P}.${K}`]: Layout;
  };

/** The head of every structure of a hypercall, and an operation's own fields. */
const headed = <H extends Layout['fields'], T extends Readonly<Record<string, Layout>>>(head: H, own: T) =>
  Object.fromEntries(Object.entries(own).map(([name, { size, fields }]) => [name, { size, fields: { ...head, ...fields } }])) as {
    readonly [K in keyof T]: { readonly size: number; readonly fields: H & T[K]['fields'] };
  };
const { domctl, sysctl, ...domctls } = control;
const { head: mcaHead, logical_cpu: _logical, ...mcas } = mca;
const { cmd, interface_version, domain } = domctl.fields;

export const LAYOUTS = {
  ...prefixed('evtchn', evtchn),
  ...prefixed('gnttab', gnttab),
  ...prefixed('memory', memory),
  ...prefixed('sched', sched),
  ...prefixed('vcpu', vcpu),
  ...prefixed('callback', callback),
  ...prefixed('physdev', { ...physdev, op_compat: physdev_op_compat }),
  ...prefixed('platform', platform),
  ...prefixed('control', { domctl, sysctl, ...headed({ cmd, interface_version, domain }, domctls) }),
  ...prefixed('domctl', headed({ cmd, interface_version, domain }, domctlsOfDomain0)),
  ...prefixed('sysctl', headed(sysctl.fields, sysctlsOfDomain0)),
  ...prefixed('hvm', hvm),
  ...prefixed('mca', { head: mcaHead, ...headed(mcaHead.fields, mcas) }),
  ...prefixed('version', xen_version),
  ...prefixed('xen', { trap_info, mmu_update, mmuext_op, multicall_entry, vcpu_guest_context, vcpu_context_told }),
} as const satisfies Readonly<Record<string, Layout>>;
export type LayoutName = keyof typeof LAYOUTS;
