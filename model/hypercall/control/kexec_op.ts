/** HYPERVISOR_kexec_op(op, uarg): kernels to be started in place of Xen, of which none is loaded. Chapter: spec/chapters/privileged.md. */
import {
  KEXEC_CMD as CMD,
  KEXEC_RANGE,
  KEXEC_SEGMENT_BYTES,
  KEXEC_SEGMENT_MAX,
  KEXEC_TYPE,
  kexec,
  VMCOREINFO_BYTES,
} from '#spec/abi/kexec.ts';
import type { Layout } from '#spec/abi/layout.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { isAnswered } from '#spec/releases/control.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import type { Word } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { fieldsOf, withFields } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

/** `bytes`: the whole structure, which lies at `at`. */
type Rule = (machine: Machine, caller: VcpuRef, asked: { readonly at: Word; readonly bytes: Uint8Array }) => HypercallResult;
const isKind = (type: number): boolean => type <= KEXEC_TYPE.CRASH;

const exec: Rule = (machine, _caller, { bytes }) =>
  isKind(fieldsOf(bytes, kexec.exec).type) ? fail(machine, 'ENOENT', 'kexec/exec') : fail(machine, 'EINVAL', 'kexec/type');

/** Nothing is there to be taken away, and the other place counts all the same. */
const unload: Rule = (machine, _caller, { bytes }) => {
  const type = bytes[0];
  if (!isKind(type)) return fail(machine, 'EINVAL', 'kexec/type');
  return done({ ...machine, kexec: (machine.kexec ?? 0) ^ (1 << type) }, 'kexec/unload');
};

const status: Rule = (machine, _caller, { bytes }) =>
  isKind(bytes[0]) ? done(machine, 'kexec/status', ((machine.kexec ?? 0) >> bytes[0]) & 1) : fail(machine, 'EINVAL', 'kexec/type');

const getRange: Rule = (machine, caller, { at, bytes }) => {
  const { range, nr } = fieldsOf(bytes, kexec.range);
  if (range === KEXEC_RANGE.CPU) return fail(machine, nr >= machine.config.pcpus ? 'ERANGE' : 'EINVAL', 'kexec/get_range-none');
  const told: readonly number[] = [KEXEC_RANGE.CRASH, KEXEC_RANGE.XEN, KEXEC_RANGE.VMCOREINFO];
  if (!told.includes(range)) return fail(machine, 'EINVAL', 'kexec/get_range-none');
  const size = range === KEXEC_RANGE.VMCOREINFO ? VMCOREINFO_BYTES : 0;
  const stored = copyToGuestUnchecked(machine, caller, at, withFields(bytes, kexec.range, { size, start: 0 }));
  return stored.ok ? done(stored.machine, 'kexec/get_range-told') : fail(stored.machine, 'EFAULT', 'kexec/get_range-told');
};

const I386 = 3;
const X86_64 = 62;

const load: Rule = (machine, caller, { bytes }) => {
  const { type, arch, nr_segments } = fieldsOf(bytes, kexec.load);
  if (nr_segments >= KEXEC_SEGMENT_MAX) return fail(machine, 'EINVAL', 'kexec/load-segments');
  const read = copyFromGuest(machine, caller, wordIn(bytes, kexec.load.fields.segments.at), nr_segments * KEXEC_SEGMENT_BYTES);
  const m = read.machine;
  if (!read.ok) return fail(m, 'EFAULT', 'kexec/load-segments');
  if (!isKind(type)) return fail(m, 'EINVAL', 'kexec/type');
  if (type === KEXEC_TYPE.CRASH) return fail(m, 'EADDRNOTAVAIL', 'kexec/load-crash');
  if (nr_segments === 0 && arch !== I386 && arch !== X86_64) return fail(m, 'EINVAL', 'kexec/load-processor');
  return notModelled(m, caller, 'kexec_op');
};

const RULES: ReadonlyMap<number, readonly [layout: Layout, rule: Rule]> = new Map<number, readonly [Layout, Rule]>([
  [CMD.kexec, [kexec.exec, exec]],
  [CMD.load_v1, [kexec.image_v1, (machine, caller) => notModelled(machine, caller, 'kexec_op')]],
  [CMD.unload_v1, [kexec.image_v1, unload]],
  [CMD.get_range, [kexec.range, getRange]],
  [CMD.load, [kexec.load, load]],
  [CMD.unload, [kexec.kind, unload]],
  [CMD.status, [kexec.kind, status]],
]);

export const kexec_op: Perform = (machine, caller, [op, at]) => {
  if (!isControlDomain(caller)) return fail(machine, 'EPERM', 'control/privilege');
  if (!isAnswered(machine.config.release, true)) return notModelled(machine, caller, 'kexec_op');
  const known = op.hi === 0 ? RULES.get(op.lo) : undefined;
  if (!known)
    return waysOf(machine.config.release)['kexec_op-unknown'] === 'nothing'
      ? done(machine, 'kexec/operation')
      : fail(machine, 'EOPNOTSUPP', 'kexec/operation');
  const [layout, rule] = known;
  const read = copyFromGuest(machine, caller, at, layout.size);
  return read.ok ? rule(read.machine, caller, { at, bytes: read.bytes }) : fail(read.machine, 'EFAULT', 'kexec/argument');
};
