/** multicall: a list of hypercalls in one. Chapter: spec/chapters/multicall.md. */
import { multicall_entry } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { RAX } from '../../cpu/x86/state.ts';
import { arrayOk, copyToGuest, readGuestWords, writeGuestWord } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { bytesOf } from '../../memory/guest.ts';
import { addInt, fromNumber, toNumber, type Word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import { preemptCheck } from '../preempt.ts';
import { done, type Ending, fail, type HypercallResult, type Perform } from '../result.ts';

const ENTRY = multicall_entry.size;
/** The words of an entry, by number: the call's, its result, and the first of its arguments. */
const OP = multicall_entry.fields.op.at / 8;
const RESULT = multicall_entry.fields.result.at / 8;
const ARGUMENTS = multicall_entry.fields.args.at / 8;

/** What carries out one hypercall: the dispatcher, handed in because it knows this call too. */
export type Call = (machine: Machine, caller: VcpuRef, number: Word, args: readonly Word[], depth: number) => HypercallResult;

/** The entries one after another. */
export const multicall =
  (call: Call): Perform =>
  (machine, caller, [list, number]) => {
    const count = waysOf(machine.config.release)['multicall-count'] === '64 bits' ? toNumber(number) : number.lo >>> 0;
    if (!arrayOk(list, count, ENTRY)) return fail(machine, 'EFAULT', 'multicall/list-address');
    return count === 0 ? done(machine, 'multicall/list-done') : entries({ call, caller, list, count }, machine);
  };

type List = { readonly call: Call; readonly caller: VcpuRef; readonly list: Word; readonly count: number };

/** The entries one after another. `ending`: an earlier one ends the domain once the multicall is over. */
const entries = (all: List, machine: Machine): HypercallResult => {
  let m = machine;
  let ending: Ending | undefined;
  for (let i = 0; i < all.count; i++) {
    const { over, machine: after, ending: last } = entry(all, m, i);
    ending = last ?? ending;
    if (over !== null) return ended(over, ending);
    m = after;
  }
  return ended(done(m, 'multicall/list-done'), ending);
};

/** What an entry came to. `over`: what the multicall ends with, after it or in its place. `ending`: the entry ends the domain. */
type Entered = { readonly over: HypercallResult | null; readonly machine: Machine; readonly ending: Ending | undefined };

const goesOn = (machine: Machine, ending?: Ending): Entered => ({ over: null, machine, ending });
const stops = (over: HypercallResult, ending?: Ending): Entered => ({ over, machine: over.machine, ending });

const entry = (all: List, before: Machine, i: number): Entered => {
  const { caller } = all;
  const at = addInt(all.list, i * ENTRY);
  const { machine, stop } = i > 0 ? preemptCheck(before, caller) : { machine: before, stop: false };
  if (stop) return stops({ kind: 'preempted', machine: cite(machine, 'multicall/entry-preempted'), args: rest(all, at, i) });
  spend(machine, 'entry');
  const { machine: m, words } = readGuestWords(machine, caller, at, ENTRY / 8);
  if (words === null) return stops(fail(m, 'EFAULT', 'multicall/entry-fault'));
  const op = words[OP];
  const args = words.slice(ARGUMENTS, ARGUMENTS + 6);
  const result = all.call(m, caller, op, args, 1);
  const value = result.kind === 'reply' ? result.value : result.kind === 'preempted' ? op : vcpuOf(result.machine, caller).cpu.regs[RAX];
  const stored = writeGuestWord(result.machine, caller, addInt(at, RESULT * 8), value);
  // multicall/entry-iret: the entry's result is stored as well as may be, and nothing follows.
  if (result.kind === 'no_reply') return stops({ ...result, machine: cite(stored.machine, 'multicall/entry-iret') });
  if (!stored.ok) return stops(fail(stored.machine, 'EFAULT', 'multicall/result-fault'), result.ending);
  if (result.kind === 'reply') return goesOn(cite(stored.machine, 'multicall/entry-done'), result.ending);
  const kept = copyToGuest(stored.machine, caller, at, continuation(words, value, args, result.args));
  if (!kept.ok) return stops(fail(kept.machine, 'EFAULT', 'multicall/result-fault'), result.ending);
  const continued = cite(kept.machine, 'multicall/entry-continued');
  return stops({ kind: 'preempted', machine: continued, args: rest(all, at, i) }, result.ending);
};

/** The arguments of a multicall that is to go on with entry `i`, which is at `at`. */
const rest = ({ count }: List, at: Word, i: number): readonly Word[] => [at, fromNumber(count - i)];

/** The entry as the guest finds it when the call that it names stopped half way: what is left to do. */
const continuation = (entry: readonly Word[], value: Word, args: readonly Word[], left: readonly Word[]): Uint8Array => {
  const words = entry.slice();
  words[RESULT] = value;
  args.forEach((arg, n) => {
    words[ARGUMENTS + n] = left[n] ?? arg;
  });
  return bytesOf(words);
};

const ended = (result: HypercallResult, ending: Ending | undefined): HypercallResult =>
  ending && result.kind !== 'no_reply' ? { ...result, ending } : result;
