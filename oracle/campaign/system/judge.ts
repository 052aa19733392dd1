/** Says for each case whether both engines agree with each other and with the peer, and what explains it when they do not. */
import type { SystemCase } from '../../image/bare/case.ts';
import type { CaseRecord } from '../../image/bare/result.ts';
import { outcomeDifferences, recordDifferences } from './compare.ts';
import { EXPLANATIONS, REPAIRS } from './findings.ts';
import { explains, type PeerName } from './repairs.ts';
import type { Outcome } from './runner.ts';
import type { SystemDifference, Verdict } from './tally.ts';

export type Judged = {
  readonly seed: number;
  readonly c: SystemCase;
  readonly model: Outcome;
  readonly executor: Outcome;
  readonly peer: Outcome;
};

const MOST_SHOWN = 6;
const hex = (bytes: readonly number[]): string => bytes.map((b) => b.toString(16).padStart(2, '0')).join(' ');

/** The peer's record with its known defects undone, and the findings that changed something. */
const repaired = (
  peer: PeerName,
  c: SystemCase,
  ours: CaseRecord,
  theirs: CaseRecord,
): { readonly record: CaseRecord; readonly findings: readonly string[] } => {
  let record = theirs;
  const findings: string[] = [];
  for (const { finding, peer: whose, repair } of REPAIRS) {
    if (whose !== peer) continue;
    const before = recordDifferences(ours, record).length;
    const next = repair(record, ours, c);
    if (before === 0) break;
    if (recordDifferences(ours, next).length === before && recordDifferences(record, next).length === 0) continue;
    record = next;
    findings.push(finding);
  }
  return { record, findings };
};

export const judge = (name: PeerName, { seed, c, model, executor, peer }: Judged): Verdict => {
  const different = (engine: SystemDifference['engine'], what: readonly string[]): Verdict => ({
    kind: 'different',
    first: { seed, engine, note: c.note, code: hex(c.code), what: what.slice(0, MOST_SHOWN).join('; ') },
  });
  for (const outcome of [model, executor]) if (outcome.kind === 'not_modelled') return { kind: 'lacking', what: outcome.why };
  const between = outcomeDifferences(model, executor);
  if (between.length > 0) return different('model', between);
  const differences = outcomeDifferences(executor, peer);
  if (differences.length === 0) return { kind: 'agreed' };
  // What small repairs explain needs no more; else the case goes another way as a whole.
  if (executor.kind === 'record' && peer.kind === 'record') {
    const { record, findings } = repaired(name, c, executor.record, peer.record);
    if (recordDifferences(executor.record, record).length === 0)
      return { kind: 'explained', whole: false, findings: [...new Set(findings)] };
  }
  const explanation = EXPLANATIONS.find((e) => e.peer === name && explains(e, { c, ours: executor, peer }));
  return explanation === undefined ? different('peer', differences) : { kind: 'explained', whole: true, findings: [explanation.finding] };
};
