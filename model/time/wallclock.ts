/** The wall clock in a domain's shared info page. Xen's name: update_domain_wallclock_time. Chapter: spec/chapters/host.md, domctl.md. */
import { shared_info } from '#spec/abi/xen.ts';
import { domainOf, setMemory } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { readWord, writeWord } from '../memory/memory.ts';
import { word } from '../word/word.ts';

const { wc_version, wc_nsec } = shared_info.fields;
/** Two words of shared info: version and low half of the seconds, nanoseconds and their high half. */
const VERSION_WORD = wc_version.at / 8;
const NS_WORD = wc_nsec.at / 8;

/** The odd number behind the old one, then one more. */
const nextVersion = (version: number): number => (((version + 1) | 1) + 1) | 0;

/** Xen's time of day at system time 0. */
export const wallclockOf = ({ config, wallclock }: Machine): { readonly seconds: bigint; readonly nanoseconds: number } =>
  wallclock ?? { seconds: BigInt(config.wallclock_sec), nanoseconds: 0 };

export const writeWallclock = (machine: Machine, domid: number): Machine => {
  const { sharedInfo, timeOffset = 0n } = domainOf(machine, domid);
  const { seconds: base, nanoseconds } = wallclockOf(machine);
  const seconds = BigInt.asUintN(64, base + timeOffset);
  const version = nextVersion(readWord(machine.memory, sharedInfo, VERSION_WORD).lo);
  const memory = writeWord(machine.memory, sharedInfo, VERSION_WORD, word(Number(seconds & 0xffffffffn), version));
  return setMemory(machine, writeWord(memory, sharedInfo, NS_WORD, word(Number(seconds >> 32n), nanoseconds)));
};
