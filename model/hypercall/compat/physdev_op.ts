/** physdev_op of a 32-bit domain. Chapter: spec/chapters/compat.md, "Hypercalls". */
import { COMPAT } from '#spec/abi/compat.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { IO_BITMAP_BYTES, IO_PORTS, physdev } from '#spec/abi/physdev.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { updateVcpu } from '../../lens.ts';
import { word } from '../../word/word.ts';
import { fieldsOf } from '../guest_struct.ts';
import { physdev_op as widePhysdevOp } from '../physdev/physdev_op.ts';
import { done, fail, type Perform } from '../result.ts';
import { areaAt, laidOut, listOk, narrowed, putAway, widen } from './translation.ts';

const OP = SUBOPERATIONS.physdev_op;

const setIobitmap: Perform = (machine, caller, [, arg]) => {
  const copied = copyFromGuest(cite(machine, 'compat/physdev_op-structure'), caller, arg, COMPAT.set_iobitmap.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'physdev/set_iobitmap-fault');
  const { bitmap, nr_ports } = fieldsOf(copied.bytes, COMPAT.set_iobitmap);
  const address = word(0, bitmap);
  if (!listOk(copied.machine, caller, address, IO_BITMAP_BYTES, 1) || nr_ports > IO_PORTS)
    return fail(copied.machine, 'EINVAL', 'physdev/set_iobitmap-argument');
  return done(updateVcpu(copied.machine, caller, { ioBitmap: { address, ports: nr_ports } }), 'physdev/set_iobitmap-done');
};

/** The structure goes back as the rule left it, where it wrote it. */
const structure =
  (narrow: Layout, wide: Layout): Perform =>
  (machine, caller, [cmd, arg]) => {
    const read = copyFromGuest(cite(machine, 'compat/physdev_op-structure'), caller, arg, narrow.size);
    if (!read.ok) return fail(read.machine, 'EFAULT', 'physdev/argument');
    const before = laidOut(read.machine, widen(read.bytes, narrow, wide));
    const { result, area } = putAway(widePhysdevOp(before, caller, [cmd, areaAt(0)]));
    if (area === before.translation) return result;
    const told = copyToGuestUnchecked(result.machine, caller, arg, narrowed(area, narrow, wide));
    return told.ok ? { ...result, machine: told.machine } : fail(told.machine, 'EFAULT', 'physdev/argument');
  };

const RULES: ReadonlyMap<number, Perform> = new Map([
  [OP.set_iobitmap, setIobitmap],
  [OP.apic_read, structure(COMPAT.apic, physdev.apic)],
  [OP.apic_write, structure(COMPAT.apic, physdev.apic)],
  [OP.pirq_eoi_gmfn_v1, structure(COMPAT.pirq_eoi_gmfn, physdev.pirq_eoi_gmfn)],
  [OP.pirq_eoi_gmfn_v2, structure(COMPAT.pirq_eoi_gmfn, physdev.pirq_eoi_gmfn)],
  [OP.map_pirq, structure(COMPAT.map_pirq, physdev.map_pirq)],
]);

export const physdev_op: Perform = (machine, caller, args) => (RULES.get(args[0].lo) ?? widePhysdevOp)(machine, caller, args);
