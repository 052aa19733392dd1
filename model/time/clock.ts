/** Xen's clocks as guests see them: the TSC, and the time record in vcpu_info. Chapter: spec/chapters/time.md. */
import { vcpu_info } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../journal.ts';
import { domainOf, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readBytes, writeBytes } from '../memory/access.ts';
import { fromBigInt, type Word } from '../word/word.ts';
import { updateTimeArea } from './areas.ts';
import { tscAt, tscInfoOf } from './virtual_tsc.ts';

/** The time-stamp counter: by the time of the last time input, and one for each step since (looseness `open/tsc-rate`). */
export const tscOf = (machine: Machine): Word =>
  fromBigInt((BigInt(machine.now) * BigInt(machine.config.cpu.tsc_khz)) / 1_000_000n + BigInt(machine.retired - machine.retiredAtTime));

const NS_PER_SECOND = 1_000_000_000n;

/** Nanoseconds = ((ticks shifted left by `shift`) · `mul`) / 2³². */
export const timeScale = (ticksPerSecond: bigint): { readonly mul: number; readonly shift: number } => {
  let ticks = ticksPerSecond;
  let shift = 0;
  for (; ticks > NS_PER_SECOND * 2n; shift--) ticks >>= 1n;
  for (; ticks <= NS_PER_SECOND; shift++) ticks <<= 1n;
  return { mul: Number((NS_PER_SECOND << 32n) / ticks), shift };
};

/** time/record-refresh: TSC and system time of now go into the vCPU's record; its version grows by two. */
export const refreshTime = (machine: Machine, at: VcpuRef, through = at): Machine => {
  const { mfn, offset } = vcpuOf(machine, at).vcpuInfo;
  const field = vcpu_info.fields;
  const start = offset + field.time_version.at;
  const record = readBytes(machine.memory, mfn, start, 32);
  const view = new DataView(record.buffer);
  const put = (at: number): number => at - field.time_version.at;
  const domain = domainOf(machine, at.domid);
  const { tscEmulated } = vcpuOf(machine, at);
  const khz = tscEmulated ? tscInfoOf(machine, domain).khz : machine.config.cpu.tsc_khz;
  const { mul, shift } = timeScale(BigInt(khz) * 1000n);
  // Begin makes the version odd, end makes it even again.
  view.setUint32(0, (((view.getUint32(0, true) + 1) | 1) + 1) >>> 0, true);
  view.setUint32(4, 0, true);
  // time/emulated_tsc: the record is about the counter that the domain reads.
  const tsc = tscEmulated ? tscAt(machine, domain, machine.now) : tscOf(machine);
  view.setInt32(put(field.tsc_timestamp.at), tsc.lo, true);
  view.setInt32(put(field.tsc_timestamp.at) + 4, tsc.hi, true);
  view.setBigUint64(put(field.system_time.at), BigInt(machine.now), true);
  view.setUint32(put(field.tsc_to_system_mul.at), mul, true);
  view.setInt8(put(field.tsc_shift.at), shift);
  view.setUint8(put(field.time_flags.at), 0);
  view.setUint16(30, 0, true);
  const m = setMemory(cite(machine, 'time/record-refresh'), writeBytes(machine.memory, mfn, start, record));
  return updateTimeArea(m, at, record, through);
};
