/** The same calls by a 32-bit guest: its structures lie in a page of its own, and the events tell what came of the call. */
import type { Boot } from '#spec/engine.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Row } from '#spec/matrix/cell.ts';
import type { Argument, Value } from '#spec/program.ts';
import { REFERENCE_RELEASE } from '#spec/releases/release.ts';
import { type Code, call, store } from '../pv32/code.ts';
import { BASE, DATA, PAGE, SPARE } from '../pv32/layout.ts';
import { firstFrameOf, subjectOf } from '../pv32/machine.ts';
import { runEngine } from '../run.ts';
import { argumentsOf } from './probe.ts';

/** What came of a call: a value in RAX, no line of its own because the call does not return to the program, or the name of a stop. */
export type Outcome = { readonly rc: number | null } | { readonly stop: string };

/** Where structures begin, behind what the program's start uses of the page. */
const STRUCTURES = DATA + 0x200;
/** Hypercalls of the program's start. */
const OF_START = 5;

/** One call of a row by the 32-bit domain 0, or by a 32-bit domain beside a 64-bit domain 0. */
export const probe32 = (boot: Boot, row: Row, domain: 0 | 1): Outcome => {
  const role = domain === 0 ? 'dom0 with company' : 'domu';
  const firstFrame = firstFrameOf(domain === 0 ? 'dom0' : 'domu');
  const code = callOf(row, domain, firstFrame);
  const { config, images } = subjectOf({ seed: 0, firstFrame, xenStart: 0, steps: [{ family: 'matrix', code }] }, role, REFERENCE_RELEASE);
  const engine = boot(config, images);
  const results: (string | null)[] = [];
  try {
    runEngine(engine, {
      onEvent: (event) => {
        if (event.kind === 'hypercall' && event.at.domid === domain && event.depth === 0) results.push(event.result);
      },
    });
  } catch (error) {
    if (error instanceof NotModelled) return { stop: error.what };
    throw error;
  } finally {
    engine.dispose?.();
  }
  const result = results[OF_START];
  return { rc: result === undefined || result === null ? null : Number(result) | 0 };
};

const callOf = (row: Row, domain: 0 | 1, firstFrame: number): Code => {
  const stores: number[] = [];
  let at = STRUCTURES;
  const lay = (values: readonly bigint[], size: 4 | 8): number => {
    const address = at;
    for (const value of values) {
      for (let half = 0; half < size; half += 4) {
        const word = Number((value >> BigInt(8 * half)) & 0xffffffffn);
        if (word !== 0) stores.push(...store(at + half, word));
      }
      at += size;
    }
    at = (at + 15) & ~15;
    return address;
  };
  const numberOf = (value: Value): bigint => {
    if (typeof value === 'number' || typeof value === 'string') return BigInt(value);
    if ('page' in value) return value.as === 'mfn' ? BigInt(firstFrame + (SPARE - BASE) / PAGE) : BigInt(SPARE);
    throw new RangeError(`no value of the matrix: ${JSON.stringify(value)}`);
  };
  const argumentOf = (argument: Argument): number => {
    if (typeof argument === 'object' && 'array' in argument) return lay(argument.array.map(numberOf), 8);
    if (typeof argument === 'object' && 'struct' in argument) {
      const fields = Object.values(argument.fields).map((field) => numberOf(field as Value));
      return lay(fields, argument.struct === 'xen.mmuext_op' ? 4 : 8);
    }
    return Number(BigInt.asUintN(32, numberOf(argument as Value)));
  };
  const args = argumentsOf(row, domain).map(argumentOf);
  return [...stores, ...call(row.number, ...args)];
};
