/** xen_version: who Xen is. A domain other than dom0 is not told the command line and the build. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { xen_version as layouts, XENFEAT } from '#spec/abi/version.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';

const OP = SUBOPERATIONS.xen_version;
const PAGE_SIZE = 4096;
const DENIED = '<denied>';

export const xen_version = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const lo = args[2];
  const hi = args[3];
  const { xen } = machine.config;
  const give = (structure: Layout, texts: Readonly<Record<string, string>>): number =>
    copyToGuest(machine, vcpu, lo, hi, structure.size, filled(structure, texts)) ? 0 : minus('EFAULT');
  switch (args[0]) {
    case OP.version:
      return (xen.major << 16) | xen.minor;
    case OP.extraversion:
      return give(layouts.extraversion, { extraversion: xen.extraversion });
    case OP.compile_info: {
      const { compiler, compile_by, compile_domain, compile_date } = xen;
      return give(layouts.compile_info, { compiler, compile_by, compile_domain, compile_date });
    }
    case OP.capabilities:
      return give(layouts.capabilities, { info: xen.capabilities });
    case OP.changeset:
      return give(layouts.changeset, { info: xen.changeset });
    case OP.platform_parameters:
      scratch.setBigUint64(0, BigInt(xen.virt_start), true);
      return copyToGuest(machine, vcpu, lo, hi, layouts.platform_parameters.size) ? 0 : minus('EFAULT');
    case OP.get_features:
      return getFeatures(machine, vcpu, lo, hi);
    case OP.pagesize:
      return (lo | hi) === 0 ? PAGE_SIZE : minus('EINVAL');
    case OP.guest_handle:
      return give(layouts.guest_handle, {});
    case OP.commandline:
      if (vcpu.domain.privileged) return give(layouts.commandline, { buf: xen.commandline });
      return copyToGuest(machine, vcpu, lo, hi, DENIED.length + 1, filled(layouts.commandline, { buf: DENIED })) ? 0 : minus('EFAULT');
    case OP.build_id:
      return vcpu.domain.privileged ? buildId(machine, vcpu, lo, hi) : minus('EPERM');
  }
  return minus('ENOSYS');
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
  const id = Uint8Array.from(machine.config.xen.build_id.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const isNull = (lo | hi) === 0;
  const header = layouts.build_id.size;
  if (!isNull) {
    if (!copyFromGuest(machine, vcpu, lo, hi, header)) return minus('EFAULT');
    if (scratch.getUint32(0, true) === 0) return minus('EINVAL');
  }
  if (id.length === 0) return minus('ENODATA');
  if (isNull) return id.length;
  if (id.length > scratch.getUint32(0, true)) return minus('ENOBUFS');
  const at = (lo >>> 0) + header;
  return copyToGuest(machine, vcpu, at | 0, at > 0xffffffff ? (hi + 1) | 0 : hi, id.length, id) ? id.length : minus('EFAULT');
};
