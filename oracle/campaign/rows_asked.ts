/** Which rows of the matrix programs ask: by the numbers and commands that stand in their calls, whatever Xen makes of them. */
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { OTHER, type Row } from '#spec/matrix/cell.ts';
import { kindOf, MATRIX, nameOf } from '#spec/matrix/matrix.ts';
import type { Argument, Call, Program, Step } from '#spec/program.ts';

const BY_NUMBER: ReadonlyMap<number, readonly Row[]> = new Map(
  [...new Set(MATRIX.map(({ number }) => number))].map((number) => [number, MATRIX.filter((row) => row.number === number)]),
);

/** Calls whose command stands in memory: as the first of an array's words, or in a field of the structure. */
const inMemory = (argument: Argument | undefined): readonly Argument[] => {
  if (typeof argument !== 'object') return [];
  if ('array' in argument) return argument.array.slice(0, 1);
  if ('struct' in argument) return [argument.fields['cmd'] ?? argument.fields['ptr'] ?? argument.fields['h'] ?? 0];
  return 'structs' in argument ? argument.structs.flatMap(inMemory) : [];
};

const numberIn = (argument: Argument): number | null => {
  if (typeof argument === 'number') return argument;
  if (typeof argument === 'string') return Number(BigInt.asUintN(32, BigInt(argument)));
  return null;
};

/** mmu_update: the command is in the low bits of an address. */
const lowBits = (argument: Argument): number | null => {
  const number = typeof argument === 'object' && 'as' in argument ? (argument.plus ?? 0) : numberIn(argument);
  return number === null ? null : Number(BigInt(number) & 3n);
};

/** The arguments that say what is asked. */
const commandsOf = (name: string, args: readonly Argument[]): readonly (number | null)[] => {
  if (name === 'mmu_update') return inMemory(args[0]).map(lowBits);
  const [first] = args;
  const told = name === 'dm_op' ? inMemory(args[2]).flatMap(inMemory) : typeof first === 'object' ? inMemory(first) : [first ?? 0];
  return told.map(numberIn);
};

const rowsOfCall = ({ call, args }: Call): readonly Row[] => {
  const rows = BY_NUMBER.get(typeof call === 'number' ? call : HYPERCALL[call]) ?? [];
  const inner = call === 'multicall' ? args.flatMap((a) => (typeof a === 'object' && 'calls' in a ? a.calls.flatMap(rowsOfCall) : [])) : [];
  if (rows.some(({ sub }) => sub === null)) return [...rows, ...inner];
  return commandsOf(rows[0]?.call ?? '', args).flatMap((command) => {
    const asked = rows.filter((row) => row.command === command);
    return asked.length > 0 ? asked : rows.filter(({ sub }) => sub === OTHER);
  });
};

const callsOf = (step: Step): readonly Call[] => {
  if (step.do === 'hypercall') return [step];
  return step.do === 'calls' ? step.calls : [];
};

export type RowsAsked = {
  /** Rows that somebody asked, of those that the caller is answered, be it by a refusal. */
  readonly asked: number;
  readonly of: number;
  readonly never: readonly string[];
};

export class AskedRows {
  private readonly names = new Set<string>();
  private readonly caller: 'pv64_dom0' | 'pv64_domU';

  constructor(caller: 'pv64_dom0' | 'pv64_domU') {
    this.caller = caller;
  }

  /** Of the domain that the caller is; `domain`: which one of the program's. */
  add(program: Program, domain = 0): void {
    for (const step of program.steps)
      if ((step.domain ?? 0) === domain) for (const call of callsOf(step)) for (const row of rowsOfCall(call)) this.names.add(nameOf(row));
  }

  toJSON(): RowsAsked {
    const answered = MATRIX.filter(({ cells }) => kindOf(cells[this.caller]) !== 'not modelled').map(nameOf);
    const never = answered.filter((name) => !this.names.has(name));
    return { asked: answered.length - never.length, of: answered.length, never };
  }
}
