/** Machines that run images of system cases, and how many cases become outcomes whatever a case does to the machine. */

import type { SystemCase } from '../../image/bare/case.ts';
import { buildPayload, FIRST_ID, type Payload } from '../../image/bare/image.ts';
import { type CaseRecord, readResult } from '../../image/bare/result.ts';

export type ImageRun = {
  readonly debugcon: Uint8Array;
  /** Why the image did not come to its end; null when it did. */
  readonly stopped: Stopped | null;
};
/** `reset`: the machine went away. `hang`: it went on without end. `not_modelled`: an engine named what it lacks. `failed`: the emulator did not start, or died. */
export type Stopped = {
  readonly kind: 'reset' | 'hang' | 'not_modelled' | 'failed';
  readonly why: string;
  /** A clock on the wall stopped it: it may have been slow alone. */
  readonly byClock?: true;
};

export type Runner = {
  readonly name: string;
  run(payload: Payload): Promise<ImageRun>;
};

/** What a machine made of a case: a record, or how the case took the machine away. */
export type Outcome = { readonly kind: 'record'; readonly record: CaseRecord } | Stopped;

/** Outcomes of all cases in order. A case that takes the machine away is that case's outcome; the others run in an image of their own. */
export const runCases = async (runner: Runner, cases: readonly SystemCase[]): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  while (outcomes.length < cases.length) {
    const left = cases.slice(outcomes.length);
    const { debugcon, stopped } = await runner.run(buildPayload(left));
    const { records, began, complete } = readResult(debugcon);
    for (const [i, record] of records.entries()) {
      if (record.id !== FIRST_ID + i || i >= left.length) break;
      outcomes.push({ kind: 'record', record });
    }
    if (outcomes.length === cases.length) break;
    if (stopped?.kind === 'failed' && !began) return [...outcomes, ...left.slice(records.length).map(() => stopped)];
    // Only a case that had an image's whole time for itself hangs.
    if (stopped?.byClock === true && records.length > 0) continue;
    outcomes.push(stopped ?? { kind: 'reset', why: complete ? 'the list of cases was cut' : 'the image ended early' });
  }
  return outcomes;
};
