/** multicall of a 32-bit domain: entries of 32 bytes. Chapter: spec/chapters/compat.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { RAX } from '../../cpu/x86/state.ts';
import { arrayOk, copyFromGuest, copyToGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { vcpuOf } from '../../lens.ts';
import { bytesOf, wordIn } from '../../memory/guest.ts';
import { addInt, fromNumber, type Word, word } from '../../word/word.ts';
import { spend } from '../../work.ts';
import type { Call } from '../multicall/multicall.ts';
import { preemptCheck } from '../preempt.ts';
import { done, type Ending, fail, type HypercallResult, type Perform } from '../result.ts';

const ENTRY = COMPAT.multicall_entry.size;
const { result: RESULT, args: ARGUMENTS } = COMPAT.multicall_entry.fields;
const COUNT = 6;

const narrow = (value: Word): Uint8Array => bytesOf([value]).subarray(0, 4);

/** The entries one after another, as for a 64-bit domain (spec/chapters/multicall.md). */
export const multicall =
  (call: Call): Perform =>
  (machine, caller, [list, number]) => {
    const count = number.lo >>> 0;
    if (!arrayOk(list, count, ENTRY)) return fail(machine, 'EFAULT', 'multicall/list-address');
    let m = machine;
    let ending: Ending | undefined;
    const ended = (result: HypercallResult): HypercallResult => (ending && result.kind !== 'no_reply' ? { ...result, ending } : result);
    for (let i = 0; i < count; i++) {
      const at = addInt(list, i * ENTRY);
      const left = [at, fromNumber(count - i)];
      if (i > 0) {
        const asked = preemptCheck(m, caller);
        m = asked.machine;
        if (asked.stop) return ended({ kind: 'preempted', machine: cite(m, 'multicall/entry-preempted'), args: left });
      }
      spend(m, 'entry');
      const copied = copyFromGuest(m, caller, at, ENTRY);
      if (!copied.ok) return ended(fail(copied.machine, 'EFAULT', 'multicall/entry-fault'));
      const op = wordIn(copied.bytes, 0, 4);
      const args = Array.from({ length: COUNT }, (_, n) => wordIn(copied.bytes, ARGUMENTS.at + n * 4, 4));
      const result = call(cite(copied.machine, 'compat/multicall-entry'), caller, op, args, 1);
      const value =
        result.kind === 'reply' ? result.value : result.kind === 'preempted' ? op : vcpuOf(result.machine, caller).cpu.regs[RAX];
      const stored = copyToGuest(result.machine, caller, addInt(at, RESULT.at), narrow(value));
      if (result.kind === 'no_reply') return { ...result, machine: cite(stored.machine, 'multicall/entry-iret') };
      ending = result.ending ?? ending;
      if (!stored.ok) return ended(fail(stored.machine, 'EFAULT', 'multicall/result-fault'));
      m = cite(stored.machine, result.kind === 'reply' ? 'multicall/entry-done' : 'multicall/entry-continued');
      if (result.kind === 'reply') continue;
      const rest = args.map((arg, n) => result.args[n] ?? arg);
      const bytes = copied.bytes.slice();
      bytes.set(narrow(word(0, value.lo)), RESULT.at);
      for (const [n, arg] of rest.entries()) bytes.set(narrow(arg), ARGUMENTS.at + n * 4);
      const kept = copyToGuest(m, caller, at, bytes);
      if (!kept.ok) return ended(fail(kept.machine, 'EFAULT', 'multicall/result-fault'));
      return ended({ kind: 'preempted', machine: kept.machine, args: left });
    }
    return ended(done(m, 'multicall/list-done'));
  };
