/** Two records of one case, field by field. */
import { RECORD_FIELDS, type RecordField } from '../../image/bare/layout.ts';
import type { CaseRecord } from '../../image/bare/result.ts';
import type { Outcome } from './runner.ts';

const hex = (value: bigint | number): string => value.toString(16);
const IGNORED: ReadonlySet<RecordField> = new Set(['id', 'changes']);
/** Pushed selectors have 16 bits that count; what stands above them is open. */
const SELECTORS: ReadonlySet<RecordField> = new Set(['es_ds']);
const SELECTOR_BITS = 0x0000ffff0000ffffn;

export const fieldOf = ({ fields }: CaseRecord, name: RecordField): bigint =>
  SELECTORS.has(name) ? fields[name] & SELECTOR_BITS : fields[name];

/** Names of the fields that differ; `memory` for words. */
export const fieldsThatDiffer = (a: CaseRecord, b: CaseRecord): readonly (RecordField | 'memory')[] => [
  ...RECORD_FIELDS.filter((name) => !IGNORED.has(name) && fieldOf(a, name) !== fieldOf(b, name)),
  ...(JSON.stringify(a.changes) === JSON.stringify(b.changes) ? [] : (['memory'] as const)),
];

/** What differs, as text: `rax 1 ≠ 2`, `[8123] …`. Empty when they agree. */
export const recordDifferences = (a: CaseRecord, b: CaseRecord): readonly string[] => {
  const fields = RECORD_FIELDS.filter((name) => !IGNORED.has(name) && fieldOf(a, name) !== fieldOf(b, name)).map(
    (name) => `${name} ${hex(fieldOf(a, name))} ≠ ${hex(fieldOf(b, name))}`,
  );
  const left = new Map(a.changes);
  const right = new Map(b.changes);
  const words = [...new Set([...left.keys(), ...right.keys()])].sort((x, y) => x - y);
  const changed = words
    .filter((at) => left.get(at) !== right.get(at))
    .map((at) => `[${hex(at)}] ${at < 0 ? '' : hexOr(left.get(at))} ≠ ${hexOr(right.get(at))}`);
  return [...fields, ...changed];
};
const hexOr = (value: number | undefined): string => (value === undefined ? 'untouched' : hex(value));

/** The same of outcomes: cases may take a machine away. */
export const outcomeDifferences = (a: Outcome, b: Outcome): readonly string[] => {
  if (a.kind === 'record' && b.kind === 'record') return recordDifferences(a.record, b.record);
  const said = (o: Outcome): string => (o.kind === 'record' ? `vector ${o.record.fields.vector}` : `${o.kind} (${o.why})`);
  return a.kind === b.kind ? [] : [`${said(a)} ≠ ${said(b)}`];
};
