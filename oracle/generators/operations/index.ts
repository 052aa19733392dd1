/** All operations, and which of them both machines answer: the matrix says so, so that what lands there is generated from then on. */

import type { Row } from '#spec/matrix/cell.ts';
import { kindOf, MATRIX, nameOf } from '#spec/matrix/matrix.ts';
import { BATCHES } from './batches.ts';
import { CONTROL_OPERATIONS } from './control.ts';
import { EVENT_CHANNEL } from './event_channel.ts';
import { GRANT_TABLE } from './grant_table.ts';
import { HVM_OPERATIONS } from './hvm.ts';
import { IRET } from './iret.ts';
import { MEMORY_OP } from './memory.ts';
import { OLD_FORMS } from './old_forms.ts';
import type { Operation } from './operation.ts';
import { PAGE_TABLES } from './page_tables.ts';
import { PHYSICAL_OPERATIONS } from './physical.ts';
import { PLATFORM_OP } from './platform.ts';
import { PROCESSOR } from './processor.ts';
import { SCHEDULING } from './scheduling.ts';

export type DomainKind = 'pv64_dom0' | 'pv64_domU';

export const OPERATIONS: readonly Operation[] = [
  ...EVENT_CHANNEL,
  ...SCHEDULING,
  ...PROCESSOR,
  ...PAGE_TABLES,
  ...GRANT_TABLE,
  ...MEMORY_OP,
  ...OLD_FORMS,
  ...PLATFORM_OP,
  ...PHYSICAL_OPERATIONS,
  ...CONTROL_OPERATIONS,
  ...HVM_OPERATIONS,
  ...BATCHES,
  ...IRET,
];

/** Rows by their names and by each beginning of them: an operation with sub-operations of its own has a row for each, and they share their fate. */
const ROWS: ReadonlyMap<string, readonly Row[]> = (() => {
  const rows = new Map<string, Row[]>();
  for (const row of MATRIX) {
    const parts = nameOf(row).split('/');
    parts.forEach((_, n) => {
      const name = parts.slice(0, n + 1).join('/');
      rows.set(name, [...(rows.get(name) ?? []), row]);
    });
  }
  return rows;
})();
const rowsOf = (name: string): readonly Row[] => ROWS.get(name) ?? [];

/** Whether model and executor answer it for this caller, be it by a refusal. */
export const isAnswered = (name: string, caller: DomainKind): boolean => {
  const rows = rowsOf(name);
  return rows.length > 0 && rows.every(({ cells }) => ['modelled', 'refused'].includes(kindOf(cells[caller])));
};

/** Whether it is refused to this caller whatever the arguments. */
export const isRefused = (name: string, caller: DomainKind): boolean => {
  const rows = rowsOf(name);
  return rows.length > 0 && rows.every(({ cells }) => kindOf(cells[caller]) === 'refused');
};

const answered = new Map<DomainKind, readonly Operation[]>();
/** The operations that may be generated for this caller. */
export const operationsFor = (caller: DomainKind): readonly Operation[] => {
  const known = answered.get(caller);
  if (known) return known;
  const found = OPERATIONS.filter(({ row }) => isAnswered(row, caller));
  answered.set(caller, found);
  return found;
};
