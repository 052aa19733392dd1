import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { gnttab } from '#spec/abi/grant_table.ts';
import { HYPERCALL, type HypercallName, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { R8, R9, R10, RAX, RDI, RDX, RSI } from '../cpu/x86/state.ts';
import { EMPTY_JOURNAL } from '../journal.ts';
import type { Machine } from '../machine.ts';
import { observe } from '../observe.ts';
import { step } from '../step.ts';
import { preparedGuest } from '../testing/fresh.ts';
import { ARGUMENTS, call, DOM0, frameAt, mmuext, mmuUpdate, operate, POOL, poke, poke64, remap, SELF } from '../testing/guest.ts';
import { CODE, load, rip, setRegs } from '../testing/step.ts';
import { withFields } from './guest_struct.ts';

const booted = preparedGuest(ONE_PAGE_KERNEL);
const fresh: Machine = { ...booted, journal: EMPTY_JOURNAL };
const mfn = (n: number): number => frameAt(fresh, DOM0, POOL + n * 4096);
const pte = (frame: number, flags: number): bigint => (BigInt(frame) << 12n) | BigInt(flags);
const SYSCALL = [0x0f, 0x05];

/** The guest at a SYSCALL instruction with its arguments. */
const ready = (m: Machine, name: HypercallName, ...args: readonly (number | bigint)[]): Machine => {
  const [rdi = 0, rsi = 0, rdx = 0, r10 = 0, r8 = 0, r9 = 0] = args;
  return setRegs(load({ ...m, journal: EMPTY_JOURNAL, questions: 0 }, DOM0, SYSCALL), DOM0, {
    [RAX]: HYPERCALL[name],
    [RDI]: rdi,
    [RSI]: rsi,
    [RDX]: rdx,
    [R10]: r10,
    [R8]: r8,
    [R9]: r9,
  });
};

type Done = { readonly machine: Machine; readonly questions: number; readonly calls: number; readonly console: string };

/** Execute until the guest is behind its SYSCALL. `stops`: questions of each try that are answered yes. */
const untilDone = (m: Machine, stops: (attempt: number) => readonly number[]): Done => {
  let machine = m;
  let questions = 0;
  let console = '';
  for (let attempt = 0; ; attempt++) {
    const outcome = step(machine, { kind: 'execute', cpu: 0, steps: 1, preempt: [...stops(attempt)] });
    machine = outcome.machine;
    questions += outcome.questions;
    for (const event of outcome.events) if (event.kind === 'console') console += event.bytes;
    if (rip(machine, DOM0) !== BigInt(CODE)) return { machine, questions, calls: attempt + 1, console };
    if (attempt > 5000) throw new Error('the call never ends');
  }
};

/** The arguments of a multicall's first entry, and its result. */
const LEFT = [8, 16, 24, 32, 40].map((offset) => ARGUMENTS + offset);

/** What must be the same: all but the registers that a continuation uses, and the number of steps. */
const end = ({ machine: ended, console }: Done) => {
  // The entry of a multicall in which it was stopped keeps the arguments of what was left to do.
  const machine = LEFT.reduce<Machine>((m, at) => poke64(m, DOM0, at, 0n), ended);
  const { domains, memory, frames } = observe(machine);
  const answer = observe(machine).domains[0].vcpus[0].gpr[RAX];
  return {
    console,
    answer,
    memory,
    frames,
    domains: domains.map((domain) => ({ ...domain, vcpus: domain.vcpus.map((vcpu) => ({ ...vcpu, gpr: [] })) })),
  };
};

const words = (m: Machine, at: number, values: readonly (number | bigint)[]): Machine =>
  values.reduce<Machine>((to, value, i) => poke64(to, DOM0, at + 8 * i, BigInt(value)), m);
const LIST = ARGUMENTS + 0x800;
const loose = [1, 2, 3, 4].reduce((m, n) => remap(m, DOM0, POOL + n * 4096, 0).machine, fresh);
/** Pages 1 to 4 name each other as a tree of tables of levels 1 to 4. */
const tree = mmuUpdate(loose, DOM0, [
  [pte(mfn(2), 8), pte(mfn(1), 0x27)],
  [pte(mfn(3), 0), pte(mfn(2), 0x27)],
  [pte(mfn(4), 8), pte(mfn(3), 0x27)],
]).machine;
const bad = mmuUpdate(tree, DOM0, [[pte(mfn(2), 24), pte(mfn(9), 0xa7)]]).machine;
const ext = (m: Machine, ops: readonly (readonly [cmd: number, arg: number])[]): Machine =>
  ready(
    words(
      m,
      ARGUMENTS,
      ops.flatMap(([cmd, arg]) => [cmd, arg, 0]),
    ),
    'mmuext_op',
    ARGUMENTS,
    ops.length,
    LIST,
    SELF,
  );
const entry = (op: number, ...args: number[]) => [op, 0, ...[0, 1, 2, 3, 4, 5].map((i) => args[i] ?? 0)];
const manyPorts = Array.from({ length: 130 }).reduce<Machine>(
  (m) => call(words(m, ARGUMENTS, [0]), DOM0, 'event_channel_op', SUBOPERATIONS.event_channel_op.bind_ipi, ARGUMENTS).machine,
  fresh,
);
const RESERVATION = (m: Machine, count: number): Machine => words(m, ARGUMENTS, [LIST, count, 0, SELF]);
const given = call(RESERVATION(words(fresh, LIST, [1, 2, 3, 4]), 4), DOM0, 'memory_op', 6, ARGUMENTS).machine;
const grants = (m: Machine): Machine => {
  const table = operate(m, DOM0, 'grant_table_op', 'setup_table', gnttab.setup_table, {
    dom: SELF,
    nr_frames: 1,
    frame_list: LIST,
  }).machine;
  return [0, 1, 2].reduce(
    (to, i) => poke(to, DOM0, ARGUMENTS + 32 * i, withFields(new Uint8Array(32), gnttab.map_grant_ref, { flags: 1, ref: 8 + i, dom: 0 })),
    table,
  );
};

const CASES: readonly (readonly [string, Machine])[] = [
  [
    'mmu_update',
    ready(
      words(
        loose,
        ARGUMENTS,
        [1, 2, 3].flatMap((n) => [pte(mfn(n), 8), 5n]),
      ),
      'mmu_update',
      ARGUMENTS,
      3,
      LIST,
      SELF,
    ),
  ],
  [
    'a level 2 table that comes into use',
    ready(
      words(mmuext(tree, DOM0, 'pin_l3_table', mfn(3)).machine, ARGUMENTS, [pte(mfn(3), 0), 0, pte(mfn(3), 0), pte(mfn(2), 0x27)]),
      'mmu_update',
      ARGUMENTS,
      2,
      LIST,
      SELF,
    ),
  ],
  [
    'pinning and unpinning a tree',
    ext(tree, [
      [3, mfn(4)],
      [4, mfn(4)],
    ]),
  ],
  ['pinning a tree that is refused', ext(bad, [[3, mfn(4)]])],
  [
    'a tree that is pinned twice',
    ext(tree, [
      [3, mfn(4)],
      [3, mfn(4)],
    ]),
  ],
  [
    'multicall',
    ready(
      words(
        words(tree, ARGUMENTS, [
          ...entry(HYPERCALL.mmuext_op, LIST, 1, 0, SELF),
          ...entry(HYPERCALL.xen_version, 0),
          ...entry(HYPERCALL.xen_version, 0),
        ]),
        LIST,
        [3, mfn(4), 0],
      ),
      'multicall',
      ARGUMENTS,
      3,
    ),
  ],
  [
    'set_trap_table',
    ready(
      words(
        fresh,
        ARGUMENTS,
        [
          [3, 0x1000],
          [4, 0x2000],
          [5, 0x3000],
          [0, 0],
        ].flat(),
      ),
      'set_trap_table',
      ARGUMENTS,
    ),
  ],
  ['grant batches', ready(grants(fresh), 'grant_table_op', 0, ARGUMENTS, 3)],
  ['console output', ready(poke(fresh, DOM0, ARGUMENTS, new Uint8Array(600).fill(0x61)), 'console_io', 0, 600, ARGUMENTS)],
  ['populate_physmap', ready(RESERVATION(words(fresh, LIST, [1, 2, 3, 4]), 4), 'memory_op', 6, ARGUMENTS)],
  ['increase_reservation', ready(RESERVATION(fresh, 4), 'memory_op', 0, ARGUMENTS)],
  ['decrease_reservation', ready(RESERVATION(given, 4), 'memory_op', 1, ARGUMENTS)],
  ['exchange', ready(words(given, ARGUMENTS, [LIST, 4, 0, SELF, LIST, 4, 0, SELF, 0]), 'memory_op', 11, ARGUMENTS)],
  ['acquire_resource', ready(words(fresh, ARGUMENTS, [1 + (1 << 16), 64, 0, LIST]), 'memory_op', 28, ARGUMENTS)],
];

describe('a long call that is stopped', () => {
  it.each(CASES)('%s: ends the same wherever it was stopped', (_, machine) => {
    const plain = untilDone(machine, () => []);
    expect(plain.questions).toBeGreaterThan(0);
    const every = Math.max(1, Math.floor(plain.questions / 40));
    for (let k = 1; k <= plain.questions; k += every) {
      const once = untilDone(machine, (attempt) => (attempt === 0 ? [k] : []));
      expect(once.calls).toBeGreaterThan(1);
      expect(end(once)).toEqual(end(plain));
    }
  });
  it.each(CASES)('%s: ends the same when it is stopped at every question', (_, machine) => {
    const plain = untilDone(machine, () => []);
    expect(end(untilDone(machine, () => [1]))).toEqual(end(plain));
  });
  it('a reset of event channels asks again at the port where it stopped', () => {
    const reset = ready(words(manyPorts, ARGUMENTS, [SELF]), 'event_channel_op', SUBOPERATIONS.event_channel_op.reset, ARGUMENTS);
    const plain = untilDone(reset, () => []);
    expect(plain.questions).toBe(2);
    for (const k of [1, 2]) expect(end(untilDone(reset, (attempt) => (attempt === 0 ? [k] : [])))).toEqual(end(plain));
    expect(() => untilDone(reset, () => [1])).toThrow('never ends');
  });
});
