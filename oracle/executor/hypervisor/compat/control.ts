/** dm_op, kexec_op, the old form of physdev_op and get_vnumainfo of 32-bit guests, whose structures are shorter or have shorter pointers. */
import { ERRNO } from '#spec/abi/errno.ts';
import { DM_OP_MOST_BUFFERS, hvm } from '#spec/abi/hvm.ts';
import { KEXEC_CMD, kexec } from '#spec/abi/kexec.ts';
import { memory } from '#spec/abi/memory.ts';
import { dm_op } from '../control/hvm_op.ts';
import { kexec_op } from '../control/kexec_op.ts';
import { copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import { physdev_op } from '../hypercall/physdev_op.ts';
import { memory_op } from '../memory/memory_op.ts';
import { minus } from '../result.ts';
import { OWN_PHYSDEV } from './physdev.ts';
import { layOut, type Structure, scratchCopy, translated } from './structure.ts';
import { narrow, withXlat, XLAT_HI } from './xlat.ts';

const BUFFER_BYTES = 8;
const NATIVE_BUFFER = hvm.dm_op_buf.fields;

/** domid, number of buffers, buffers. */
export const compat_dm_op: Handler = (machine, vcpu, args) => {
  const count = args[2] >>> 0;
  if (count === 0) return minus('ENODATA');
  if (count > DM_OP_MOST_BUFFERS) return minus('E2BIG');
  if (!copyFromGuest(machine, vcpu, args[4], 0, count * BUFFER_BYTES)) return minus('EFAULT');
  const given = scratchCopy(count * BUFFER_BYTES);
  return withXlat(machine, (xlat) => {
    for (let i = 0; i < count; i++) {
      xlat.put(i * hvm.dm_op_buf.size + NATIVE_BUFFER.h.at, 8, given.getInt32(i * BUFFER_BYTES, true));
      xlat.put(i * hvm.dm_op_buf.size + NATIVE_BUFFER.size.at, 8, given.getInt32(i * BUFFER_BYTES + 4, true));
    }
    const native = args.slice();
    native[4] = 0;
    native[5] = XLAT_HI;
    return dm_op(machine, vcpu, native);
  });
};

const { range, nr, size, start } = kexec.range.fields;
const RANGE = translated(
  {
    size: 16,
    rows: [
      [0, 4, range.at, 4, true],
      [4, 4, nr.at, 4, true],
      [8, 4, size.at, 8, true],
      [12, 4, start.at, 8, true],
    ],
  },
  1,
  kexec_op,
);
const IMAGE_OF_OLD = translated({ size: 80, rows: [[0, 4, kexec.image_v1.fields.type.at, 4]] }, 1, kexec_op);

/** Nothing is read of one who may not ask. */
export const compat_kexec_op: Handler = (machine, vcpu, args) => {
  if (!vcpu.domain.privileged) return kexec_op(machine, vcpu, args);
  if (args[0] === KEXEC_CMD.get_range) return RANGE(machine, vcpu, args);
  return args[0] === KEXEC_CMD.load_v1 || args[0] === KEXEC_CMD.unload_v1
    ? IMAGE_OF_OLD(machine, vcpu, args)
    : kexec_op(machine, vcpu, args);
};

/** The command, then what the modern form is given. */
const OLD_PHYSDEV_BYTES = 16;
export const compat_physdev_op_compat: Handler = (machine, vcpu, args) => {
  if (!copyFromGuest(machine, vcpu, args[0], 0, OLD_PHYSDEV_BYTES)) return minus('EFAULT');
  const cmd = scratch.getInt32(0, true);
  const behind = (args[0] >>> 0) + 4;
  const native = narrow(cmd, behind | 0);
  native[3] = behind > 0xffffffff ? 1 : 0;
  return (OWN_PHYSDEV.get(cmd) ?? physdev_op)(machine, vcpu, native);
};

const VNUMA = memory.vnuma_topology_info;
const { nr_vnodes, nr_vcpus, nr_vmemranges, vdistance, vcpu_to_vnode, vmemrange } = VNUMA.fields;
const COUNTS = [nr_vnodes, nr_vcpus, nr_vmemranges];
const NODES: Structure = {
  size: VNUMA.size,
  rows: [
    [VNUMA.fields.domid.at, 2, VNUMA.fields.domid.at, 2],
    [VNUMA.fields.pad.at, 2, VNUMA.fields.pad.at, 2],
    ...COUNTS.map(({ at }) => [at, 4, at, 4] as const),
    ...[vdistance, vcpu_to_vnode, vmemrange].map(({ at }) => [at, 4, at, 8] as const),
  ],
};

/** The counts come back also when there was no room for as many. */
export const compatGetVnumainfo: Handler = (machine, vcpu, args) => {
  if (!copyFromGuest(machine, vcpu, args[2], 0, NODES.size)) return minus('EFAULT');
  const given = scratchCopy(NODES.size);
  return withXlat(machine, (xlat) => {
    layOut(xlat, NODES);
    const native = args.slice();
    native[2] = 0;
    native[3] = XLAT_HI;
    const answer = memory_op(machine, vcpu, native);
    if (answer < 0 && answer !== -ERRNO.ENOBUFS) return answer;
    for (const { at } of COUNTS) given.setInt32(at, xlat.word(at), true);
    return copyToGuest(machine, vcpu, args[2], 0, NODES.size, new Uint8Array(given.buffer)) ? answer : minus('EFAULT');
  });
};
