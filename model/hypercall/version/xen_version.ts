/** xen_version: what Xen tells about itself. Chapter: spec/chapters/version.md. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { xen_version as abi, XENFEAT } from '#spec/abi/version.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { MachineConfig } from '#spec/config.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { XENVER_VARBUF } from '#spec/releases/version.ts';
import { copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { addInt, isZero, type Word } from '../../word/word.ts';
import { fieldOf, withFields } from '../guest_struct.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

const CMD = SUBOPERATIONS.xen_version;
type Answer = (machine: Machine, caller: VcpuRef, arg: Word) => HypercallResult;

export const xen_version: Perform = (machine, caller, [cmd, arg]) => {
  const text = waysOf(machine.config.release)['xen_version-varbuf'] === 'present' ? WHOLE_TEXTS.get(cmd.lo) : undefined;
  if (text !== undefined) return tellWhole(machine, caller, arg, text);
  const answer = ANSWERS.get(cmd.lo);
  return answer ? answer(machine, caller, arg) : fail(machine, 'ENOSYS', 'version/unknown');
};

/** What an unprivileged domain reads in place of the command line. */
const DENIED = '<denied>\0';
const PAGE_SIZE = 4096;

const bytesOfText = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0));

/** Texts into the fields of a structure that is zero otherwise. */
const fill = ({ size, fields }: Layout, texts: Record<string, string>): Uint8Array => {
  const bytes = new Uint8Array(size);
  for (const [name, text] of Object.entries(texts)) bytes.set(bytesOfText(text).slice(0, fields[name].size - 1), fields[name].at);
  return bytes;
};

/** The structures of texts that were filled before: each is the same for as long as there is the machine. */
const known = new WeakMap<MachineConfig['xen'], Map<Layout, Uint8Array>>();

const filled = ({ config: { xen } }: Machine, layout: Layout, texts: Record<string, string>): Uint8Array => {
  const all = known.get(xen) ?? new Map<Layout, Uint8Array>();
  const bytes = all.get(layout) ?? fill(layout, texts);
  if (!all.has(layout)) known.set(xen, all.set(layout, bytes));
  return bytes;
};

const tell = (machine: Machine, caller: VcpuRef, arg: Word, bytes: Uint8Array): HypercallResult => {
  const stored = copyToGuest(machine, caller, arg, bytes);
  return stored.ok ? done(stored.machine, 'version/text-told') : fail(stored.machine, 'EFAULT', 'version/text-fault');
};

const version: Answer = (machine) => done(machine, 'version/version', (machine.config.xen.major << 16) | machine.config.xen.minor);

const extraversion: Answer = (machine, caller, arg) =>
  tell(machine, caller, arg, filled(machine, abi.extraversion, { extraversion: machine.config.xen.extraversion }));

const compileInfo: Answer = (machine, caller, arg) => {
  const { compiler, compile_by, compile_domain, compile_date } = machine.config.xen;
  return tell(machine, caller, arg, filled(machine, abi.compile_info, { compiler, compile_by, compile_domain, compile_date }));
};

const capabilities: Answer = (machine, caller, arg) =>
  tell(machine, caller, arg, filled(machine, abi.capabilities, { info: machine.config.xen.capabilities }));

const changeset: Answer = (machine, caller, arg) =>
  tell(machine, caller, arg, filled(machine, abi.changeset, { info: machine.config.xen.changeset }));

const platformParameters: Answer = (machine, caller, arg) => {
  const bytes = new Uint8Array(abi.platform_parameters.size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(machine.config.xen.virt_start), true);
  return tell(machine, caller, arg, bytes);
};

const getFeatures: Answer = (machine, caller, arg) => {
  const copied = copyFromGuest(machine, caller, arg, abi.feature_info.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'version/get_features-fault');
  if (fieldOf(copied.bytes, abi.feature_info.fields.submap_idx) !== 0) return fail(copied.machine, 'EINVAL', 'version/get_features-index');
  const bytes = withFields(copied.bytes, abi.feature_info, { submap: features(machine, caller.domid) });
  const stored = copyToGuest(copied.machine, caller, arg, bytes);
  return stored.ok ? done(stored.machine, 'version/get_features-told') : fail(stored.machine, 'EFAULT', 'version/get_features-fault');
};

/** One feature is not the machine's but the domain's: whether it said that it can take a top-level table above 4 GiB. */
const features = (machine: Machine, domid: number): number => {
  const { config } = machine;
  const all = domid === 0 ? config.xen.features_dom0 : config.xen.features_domu;
  const bit = 1 << XENFEAT.pae_pgdir_above_4gb;
  const assisted = (domainOf(machine, domid).vmAssist & (1n << BigInt(VMASST_TYPE.pae_extended_cr3))) !== 0n;
  return (assisted ? all | bit : all & ~bit) >>> 0;
};

const pagesize: Answer = (machine, _caller, arg) =>
  isZero(arg) ? done(machine, 'version/pagesize', PAGE_SIZE) : fail(machine, 'EINVAL', 'version/pagesize-argument');

const guestHandle: Answer = (machine, caller, arg) =>
  tell(machine, caller, arg, domainOf(machine, caller.domid).handle ?? new Uint8Array(abi.guest_handle.size));

const commandline: Answer = (machine, caller, arg) =>
  caller.domid === 0
    ? tell(machine, caller, arg, filled(machine, abi.commandline, { buf: machine.config.xen.commandline }))
    : tell(cite(machine, 'version/commandline-denied'), caller, arg, Uint8Array.from(bytesOfText(DENIED)));

const buildId: Answer = (machine, caller, arg) => {
  if (caller.domid !== 0) return fail(machine, 'EPERM', 'version/build_id-permission');
  const id = Uint8Array.from(machine.config.xen.build_id.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  if (isZero(arg))
    return id.length === 0 ? fail(machine, 'ENODATA', 'version/build_id-none') : done(machine, 'version/build_id-size', id.length);
  const copied = copyFromGuest(machine, caller, arg, abi.build_id.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'version/build_id-fault');
  const room = fieldOf(copied.bytes, abi.build_id.fields.len);
  if (room === 0 && waysOf(machine.config.release)['build_id-no_room'] === 'EINVAL')
    return fail(copied.machine, 'EINVAL', 'version/build_id-empty');
  if (id.length === 0) return fail(copied.machine, 'ENODATA', 'version/build_id-none');
  if (room < id.length) return fail(copied.machine, 'ENOBUFS', 'version/build_id-room');
  const stored = copyToGuest(copied.machine, caller, addInt(arg, abi.build_id.size), id);
  return stored.ok ? done(stored.machine, 'version/build_id-told', id.length) : fail(stored.machine, 'EFAULT', 'version/build_id-fault');
};

/** Texts that are told whole, without an end mark, by releases that do. */
const WHOLE_TEXTS: ReadonlyMap<number, 'extraversion' | 'capabilities' | 'changeset' | 'commandline'> = new Map([
  [XENVER_VARBUF.extraversion2, 'extraversion'],
  [XENVER_VARBUF.capabilities2, 'capabilities'],
  [XENVER_VARBUF.changeset2, 'changeset'],
  [XENVER_VARBUF.commandline2, 'commandline'],
]);

const tellWhole = (
  machine: Machine,
  caller: VcpuRef,
  arg: Word,
  name: 'extraversion' | 'capabilities' | 'changeset' | 'commandline',
): HypercallResult => {
  const text = machine.config.xen[name];
  if (name === 'commandline' && caller.domid !== 0) return fail(machine, 'EPERM', 'version/unknown');
  if (isZero(arg)) return done(machine, 'version/unknown', text.length);
  const copied = copyFromGuest(machine, caller, arg, abi.build_id.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'version/unknown');
  if (fieldOf(copied.bytes, abi.build_id.fields.len) < text.length) return fail(copied.machine, 'ENOBUFS', 'version/unknown');
  const stored = copyToGuest(copied.machine, caller, addInt(arg, abi.build_id.size), Uint8Array.from(bytesOfText(text)));
  return stored.ok ? done(stored.machine, 'version/unknown', text.length) : fail(stored.machine, 'EFAULT', 'version/unknown');
};

const ANSWERS: ReadonlyMap<number, Answer> = new Map([
  [CMD.version, version],
  [CMD.extraversion, extraversion],
  [CMD.compile_info, compileInfo],
  [CMD.capabilities, capabilities],
  [CMD.changeset, changeset],
  [CMD.platform_parameters, platformParameters],
  [CMD.get_features, getFeatures],
  [CMD.pagesize, pagesize],
  [CMD.guest_handle, guestHandle],
  [CMD.commandline, commandline],
  [CMD.build_id, buildId],
]);
