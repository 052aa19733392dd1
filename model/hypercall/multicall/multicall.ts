/** multicall: a list of hypercalls in one. Chapter: spec/chapters/multicall.md. */
import { multicall_entry } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { RAX } from '../../cpu/x86/state.ts';
import { arrayOk, copyFromGuest, copyToGuest, writeGuestWord } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { bytesOf, wordIn } from '../../memory/guest.ts';
import { addInt, fromNumber, toNumber, type Word } from '../../word/word.ts';
import { preemptCheck } from '../preempt.ts';
import { done, type Ending, fail, type HypercallResult, type Perform } from '../result.ts';

const ENTRY = multicall_entry.size;
const ARGUMENTS = 6;

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

/** Between two entries. `ending`: an earlier one ends the domain once the multicall is over. */
type Progress = { readonly machine: Machine; readonly ending: Ending | undefined };

const entries = (all: List, machine: Machine): HypercallResult => {
  let progress: Progress = { machine, ending: undefined };
  for (let i = 0; i < all.count; i++) {
    const next = entry(all, progress, i);
    if ('kind' in next) return next;
    progress = next;
  }
  return ended(done(progress.machine, 'multicall/list-done'), progress.ending);
};

/** Entry `i`: how far that comes, or what the multicall comes to. */
const entry = (all: List, { machine: before, ending }: Progress, i: number): Progress | HypercallResult => {
  const { caller } = all;
  const { machine, stop } = i > 0 ? preemptCheck(before, caller) : { machine: before, stop: false };
  const at = addInt(all.list, i * ENTRY);
  const rest = [at, fromNumber((all.count - i) >>> 0)];
  if (stop) return ended({ kind: 'preempted', machine: cite(machine, 'multicall/entry-preempted'), args: rest }, ending);
  const copied = copyFromGuest(machine, caller, at, ENTRY);
  if (!copied.ok) return ended(fail(copied.machine, 'EFAULT', 'multicall/entry-fault'), ending);
  const op = wordIn(copied.bytes, multicall_entry.fields.op.at);
  const args = Array.from({ length: ARGUMENTS }, (_, n) => wordIn(copied.bytes, multicall_entry.fields.args.at + n * 8));
  const result = all.call(copied.machine, caller, op, args, 1);
  const after = result.kind === 'no_reply' ? ending : (result.ending ?? ending);
  const value = result.kind === 'reply' ? result.value : result.kind === 'preempted' ? op : vcpuOf(result.machine, caller).cpu.regs[RAX];
  const stored = writeGuestWord(result.machine, caller, addInt(at, multicall_entry.fields.result.at), value);
  // multicall/entry-iret: the entry's result is stored as well as may be, and nothing follows.
  if (result.kind === 'no_reply') return { ...result, machine: cite(stored.machine, 'multicall/entry-iret') };
  if (!stored.ok) return ended(fail(stored.machine, 'EFAULT', 'multicall/result-fault'), after);
  if (result.kind === 'reply') return { machine: cite(stored.machine, 'multicall/entry-done'), ending: after };
  const continued = continuation(copied.bytes, value, args, result.args);
  const kept = copyToGuest(stored.machine, caller, at, continued);
  if (!kept.ok) return ended(fail(kept.machine, 'EFAULT', 'multicall/result-fault'), after);
  return ended({ kind: 'preempted', machine: cite(kept.machine, 'multicall/entry-continued'), args: rest }, after);
};

/** The entry as the guest finds it when the call that it names stopped half way: what is left to do. */
const continuation = (entry: Uint8Array, value: Word, args: readonly Word[], left: readonly Word[]): Uint8Array => {
  const bytes = entry.slice();
  bytes.set(bytesOf([value]), multicall_entry.fields.result.at);
  bytes.set(bytesOf(args.map((arg, n) => left[n] ?? arg)), multicall_entry.fields.args.at);
  return bytes;
};

const ended = (result: HypercallResult, ending: Ending | undefined): HypercallResult =>
  ending && result.kind !== 'no_reply' ? { ...result, ending } : result;
