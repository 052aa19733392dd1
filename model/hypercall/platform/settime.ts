/** XENPF_settime32 and XENPF_settime64: domain 0 tells the time of day. */
import { platform } from '#spec/abi/platform.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { writeWallclock } from '../../time/wallclock.ts';
import { toBigInt, type Word } from '../../word/word.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import type { Platform } from './rule.ts';

const NS = 1_000_000_000n;

const settime = (machine: Machine, secs: bigint, nsecs: bigint, systemTime: bigint): HypercallResult => {
  const start = BigInt.asUintN(64, secs * NS + nsecs - systemTime);
  const told: Machine = { ...cite(machine, 'platform/settime'), wallclock: { seconds: start / NS, nanoseconds: Number(start % NS) } };
  return done(
    told.domains.reduce((m, { domid }) => writeWallclock(m, domid), told),
    'platform/settime',
  );
};

const wide = (bytes: Uint8Array, at: number): bigint => toBigInt(wordIn(bytes, at) as Word);

export const settime32: Platform = (machine, { bytes }) => {
  const { secs, nsecs, system_time } = platform.settime32.fields;
  return settime(machine, BigInt(fieldOf(bytes, secs)), BigInt(fieldOf(bytes, nsecs)), wide(bytes, system_time.at));
};

export const settime64: Platform = (machine, { bytes }) => {
  const { secs, nsecs, mbz, system_time } = platform.settime64.fields;
  if (fieldOf(bytes, mbz) !== 0) return fail(machine, 'EINVAL', 'platform/settime64-reserved');
  return settime(machine, wide(bytes, secs.at), BigInt(fieldOf(bytes, nsecs)), wide(bytes, system_time.at));
};
