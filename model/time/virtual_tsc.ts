/** The time-stamp counter that Xen makes up for a domain. Chapter: spec/chapters/time.md, "The counter of other domains". */
import type { MachineConfig } from '#spec/config.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Domain, TscInfo } from '../domain.ts';
import { cite } from '../journal.ts';
import { domainOf, updateDomain, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { fromBigInt, type Word } from '../word/word.ts';
import { timeScale, tscOf } from './clock.ts';

const LEAF_POWER = 0x80000007;
const INVARIANT_TSC = 1 << 8;

/** time/emulated_tsc: whether Xen gives this domain a counter of its own. */
export const emulatesTsc = ({ cpu }: MachineConfig, domid: number): boolean =>
  domid !== 0 && !cpu.cpuid.some(({ leaf, edx }) => leaf >>> 0 === LEAF_POWER && (edx & INVARIANT_TSC) !== 0);

/** The reciprocal of the time record's scale: (ns shifted left by `shift`) · `mul` / 2³². */
const reciprocal = ({ mul, shift }: ReturnType<typeof timeScale>): { readonly mul: bigint; readonly shift: number } => {
  let dividend = 2 ** 31;
  let up = 1 - shift;
  for (; dividend >= mul; up++) dividend = Math.floor(dividend / 2);
  return { mul: (BigInt(dividend) << 32n) / BigInt(mul), shift: up };
};

/** How the counter of a domain works. */
export const tscInfoOf = ({ config }: Machine, { tsc }: Domain): TscInfo =>
  tsc ?? { mode: 0, khz: config.cpu.tsc_khz, incarnation: 1, offset: 0n };

/** What the domain's made-up counter says at a system time (ns). Xen has no sign there: a counter that began before the machine did begins in a far future. */
export const tscAt = (machine: Machine, domain: Domain, now: number): Word => {
  const { khz, offset } = tscInfoOf(machine, domain);
  const { mul, shift } = reciprocal(timeScale(BigInt(khz) * 1000n));
  const ticks = (ns: bigint): bigint => ((shift < 0 ? ns >> BigInt(-shift) : BigInt.asUintN(64, ns << BigInt(shift))) * mul) >> 32n;
  const [time, beginning] = [BigInt(now), BigInt.asUintN(64, offset)];
  return fromBigInt(BigInt.asUintN(64, time < beginning ? -ticks(beginning - time) : ticks(time - beginning)));
};

/** A read that Xen answers. time/emulated_tsc-read: of a counter of Xen's making no two reads are alike. */
export const readTsc = (machine: Machine, at: VcpuRef): { readonly machine: Machine; readonly value: Word } => {
  if (!vcpuOf(machine, at).tscEmulated) return { machine, value: tscOf(machine) };
  const last = domainOf(machine, at.domid).tscLast ?? 0;
  const tscLast = Math.max(machine.now, last + 1);
  const m = updateDomain(cite(machine, 'time/emulated_tsc-read'), at.domid, { tscLast });
  return { machine: m, value: tscAt(machine, domainOf(machine, at.domid), tscLast) };
};
