/** The order of checks: programs that are wrong in two ways at once, on both engines and on a peer, and what their answers say. */
import { ERRNO } from '#spec/abi/errno.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { forRelease } from '../generators/index.ts';
import type { DomainKind } from '../generators/operations/index.ts';
import type { Operation } from '../generators/operations/operation.ts';
import { type Asked, type OrderProgram, orderPrograms } from '../generators/order.ts';
import { buildImages } from '../image/index.ts';
import type { Recorder } from './recorder.ts';
import { machineFor } from './seed_recordings.ts';

/** What somebody answered to a call: an errno's name, a grant status, a value, or the line where the call stands when it has no result. */
export type Answer = string;

export type OrderRow = {
  readonly operation: string;
  /** Calls that are right and refused all the same, wrong in one way, and in two. */
  readonly rights: number;
  readonly singles: number;
  readonly pairs: number;
  /** Pairs whose two mistakes have different answers by themselves, and of which one of the two came. */
  readonly decided: number;
  /** Arguments, those that are checked first before the others. */
  readonly order: readonly string[];
  readonly differences: readonly OrderDifference[];
};
export type OrderDifference = { readonly what: string; readonly answers: Readonly<Record<string, Answer>> };
export type OrderCheck = {
  readonly caller: DomainKind;
  /** Who answered. */
  readonly by: readonly string[];
  readonly rows: readonly OrderRow[];
  /** Programs that somebody did not run to their end, and why. */
  readonly inconclusive: readonly string[];
};

const ERRNO_NAME: ReadonlyMap<number, string> = new Map(Object.entries(ERRNO).map(([name, code]) => [code, name]));
const nameOf = (rc: string): Answer => {
  const value = Number(rc);
  return value < 0 ? (ERRNO_NAME.get(-value) ?? rc) : rc;
};

const LINE = /^(?:\d+> )?\d+\.(\d+) (.*)$/;

/** Answers by step. */
const answersIn = (consoles: readonly (string | null)[]): ReadonlyMap<number, readonly Answer[]> => {
  const answers = new Map<number, readonly Answer[]>();
  for (const line of consoles.flatMap((text) => text?.split('\n') ?? [])) {
    const [, step, rest] = LINE.exec(line) ?? [];
    if (step === undefined || rest === undefined) continue;
    // A multicall has an answer for each entry too.
    if (/ \d+\.rc=/.test(rest)) {
      answers.set(Number(step), [rest]);
      continue;
    }
    const list = /(?:^| )rc=(-?[\d,-]+)/.exec(rest)?.[1];
    const status = / status=(-\d+)/.exec(rest)?.[1];
    if (status !== undefined) answers.set(Number(step), [`status ${status}`]);
    else answers.set(Number(step), list === undefined ? [rest] : list.split(',').map(nameOf));
  }
  return answers;
};

type Answers = ReadonlyMap<Asked, Answer>;

const ask = async ({ program, asked }: OrderProgram, recorder: Recorder): Promise<Answers | string> => {
  const seen = await recorder.record(buildImages(program), machineFor(program));
  if (seen.reason === null) return seen.why ?? 'no end';
  const found = answersIn(seen.consoles);
  return new Map(asked.map((one) => [one, found.get(one.step)?.[one.index] ?? found.get(one.step)?.[0] ?? '(no line)']));
};

const label = ({ faults }: Asked): string => faults.map(({ argument, manner }) => `${argument} ${manner}`).join(' + ') || 'nothing wrong';

/** Arguments by how often they decided against others. */
const orderOf = (wins: ReadonlyMap<string, { readonly first: number; readonly second: number }>): readonly string[] =>
  [...wins]
    .map(([argument, { first, second }]) => ({ argument, share: first / (first + second) }))
    .sort((a, b) => b.share - a.share)
    .map(({ argument }) => argument);

const rowOf = (operation: Operation, asked: readonly Asked[], answers: Readonly<Record<string, Answers>>): OrderRow => {
  const [reference] = Object.values(answers) as [Answers];
  const alone = new Map(asked.filter(({ faults }) => faults.length === 1).map((one) => [one.faults[0], reference.get(one)]));
  const both = asked.filter(({ faults }) => faults.length === 2);
  const wins = new Map<string, { first: number; second: number }>();
  const note = (argument: string, side: 'first' | 'second'): void => {
    const known = wins.get(argument) ?? { first: 0, second: 0 };
    known[side]++;
    wins.set(argument, known);
  };
  let decided = 0;
  for (const one of both) {
    const [a, b] = one.faults as readonly [Asked['faults'][number], Asked['faults'][number]];
    const answer = reference.get(one);
    if (alone.get(a) === alone.get(b) || (answer !== alone.get(a) && answer !== alone.get(b))) continue;
    decided++;
    const [first, second] = answer === alone.get(a) ? [a, b] : [b, a];
    note(first.argument, 'first');
    note(second.argument, 'second');
  }
  const differences = asked.flatMap((one): readonly OrderDifference[] => {
    const all = Object.fromEntries(Object.entries(answers).map(([by, given]) => [by, given.get(one) ?? '']));
    return new Set(Object.values(all)).size === 1 ? [] : [{ what: label(one), answers: all }];
  });
  const rights = asked.filter(({ faults }) => faults.length === 0).length;
  const counts = { rights, singles: asked.length - both.length - rights, pairs: both.length, decided };
  return { operation: operation.row, ...counts, order: orderOf(wins), differences };
};

/** Asks everybody. `operations`: those alone whose name has this in it. */
export const checkOrder = async (
  caller: DomainKind,
  recorders: Readonly<Record<string, Recorder>>,
  {
    domain = 0,
    operations = '',
    release = REFERENCE_RELEASE,
    onProgram = () => {},
  }: { domain?: 0 | 1; operations?: string; release?: XenRelease; onProgram?: () => void } = {},
): Promise<OrderCheck> => {
  const rows: OrderRow[] = [];
  const inconclusive: string[] = [];
  const all = new Map<Operation, { asked: Asked[]; answers: Record<string, Map<Asked, Answer>> }>();
  for (const program of orderPrograms(caller, domain)) {
    const asked = program.asked.filter(({ operation }) => operation.row.includes(operations));
    if (asked.length === 0) continue;
    const given: Record<string, Answers> = {};
    for (const [by, recorder] of Object.entries(recorders)) {
      const found = await ask({ ...program, program: forRelease(program.program, release) }, recorder);
      if (typeof found === 'string') inconclusive.push(`${by}: ${found}`);
      else given[by] = found;
    }
    onProgram();
    for (const one of asked) {
      const entry = all.get(one.operation) ?? { asked: [], answers: {} };
      all.set(one.operation, entry);
      entry.asked.push(one);
      for (const [by, found] of Object.entries(given)) {
        entry.answers[by] ??= new Map();
        entry.answers[by].set(one, found.get(one) ?? '');
      }
    }
  }
  for (const [operation, { asked, answers }] of all) if (Object.keys(answers).length > 0) rows.push(rowOf(operation, asked, answers));
  return { caller, by: Object.keys(recorders), rows, inconclusive };
};
