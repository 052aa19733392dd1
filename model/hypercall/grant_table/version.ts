/** GNTTABOP_set_version and GNTTABOP_get_version, of tables that stay at version 1. */
import { gnttab } from '#spec/abi/grant_table.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { findDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { addInt, type Word } from '../../word/word.ts';
import { mayTarget, self } from '../domids.ts';
import { fieldOf, withFields } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult } from '../result.ts';

/** The version of every table. */
const VERSION = 1;
const OTHER_VERSION = 2;

export const setVersion = (machine: Machine, caller: VcpuRef, uop: Word): HypercallResult => {
  const { set_version } = gnttab;
  const read = copyFromGuest(machine, caller, uop, set_version.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'gnttab/set_version-argument');
  const asked = fieldOf(read.bytes, set_version.fields.version);
  if (asked === OTHER_VERSION) return notModelled(read.machine, caller, 'grant_table_op/set_version');
  const written = copyToGuest(read.machine, caller, uop, withFields(read.bytes, set_version, { version: VERSION }));
  if (!written.ok) return fail(written.machine, 'EFAULT', 'gnttab/set_version-argument');
  return asked === VERSION
    ? done(written.machine, 'gnttab/set_version-same')
    : fail(written.machine, 'EINVAL', 'gnttab/set_version-unknown');
};

export const getVersion = (machine: Machine, caller: VcpuRef, uop: Word): HypercallResult => {
  const { fields, size } = gnttab.get_version;
  const read = copyFromGuest(machine, caller, uop, size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'gnttab/get_version-argument');
  const domid = self(fieldOf(read.bytes, fields.dom), caller);
  if (!findDomain(read.machine, domid)) return fail(read.machine, 'ESRCH', 'gnttab/get_version-domain');
  if (!mayTarget(caller, domid)) return fail(read.machine, 'EPERM', 'gnttab/get_version-permission');
  const version = Uint8Array.of(VERSION, 0, 0, 0);
  const written = copyToGuest(read.machine, caller, addInt(uop, fields.version.at), version);
  return written.ok ? done(written.machine, 'gnttab/get_version-done') : fail(written.machine, 'EFAULT', 'gnttab/get_version-argument');
};
