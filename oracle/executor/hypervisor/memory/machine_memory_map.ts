/** XENMEM_machine_memory_map: the firmware's map, and between its rows what domain 0 may not map. */
import { ERRNO } from '#spec/abi/errno.ts';
import { E820, memory } from '#spec/abi/memory.ts';
import { accessOk, copyToGuest, scratch } from '../guest_access.ts';
import { PHYSICAL_FRAMES } from '../io_capabilities.ts';
import type { Machine } from '../machine.ts';
import { IO_APIC_FRAME } from '../mm/io_memory.ts';
import type { Vcpu } from '../vcpu.ts';
import { offsetHi, offsetLo, readArgument, writeArgument } from './argument.ts';
import { rowBytes } from './memory_map.ts';

const PAGE = 4096n;
const ROW_BYTES = 20;

/** A list that grows row by row; with a null buffer rows are only counted. */
class Rows {
  count = 0;
  /** First frame that no row or range has reached. */
  next = 0;
  private readonly machine: Machine;
  private readonly vcpu: Vcpu;
  private readonly lo: number;
  private readonly hi: number;
  readonly room: number;

  constructor(machine: Machine, vcpu: Vcpu, lo: number, hi: number, room: number) {
    this.machine = machine;
    this.vcpu = vcpu;
    this.lo = lo;
    this.hi = hi;
    this.room = room;
  }

  isStored(): boolean {
    return (this.lo | this.hi) !== 0;
  }

  /** Store the row after the last one; false when it cannot be written. */
  store(address: bigint, size: bigint, type: number): boolean {
    const at = this.count * ROW_BYTES;
    return copyToGuest(
      this.machine,
      this.vcpu,
      offsetLo(this.lo, at),
      offsetHi(this.lo, this.hi, at),
      ROW_BYTES,
      rowBytes(address, size, type),
    );
  }

  /** Frames from `first` to `last` are domain 0's to map: what lies before them and after the last ones is not. */
  private mapped(first: number, last: number): number {
    if (first > this.next && first < PHYSICAL_FRAMES) {
      if (this.isStored()) {
        if (this.count + 1 >= this.room) return -ERRNO.EINVAL;
        if (!this.store(BigInt(this.next) * PAGE, BigInt(first - this.next) * PAGE, E820.RESERVED)) return -ERRNO.EFAULT;
      }
      this.count++;
    }
    this.next = last + 1;
    return 0;
  }

  /** The same, except that the I/O APIC's frame is none of them. */
  range(first: number, last: number): number {
    if (first > IO_APIC_FRAME || last < IO_APIC_FRAME) return this.mapped(first, last);
    const answer = first < IO_APIC_FRAME ? this.mapped(first, IO_APIC_FRAME - 1) : 0;
    return answer !== 0 || last === IO_APIC_FRAME ? answer : this.mapped(IO_APIC_FRAME + 1, last);
  }

  /** All that domain 0 may map from `next` to `last`. */
  rangesUpTo(last: number): number {
    const from = this.next;
    for (const range of this.vcpu.domain.ioFrames.ranges) {
      const first = Math.max(range.first, from);
      const end = Math.min(range.last, last);
      if (first > end) continue;
      const answer = this.range(first, end);
      if (answer !== 0) return answer;
    }
    return 0;
  }
}

export const machineMemoryMap = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (!vcpu.domain.privileged) return -ERRNO.EPERM;
  const { size, fields } = memory.memory_map;
  if (!readArgument(machine, vcpu, args, size)) return -ERRNO.EFAULT;
  const { buffer, nr_entries } = fields;
  const lo = scratch.getInt32(buffer.at, true);
  const hi = scratch.getInt32(buffer.at + 4, true);
  const rows = new Rows(machine, vcpu, lo, hi, scratch.getUint32(nr_entries.at, true));
  if (rows.isStored() && rows.room < machine.config.e820.length + 1) return -ERRNO.EINVAL;
  if (rows.isStored() && !accessOk(hi)) return -ERRNO.EFAULT;
  const answer = listRows(machine, rows);
  if (answer !== 0) return answer;
  scratch.setUint32(nr_entries.at, rows.count, true);
  return writeArgument(machine, vcpu, args, size) ? 0 : -ERRNO.EFAULT;
};

const listRows = (machine: Machine, rows: Rows): number => {
  const { e820 } = machine.config;
  for (const [i, [addressText, sizeText, type]] of e820.entries()) {
    const address = BigInt(addressText);
    const size = BigInt(sizeText);
    const first = Number(address / PAGE);
    if (first > rows.next) {
      const answer = rows.rangesUpTo(first - 1) || rows.range(first, first);
      if (answer !== 0) return answer;
    }
    if (rows.isStored()) {
      if (rows.room <= rows.count + (e820.length - i)) return -ERRNO.EINVAL;
      if (!rows.store(address, size, type)) return -ERRNO.EFAULT;
    }
    rows.next = Number((address + size + PAGE - 1n) / PAGE);
    rows.count++;
  }
  return rows.next === 0 ? 0 : rows.rangesUpTo(Number.MAX_SAFE_INTEGER);
};
