/** The chapter on isolation lists the flows that are data here, and no others. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CHANGING_FLOWS, DECLARED_FLOWS } from './flows.ts';

test('every flow has its row and its reason in the chapter', () => {
  const chapter = readFileSync(new URL('../../chapters/isolation.md', import.meta.url), 'utf8');
  const rows = [...chapter.matchAll(/^\| `(\S+)` \| (\S.*) \|$/gm)].map(([, id]) => id);
  expect(rows).toEqual([...Object.keys(CHANGING_FLOWS), ...Object.keys(DECLARED_FLOWS)]);
});
