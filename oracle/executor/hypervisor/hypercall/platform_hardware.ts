/** platform_op about the machine's hardware, as far as it is known or refused: what would change the machine stops. */
import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import {
  ACPI_SLEEP,
  CORE_PARKING,
  HOTADD_LIMITS,
  MEMORY_TYPES,
  MTRR,
  PDC_REVISION,
  platform,
  RESOURCE,
  SYMBOLS_AT_MOST,
  XEN_PM,
} from '#spec/abi/platform.ts';
import { HARDWARE_LEFT_OUT, TOOLS_ANSWERED } from '#spec/releases/control.ts';
import { accessOk, copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';

const OP = SUBOPERATIONS.platform_op;
/** The machine itself would be asked, or changed. */
const HARDWARE = 1;
type Field = { readonly at: number };

/** The structure, which lies at `lo`, `hi` in the guest. Answers 0, a negative errno or HARDWARE. */
type Call = { readonly machine: Machine; readonly vcpu: Vcpu; readonly lo: number; readonly hi: number; readonly op: DataView };
type Work = (call: Call) => number;

const u32 = ({ op }: Call, { at }: Field): number => op.getUint32(at, true);
const i32 = ({ op }: Call, { at }: Field): number => op.getInt32(at, true);

/** Store part of the structure. */
const reply = ({ machine, vcpu, lo, hi, op }: Call, from: number, to: number): number => {
  const low = (lo >>> 0) + from;
  const stored = copyToGuest(
    machine,
    vcpu,
    low | 0,
    low >= TWO32 ? (hi + 1) | 0 : hi,
    to - from,
    new Uint8Array(op.buffer, from, to - from),
  );
  return stored ? 0 : -ERRNO.EFAULT;
};

/** A pointer's halves; those of 32-bit guests have one. */
const pointer = (call: Call, { at }: Field): readonly [lo: number, hi: number] => [
  i32(call, { at }),
  call.vcpu.domain.compat ? 0 : i32(call, { at: at + 4 }),
];
const readAt = ({ machine, vcpu }: Call, [lo, hi]: readonly [number, number], offset: number, bytes: number): boolean => {
  const low = (lo >>> 0) + offset;
  return copyFromGuest(machine, vcpu, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, bytes);
};

/** A power of two of pages, aligned to itself, within the physical address width. */
const addMemoryType: Work = (call) => {
  const { mfn, nr_mfns, type } = platform.add_memtype.fields;
  const first = call.op.getBigUint64(mfn.at, true);
  const count = call.op.getBigUint64(nr_mfns.at, true);
  const isBlock = count !== 0n && (count & (count - 1n)) === 0n && (first & (count - 1n)) === 0n;
  const isWithin = (first + count - 1n) >> BigInt(call.machine.physicalBits - 12) === 0n;
  return isBlock && isWithin && u32(call, type) < MTRR.TYPES ? HARDWARE : -ERRNO.EINVAL;
};

/** A register that describes nothing cannot be given back. */
const deleteMemoryType: Work = (call) => {
  const { handle, reg } = platform.del_memtype.fields;
  return u32(call, handle) === 0 && MEMORY_TYPES[u32(call, reg)]?.nr_mfns ? HARDWARE : -ERRNO.EINVAL;
};

/** As the firmware left them. The fields of 32-bit guests follow each other without a gap. */
const readMemoryType: Work = (call) => {
  const { op, vcpu } = call;
  const { reg, mfn, nr_mfns, type } = platform.read_memtype.fields;
  const found = MEMORY_TYPES[u32(call, reg)];
  if (!found) return -ERRNO.EINVAL;
  const gap = vcpu.domain.compat ? 4 : 0;
  op.setBigUint64(mfn.at - gap, BigInt(found.mfn), true);
  op.setBigUint64(nr_mfns.at - gap, BigInt(found.nr_mfns), true);
  op.setUint32(type.at - gap, found.type, true);
  return reply(call, reg.at, platform.read_memtype.size - 2 * gap);
};

const enterSleep: Work = (call) => {
  const { val_a, val_b, flags } = platform.enter_acpi_sleep.fields;
  const [a, b] = [call.op.getUint16(val_a.at, true), call.op.getUint16(val_b.at, true)];
  const how = u32(call, flags);
  if ((how & ACPI_SLEEP.EXTENDED) !== 0) return -ERRNO.EPERM;
  if ((b !== 0 && ((a ^ b) & ACPI_SLEEP.ENABLE) !== 0) || how !== 0) return -ERRNO.EINVAL;
  return HARDWARE;
};

const setPowerInfo: Work = (call) => {
  const { id, type, pdc, states } = platform.set_processor_pminfo.fields;
  switch (u32(call, type)) {
    case XEN_PM.CX:
      // A 32-bit guest cannot name an address that is none of a guest's.
      if (!call.vcpu.domain.compat && !accessOk(call.op.getInt32(states.at + 4, true))) return -ERRNO.EFAULT;
      return u32(call, id) < call.machine.config.pcpus ? HARDWARE : -ERRNO.EINVAL;
    case XEN_PM.PX:
      return u32(call, id) < call.machine.config.pcpus ? HARDWARE : -ERRNO.EINVAL;
    case XEN_PM.TX:
      return -ERRNO.ENOSYS;
    case XEN_PM.PDC: {
      const bits = pointer(call, pdc);
      if (!readAt(call, bits, 0, 8)) return -ERRNO.EFAULT;
      if (scratch.getUint32(0, true) !== PDC_REVISION || scratch.getUint32(4, true) === 0) return -ERRNO.EINVAL;
      return readAt(call, bits, 8, 4) ? HARDWARE : -ERRNO.EFAULT;
    }
    default:
      return -ERRNO.EINVAL;
  }
};

/** Firmware numbers processors, and their local APICs, alike. */
const addProcessor: Work = (call) => {
  const { apic_id, acpi_id, pxm } = platform.cpu_hotadd.fields;
  const [apic, acpi] = [u32(call, apic_id), u32(call, acpi_id)];
  const { pcpus } = call.machine.config;
  if (acpi >= HOTADD_LIMITS.acpi_ids || apic >= HOTADD_LIMITS.apic_ids || u32(call, pxm) >= HOTADD_LIMITS.nodes) return -ERRNO.EINVAL;
  if (acpi < pcpus) return acpi === apic ? -ERRNO.EEXIST : -ERRNO.EINVAL;
  return apic < pcpus ? -ERRNO.EEXIST : HARDWARE;
};

const parkCores: Work = (call) => {
  const { type, idle_nums } = platform.core_parking.fields;
  switch (u32(call, type)) {
    case CORE_PARKING.SET:
      return HARDWARE;
    case CORE_PARKING.GET:
      call.op.setUint32(idle_nums.at, 0, true);
      return reply(call, type.at, platform.core_parking.size);
    default:
      return -ERRNO.EINVAL;
  }
};

/** The first entry is judged before the processor is looked for; the answer to a bad one stands in the entry. */
const accessResources: Work = (call) => {
  const { nr_entries, cpu, entries } = platform.resource_op.fields;
  const count = u32(call, nr_entries);
  if (count === 0) return 0;
  if (count > RESOURCE.MOST_ENTRIES) return -ERRNO.EINVAL;
  const list = pointer(call, entries);
  if (!readAt(call, list, 0, count * platform.resource_entry.size)) return -ERRNO.EFAULT;
  const wrong = wrongEntry();
  if (wrong === 0) return u32(call, cpu) < call.machine.config.pcpus ? HARDWARE : -ERRNO.ENODEV;
  scratch.setInt32(platform.resource_entry.fields.cmd.at, -wrong, true);
  return copyToGuest(call.machine, call.vcpu, list[0], list[1], platform.resource_entry.size) ? 0 : -ERRNO.EFAULT;
};

/** Of the entry in the scratch buffer: no register may be written, and of all only the time-stamp counter read. */
const wrongEntry = (): number => {
  const { cmd, rsvd, idx } = platform.resource_entry.fields;
  const command = scratch.getUint32(cmd.at, true);
  if (scratch.getUint32(rsvd.at, true) !== 0) return ERRNO.EINVAL;
  if (command !== RESOURCE.MSR_READ && command !== RESOURCE.MSR_WRITE) return ERRNO.EOPNOTSUPP;
  const register = scratch.getBigUint64(idx.at, true);
  if (register >> 32n !== 0n) return ERRNO.EINVAL;
  return command === RESOURCE.MSR_READ && register === RESOURCE.TIME_STAMP ? 0 : ERRNO.EPERM;
};

/** What Xen's symbols are called is its own affair; that there are not so many is known. */
const getSymbol: Work = (call) => (u32(call, platform.get_symbol.fields.symnum) >= SYMBOLS_AT_MOST ? -ERRNO.ERANGE : HARDWARE);

const ROWS: ReadonlyMap<number, readonly [name: string, work: Work]> = new Map([
  [OP.add_memtype, ['add_memtype', addMemoryType]],
  [OP.del_memtype, ['del_memtype', deleteMemoryType]],
  [OP.read_memtype, ['read_memtype', readMemoryType]],
  // Xen knows no microcode for this processor.
  [OP.microcode_update, ['microcode_update', () => -ERRNO.EINVAL]],
  [OP.enter_acpi_sleep, ['enter_acpi_sleep', enterSleep]],
  [OP.set_processor_pminfo, ['set_processor_pminfo', setPowerInfo]],
  [OP.cpu_hotadd, ['cpu_hotadd', addProcessor]],
  // No memory lies where the firmware's tables of nodes would have it, for there are none.
  [OP.mem_hotadd, ['mem_hotadd', () => -ERRNO.EINVAL]],
  [OP.core_parking, ['core_parking', parkCores]],
  [OP.resource_op, ['resource_op', accessResources]],
  [OP.get_symbol, ['get_symbol', getSymbol]],
]);

const isKnown = ({ config: { release } }: Machine, name: string): boolean =>
  TOOLS_ANSWERED[release] && !HARDWARE_LEFT_OUT[release].includes(name);

/** The answer, or null when the operation is none of these or asks the hardware. The structure is in the scratch buffer. */
export const aboutHardware = (machine: Machine, vcpu: Vcpu, cmd: number, lo: number, hi: number): number | null => {
  const row = ROWS.get(cmd);
  if (!row || !isKnown(machine, `platform_op/${row[0]}`)) return null;
  const op = new DataView(scratch.buffer.slice(0, platform.call.size));
  const answer = row[1]({ machine, vcpu, lo, hi, op });
  return answer === HARDWARE ? null : answer;
};
