/** physdev_op of 32-bit guests: four of its structures are shorter than those of 64-bit ones. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { IO_BITMAP_BYTES, MAP_PIRQ_TYPE, physdev } from '#spec/abi/physdev.ts';
import { copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import { physdev_op } from '../hypercall/physdev_op.ts';
import { minus } from '../result.ts';
import { isBelowXen, layOut, type Structure, scratchCopy, translated } from './structure.ts';
import { withXlat, XLAT_HI } from './xlat.ts';

const OP = SUBOPERATIONS.physdev_op;

const IOBITMAP: Structure = {
  size: 8,
  rows: [
    [0, 4, physdev.set_iobitmap.fields.bitmap.at, 8],
    [4, 4, physdev.set_iobitmap.fields.nr_ports.at, 4],
  ],
};
const asNative = translated(IOBITMAP, 1, physdev_op);

/** The bitmap must end below Xen. */
const setIobitmap: Handler = (machine, vcpu, args) => {
  if (!copyFromGuest(machine, vcpu, args[2], 0, IOBITMAP.size)) return minus('EFAULT');
  return isBelowXen(vcpu, scratch.getInt32(0, true), IO_BITMAP_BYTES) ? asNative(machine, vcpu, args) : minus('EINVAL');
};

const APIC_BYTES = 12;
const APIC = translated(
  {
    size: APIC_BYTES,
    rows: [
      [0, 4, physdev.apic.fields.apic_physbase.at, 8],
      [4, 4, physdev.apic.fields.reg.at, 4],
      [8, 4, physdev.apic.fields.value.at, 4],
    ],
  },
  1,
  physdev_op,
);
/** Domain 0 gets it back also when there is no such I/O APIC. */
const readApic: Handler = (machine, vcpu, args) => {
  const answer = APIC(machine, vcpu, args);
  if (!vcpu.domain.privileged || answer !== minus('EINVAL')) return answer;
  if (!copyFromGuest(machine, vcpu, args[2], 0, APIC_BYTES)) return minus('EFAULT');
  return copyToGuest(machine, vcpu, args[2], 0, APIC_BYTES) ? answer : minus('EFAULT');
};
const GMFN = translated({ size: 4, rows: [[0, 4, 0, 8]] }, 1, physdev_op);

const { domid, type, index, pirq, bus, devfn, entry_nr, table_base } = physdev.map_pirq.fields;
const MAP: Structure = {
  size: 36,
  rows: [
    [0, 2, domid.at, 2],
    [4, 4, type.at, 4],
    [8, 4, index.at, 4],
    [12, 4, pirq.at, 4],
    [16, 4, bus.at, 4],
    [20, 4, devfn.at, 4],
    [24, 4, entry_nr.at, 4],
    [28, 8, table_base.at, 8],
  ],
};

/** It goes back to the guest whatever is answered, but for a table of several MSIs, which is refused at once. */
const mapPirq: Handler = (machine, vcpu, args) => {
  if (!copyFromGuest(machine, vcpu, args[2], 0, MAP.size)) return minus('EFAULT');
  const given = scratchCopy(MAP.size);
  const early = given.getUint32(4, true) === MAP_PIRQ_TYPE.MULTI_MSI && given.getBigUint64(28, true) !== 0n;
  return withXlat(machine, (xlat) => {
    layOut(xlat, MAP);
    const native = args.slice();
    native[2] = 0;
    native[3] = XLAT_HI;
    const answer = physdev_op(machine, vcpu, native);
    if (early) return answer;
    for (const [at, size, from] of MAP.rows) if (size === 4) given.setInt32(at, xlat.word(from), true);
    return copyToGuest(machine, vcpu, args[2], 0, MAP.size, new Uint8Array(given.buffer)) ? answer : minus('EFAULT');
  });
};

export const OWN_PHYSDEV: ReadonlyMap<number, Handler> = new Map([
  [OP.set_iobitmap, setIobitmap],
  [OP.apic_read, readApic],
  [OP.apic_write, APIC],
  [OP.pirq_eoi_gmfn_v1, GMFN],
  [OP.pirq_eoi_gmfn_v2, GMFN],
  [OP.map_pirq, mapPirq],
]);
