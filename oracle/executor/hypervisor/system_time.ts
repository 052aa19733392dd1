/** vcpu_time_info: the record from which a guest computes Xen's system time, in vcpu_info and in a second area on request. */
import { vcpu_info } from '#spec/abi/xen.ts';
import type { Domain } from './domain.ts';
import { copyToGuest, putGuest, SCRATCH, scratch } from './guest_access.ts';
import type { Machine } from './machine.ts';
import { highHalf } from './u64.ts';
import type { Vcpu } from './vcpu.ts';
import { infoAddress } from './vcpu_info.ts';

const { time_version, tsc_timestamp, system_time, tsc_to_system_mul, tsc_shift, time_flags } = vcpu_info.fields;
const BASE = time_version.at;
const SIZE = 32;
const SECOND = 1_000_000_000;

/** A factor of 32 bits and a shift: `(value << shift) * mul / 2^32`. */
type Scale = { readonly mul: number; readonly shift: number };

/** Factor and shift that turn TSC ticks into nanoseconds: ns = (ticks << shift) * mul / 2^32. */
export const timeScale = (khz: number): Scale => {
  if (known.khz !== khz) known = { khz, scale: scaleOf(khz) };
  return known.scale;
};

/** Machines beside each other have the same clock, as a rule. */
let known: { readonly khz: number; readonly scale: Scale } = { khz: 0, scale: { mul: 0, shift: 0 } };

const scaleOf = (khz: number): Scale => {
  let perSecond = khz * 1000;
  let shift = 0;
  while (perSecond > 2 * SECOND) {
    perSecond = Math.floor(perSecond / 2);
    shift--;
  }
  while (perSecond <= SECOND) {
    perSecond *= 2;
    shift++;
  }
  return { mul: Number((BigInt(SECOND) << 32n) / BigInt(perSecond)), shift };
};

/** The scale that goes the other way, as far as 32 bits can say it. */
const reciprocal = ({ mul, shift }: Scale): Scale => {
  let dividend = 0x80000000;
  let back = 1 - shift;
  while (dividend >= mul) {
    dividend /= 2;
    back++;
  }
  return { mul: Number((BigInt(dividend) << 32n) / BigInt(mul)), shift: back };
};

const scaled = (value: bigint, { mul, shift }: Scale): bigint => {
  const moved = shift < 0 ? value >> BigInt(-shift) : BigInt.asUintN(64, value << BigInt(shift));
  return BigInt.asUintN(64, (moved * BigInt(mul)) >> 32n);
};

/** Rate of the counter that a domain reads where Xen makes it up, kHz. */
export const emulatedKhz = ({ config }: Machine, { tscKhz }: Domain): number => tscKhz || config.cpu.tsc_khz;

/** What the counter of a domain whose RDTSC Xen carries out says at a system time. */
const emulatedTscAt = (machine: Machine, domain: Domain, ns: number): bigint => {
  // Xen compares without sign.
  const since = BigInt(ns) - BigInt.asUintN(64, domain.tscOffset);
  const scale = reciprocal(timeScale(emulatedKhz(machine, domain)));
  return since < 0n ? BigInt.asUintN(64, -scaled(-since, scale)) : scaled(since, scale);
};

/** What the processor's counter says now, in ns by the rate that the domain has. */
export const scaledTsc = (machine: Machine, domain: Domain): bigint =>
  scaled(BigInt.asUintN(64, tscNow(machine)), timeScale(emulatedKhz(machine, domain)));

/** The same now; it grows with each question. */
const emulatedTsc = (machine: Machine, domain: Domain): bigint => {
  domain.lastTscTime = Math.max(machine.now, domain.lastTscTime + 1);
  return emulatedTscAt(machine, domain, domain.lastTscTime);
};

/** What RDTSC, RDTSCP and RDMSR tell a guest for which Xen carries them out. */
export const guestTsc = (machine: Machine, domain: Domain): bigint =>
  domain.emulatesTsc ? emulatedTsc(machine, domain) : BigInt.asUintN(64, tscNow(machine));

/** The time-stamp counter now (looseness open/tsc-rate). */
export const tscNow = (machine: Machine): bigint => machine.tscAtNow + BigInt(machine.retiredSinceTime);

/** Let it be `now`: the TSC goes on from what the rate says. */
export const setTime = (machine: Machine, now: number): void => {
  machine.now = now;
  machine.retiredSinceTime = 0;
  machine.tscAtNow = (BigInt(now) * BigInt(machine.config.cpu.tsc_khz)) / 1_000_000n;
};

/** Bring the record up to date; its version grows by two. The second area is reached through the address space of `space`. */
export const refreshTime = (machine: Machine, vcpu: Vcpu, space: Vcpu = vcpu): void => {
  const { memory } = machine;
  const at = infoAddress(vcpu) + BASE;
  // Odd while it changes and even behind, also when the guest has written an odd number there.
  const version = ((memory.read32(at) + 3) & ~1) >>> 0;
  const { domain } = vcpu;
  const { mul, shift } = timeScale(domain.emulatesTsc ? emulatedKhz(machine, domain) : machine.config.cpu.tsc_khz);
  const record = new DataView(new ArrayBuffer(SIZE));
  record.setUint32(0, version, true);
  record.setBigUint64(tsc_timestamp.at - BASE, domain.emulatesTsc ? emulatedTscAt(machine, domain, machine.now) : tscNow(machine), true);
  record.setUint32(system_time.at - BASE, machine.now % 0x1_0000_0000, true);
  record.setInt32(system_time.at - BASE + 4, highHalf(machine.now), true);
  record.setUint32(tsc_to_system_mul.at - BASE, mul, true);
  record.setInt8(tsc_shift.at - BASE, shift);
  record.setUint8(time_flags.at - BASE, 0);
  memory.writeBytes(at, new Uint8Array(record.buffer));
  updateTimeArea(machine, vcpu, record, space);
};

/**
 * Copy a record, made by `refreshTime`, to the area that the guest registered; put off while the vCPU is in user mode and cannot be reached. It is
 * the record as it was made: the area may overlap what lies in vcpu_info.
 */
export const updateTimeArea = (machine: Machine, vcpu: Vcpu, record: DataView, space: Vcpu = vcpu): void => {
  const area = vcpu.timeArea;
  if (area === null) return;
  const version = record.getUint32(0, true);
  if (!putGuest(machine, space, area.lo, area.hi, 4, version - 1)) {
    vcpu.lateTime = vcpu.kernelMode || vcpu.domain.compat ? null : record;
    return;
  }
  SCRATCH.set(new Uint8Array(record.buffer));
  scratch.setUint32(0, version - 1, true);
  copyToGuest(machine, space, area.lo, area.hi, SIZE);
  putGuest(machine, space, area.lo, area.hi, 4, version);
  vcpu.lateTime = null;
};
