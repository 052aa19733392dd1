/** All changes between the releases, by name. Machines ask `waysOf(config.release)`; nobody compares releases himself. */
import { CONTROL_CHANGES } from './control.ts';
import { DEVICE_CHANGES } from './devices.ts';
import { EMULATION_CHANGES } from './emulation.ts';
import { EVENT_CHANGES } from './event_channel.ts';
import { GRANT_CHANGES } from './grant_table.ts';
import { MEMORY_CHANGES } from './memory.ts';
import { XEN_RELEASES, type XenRelease } from './release.ts';
import { TOOLSTACK_CHANGES } from './toolstack.ts';
import { VCPU_CHANGES } from './vcpu.ts';
import { VERSION_CHANGES } from './version.ts';

export const CHANGES = {
  ...CONTROL_CHANGES,
  ...DEVICE_CHANGES,
  ...EMULATION_CHANGES,
  ...EVENT_CHANGES,
  ...GRANT_CHANGES,
  ...MEMORY_CHANGES,
  ...TOOLSTACK_CHANGES,
  ...VCPU_CHANGES,
  ...VERSION_CHANGES,
} as const;
export type ChangeId = keyof typeof CHANGES;

/** The way of each change in one release. */
export type Ways = { readonly [Id in ChangeId]: (typeof CHANGES)[Id]['ways'][XenRelease] };

const waysIn = (release: XenRelease): Ways =>
  Object.fromEntries(Object.entries(CHANGES).map(([id, { ways }]) => [id, ways[release]])) as Ways;
const WAYS = Object.fromEntries(XEN_RELEASES.map((release) => [release, waysIn(release)])) as Readonly<Record<XenRelease, Ways>>;

/** What a machine of this release does wherever releases differ. The same object for the same release. */
export const waysOf = (release: XenRelease): Ways => WAYS[release];
