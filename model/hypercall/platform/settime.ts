/** XENPF_settime32 and XENPF_settime64: domain 0 tells the time of day. */
import { platform } from '#spec/abi/platform.ts';
import { shared_info } from '#spec/abi/xen.ts';
import { cite } from '../../journal.ts';
import { setMemory } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { readWord, writeWord } from '../../memory/memory.ts';
import { toBigInt, type Word, word } from '../../word/word.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import type { Platform } from './rule.ts';

const NS = 1_000_000_000n;
const { wc_version, wc_nsec } = shared_info.fields;

/** Two words of shared info: version and low half of the seconds, nanoseconds and their high half. */
const VERSION_WORD = wc_version.at / 8;
const NS_WORD = wc_nsec.at / 8;

/** The odd number behind the old one, then one more. */
const nextVersion = (version: number): number => (((version + 1) | 1) + 1) | 0;

const settime = (machine: Machine, secs: bigint, nsecs: bigint, systemTime: bigint): HypercallResult => {
  const start = BigInt.asUintN(64, secs * NS + nsecs - systemTime);
  const [seconds, rest] = [start / NS, start % NS];
  let m = cite(machine, 'platform/settime');
  for (const { sharedInfo } of machine.domains) {
    const version = nextVersion(readWord(m.memory, sharedInfo, VERSION_WORD).lo);
    const memory = writeWord(m.memory, sharedInfo, VERSION_WORD, word(Number(seconds & 0xffffffffn), version));
    m = setMemory(m, writeWord(memory, sharedInfo, NS_WORD, word(Number(seconds >> 32n), Number(rest))));
  }
  return done(m, 'platform/settime');
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
