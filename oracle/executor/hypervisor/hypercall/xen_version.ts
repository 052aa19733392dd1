/** xen_version: who Xen is. A domain other than dom0 is not told the command line and the build. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { xen_version as layouts, XENFEAT } from '#spec/abi/version.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { MachineConfig } from '#spec/config.ts';
import { XENVER_VARBUF } from '#spec/releases/version.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';

const OP = SUBOPERATIONS.xen_version;
const PAGE_SIZE = 4096;

export const xen_version = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const lo = args[2];
  const hi = args[3];
  const { xen } = machine.config;
  switch (args[0]) {
    case OP.version:
      return (xen.major << 16) | xen.minor;
    case OP.extraversion:
      return give(machine, vcpu, lo, hi, recordsOf(xen).extraversion);
    case OP.compile_info:
      return give(machine, vcpu, lo, hi, recordsOf(xen).compile_info);
    case OP.capabilities:
      return give(machine, vcpu, lo, hi, recordsOf(xen).capabilities);
    case OP.changeset:
      return give(machine, vcpu, lo, hi, recordsOf(xen).changeset);
    case OP.platform_parameters:
      scratch.setBigUint64(0, BigInt(xen.virt_start), true);
      return copyToGuest(machine, vcpu, lo, hi, layouts.platform_parameters.size) ? 0 : minus('EFAULT');
    case OP.get_features:
      return getFeatures(machine, vcpu, lo, hi);
    case OP.pagesize:
      return (lo | hi) === 0 ? PAGE_SIZE : minus('EINVAL');
    case OP.guest_handle:
      return give(machine, vcpu, lo, hi, vcpu.domain.handle);
    case OP.commandline:
      return give(machine, vcpu, lo, hi, vcpu.domain.privileged ? recordsOf(xen).commandline : DENIED);
    case OP.build_id:
      return vcpu.domain.privileged ? buildId(machine, vcpu, lo, hi) : minus('EPERM');
  }
  return machine.ways['xen_version-varbuf'] === 'present' ? tellWhole(machine, vcpu, args[0], lo, hi) : minus('ENOSYS');
};

/** A structure of NUL-padded texts; each keeps at least one NUL. */
const filled = (structure: Layout, texts: Readonly<Record<string, string>>): Uint8Array => {
  const bytes = new Uint8Array(structure.size);
  for (const [name, text] of Object.entries(texts)) {
    const { at, size } = structure.fields[name]!;
    for (let i = 0; i < Math.min(text.length, size - 1); i++) bytes[at + i] = text.charCodeAt(i);
  }
  return bytes;
};

/** What a domain without privilege is told instead of the command line, its NUL included. */
const DENIED = Uint8Array.from('<denied>\0', (letter) => letter.charCodeAt(0));

type Xen = MachineConfig['xen'];

/** What Xen tells of itself, byte for byte: the same at every call. */
type Records = Readonly<Record<'extraversion' | 'compile_info' | 'capabilities' | 'changeset' | 'commandline' | 'id', Uint8Array>>;

const makeRecords = (xen: Xen): Records => {
  const { compiler, compile_by, compile_domain, compile_date } = xen;
  return {
    extraversion: filled(layouts.extraversion, { extraversion: xen.extraversion }),
    compile_info: filled(layouts.compile_info, { compiler, compile_by, compile_domain, compile_date }),
    capabilities: filled(layouts.capabilities, { info: xen.capabilities }),
    changeset: filled(layouts.changeset, { info: xen.changeset }),
    commandline: filled(layouts.commandline, { buf: xen.commandline }),
    id: Uint8Array.from(xen.build_id.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16)),
  };
};

const made = new WeakMap<Xen, Records>();
const recordsOf = (xen: Xen): Records => {
  const known = made.get(xen);
  if (known) return known;
  const records = makeRecords(xen);
  made.set(xen, records);
  return records;
};

const give = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, record: Uint8Array): number =>
  copyToGuest(machine, vcpu, lo, hi, record.length, record) ? 0 : minus('EFAULT');

const getFeatures = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { size, fields } = layouts.feature_info;
  if (!copyFromGuest(machine, vcpu, lo, hi, size)) return minus('EFAULT');
  if (scratch.getUint32(fields.submap_idx.at, true) !== 0) return minus('EINVAL');
  const { domain } = vcpu;
  const above4g = 1 << XENFEAT.pae_pgdir_above_4gb;
  const base = (domain.privileged ? machine.config.xen.features_dom0 : machine.config.xen.features_domu) & ~above4g;
  const submap = base | ((domain.vmAssist & (1 << VMASST_TYPE.pae_extended_cr3)) !== 0 ? above4g : 0);
  return putGuest(machine, vcpu, lo, hi, 8, scratch.getInt32(fields.submap_idx.at, true), submap) ? 0 : minus('EFAULT');
};

/** A null pointer asks for the length. */
const buildId = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { id } = recordsOf(machine.config.xen);
  const isNull = (lo | hi) === 0;
  const header = layouts.build_id.size;
  if (!isNull) {
    if (!copyFromGuest(machine, vcpu, lo, hi, header)) return minus('EFAULT');
    if (scratch.getUint32(0, true) === 0 && machine.ways['build_id-no_room'] === 'EINVAL') return minus('EINVAL');
  }
  if (id.length === 0) return minus('ENODATA');
  if (isNull) return id.length;
  if (id.length > scratch.getUint32(0, true)) return minus('ENOBUFS');
  const at = (lo >>> 0) + header;
  return copyToGuest(machine, vcpu, at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, id.length, id) ? id.length : minus('EFAULT');
};

/** Texts without an end mark, as long as they are; a null pointer asks for the length. */
const tellWhole = (machine: Machine, vcpu: Vcpu, op: number, lo: number, hi: number): number => {
  const { xen } = machine.config;
  const texts: Readonly<Record<number, string>> = {
    [XENVER_VARBUF.extraversion2]: xen.extraversion,
    [XENVER_VARBUF.capabilities2]: xen.capabilities,
    [XENVER_VARBUF.changeset2]: xen.changeset,
    [XENVER_VARBUF.commandline2]: xen.commandline,
  };
  const text = texts[op];
  if (text === undefined) return minus('ENOSYS');
  if (op === XENVER_VARBUF.commandline2 && !vcpu.domain.privileged) return minus('EPERM');
  if ((lo | hi) === 0) return text.length;
  if (!copyFromGuest(machine, vcpu, lo, hi, layouts.build_id.size)) return minus('EFAULT');
  if (text.length > scratch.getUint32(0, true)) return minus('ENOBUFS');
  const at = (lo >>> 0) + layouts.build_id.size;
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  return copyToGuest(machine, vcpu, at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, bytes.length, bytes) ? bytes.length : minus('EFAULT');
};
