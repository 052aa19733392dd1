/** Structures that can be read and not written: a pool page filled by programs, and mapped once more without the right to write. */
import {
  XEN_DOMCTL,
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_SYSCTL,
  XEN_SYSCTL_INTERFACE_VERSION,
  XEN_VM_EVENT_GET_VERSION,
} from '#spec/abi/control.ts';
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { XEN_MC, XEN_MC_FETCH, XEN_MCA_INTERFACE_VERSION } from '#spec/abi/mca.ts';
import type { Value } from '#spec/program.ts';
import { PAGES } from '../state.ts';

const PAGE: number = PAGES.data[2];
/** No operation of the table changes this window. */
const WINDOW: number = PAGES.windows[3];

/** A quadword of the page, by offset. `head`: it is the head of a structure of the control domain, of which interface. */
export type Word = { readonly at: number; readonly value: Value; readonly head?: 'domctl' | 'sysctl' };
const words: Word[] = [];
let end = 0;

/** The address of a structure that begins with these words. */
const place = (bytes: number, ...values: readonly Value[]): Value => {
  const start = end;
  end += Math.ceil(bytes / 8) * 8;
  words.push(...values.map((value, i) => ({ at: start + 8 * i, value })));
  return { page: WINDOW, as: 'va', plus: start };
};
/** Two words of 32 bits. */
const pair = (low: number, high: number): Value => `0x${(BigInt(high) * 2n ** 32n + BigInt(low)).toString(16)}`;

const entry = (call: number): Value => place(128, call);
/** The last structure placed begins with a version of this interface. */
const headed = (head: 'domctl' | 'sysctl', address: Value, count: number): Value => {
  const first = words.length - count;
  words[first] = { ...words[first]!, head };
  return address;
};

export const MULTICALL_READ_ONLY = { good: entry(HYPERCALL.xen_version), unknown: entry(60) } as const;

const domctl = (cmd: number, domain: number, ...own: readonly Value[]): Value =>
  headed('domctl', place(144, pair(cmd, XEN_DOMCTL_INTERFACE_VERSION), domain, ...own), 2 + own.length);
export const SHADOW_READ_ONLY = {
  'read only': domctl(XEN_DOMCTL.shadow_op, 0),
  'read only, absent': domctl(XEN_DOMCTL.shadow_op, 0x7fe0),
} as const;
export const VM_EVENT_READ_ONLY = {
  'read only': domctl(XEN_DOMCTL.vm_event_op, 0, XEN_VM_EVENT_GET_VERSION),
  'read only, absent': domctl(XEN_DOMCTL.vm_event_op, 0x7fe0, XEN_VM_EVENT_GET_VERSION),
} as const;
export const COVERAGE_READ_ONLY = {
  'read only': headed('sysctl', place(136, pair(XEN_SYSCTL.coverage_op, XEN_SYSCTL_INTERFACE_VERSION)), 1),
} as const;

const mca = (cmd: number, ...own: readonly Value[]): Value => place(152, pair(cmd, XEN_MCA_INTERFACE_VERSION), ...own);
export const MCA_READ_ONLY: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  fetch: {
    'read only': mca(XEN_MC.fetch, XEN_MC_FETCH.URGENT, 0, '0x500000'),
    'read only, no queue': mca(XEN_MC.fetch, 0, 0, '0x500000'),
    'read only, no buffer': mca(XEN_MC.fetch, XEN_MC_FETCH.URGENT),
  },
  physcpuinfo: { 'read only': mca(XEN_MC.physcpuinfo, 1), 'read only, no room': mca(XEN_MC.physcpuinfo, 0, '0x10000') },
};

/** What a program writes, and the mapping that it makes then. */
export const READ_ONLY_PAGE = { page: PAGE, window: WINDOW, words: words as readonly Word[] } as const;
