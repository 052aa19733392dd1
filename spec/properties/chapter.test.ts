/** The chapter on invariants states those that are asked, and no others, by clauses that there are. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLAUSES } from '../clauses.ts';
import { INVARIANTS } from './index.ts';

const chapter = readFileSync(new URL('../chapters/invariants.md', import.meta.url), 'utf8');
const rows = [...chapter.matchAll(/^\| `(\S+)` \| (\S.*) \| (`\S.*`) \| (\S.*) \|$/gm)];

test('every invariant has its row in the chapter', () => expect(rows.map(([, id]) => id)).toEqual(Object.keys(INVARIANTS)));

test.each(rows.map(([, id, , clauses]) => [id, [...clauses!.matchAll(/`([^`]+)`/g)].map(([, clause]) => clause!)] as const))(
  '%s names clauses that there are',
  (_, clauses) => {
    expect(clauses.length).toBeGreaterThan(0);
    for (const clause of clauses) expect(CLAUSES).toHaveProperty([clause]);
  },
);
