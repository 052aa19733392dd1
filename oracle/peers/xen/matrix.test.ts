import { describe, expect, it } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import type { Caller, Row } from '#spec/matrix/cell.ts';
import { MATRIX, nameOf } from '#spec/matrix/matrix.ts';
import { BATCH, programOf } from '../../campaign/matrix/probe.ts';
import { buildImages } from '../../image/index.ts';
import { xenPeer } from './xen.ts';

const peer = xenPeer();
const LINE = /^\d+\.(\d+) .*?\brc=(-?\d+)/gm;

describe.skipIf(!peer.available)('real Xen', () => {
  if (!peer.available) return;

  /** What each row's call answered, null where the program shows nothing of it. */
  const answers = async (rows: readonly Row[], domain: 0 | 1): Promise<readonly (number | null)[]> => {
    const { consoles } = await peer.record(buildImages(programOf(rows, domain)), debian_4_17([dom0(), domU(1)]));
    const byStep = new Map([...(consoles[domain] ?? '').matchAll(LINE)].map(([, step, rc]) => [Number(step), Number(rc)]));
    return rows.map((_, i) => byStep.get(i + 1) ?? null);
  };

  it.each([
    ['pv64_dom0', 0],
    ['pv64_domU', 1],
  ] as const satisfies readonly (readonly [Caller, 0 | 1])[])(
    'refuses %s what the matrix says, with that errno',
    {
      timeout: 180_000,
    },
    async (caller, domain) => {
      const refused = MATRIX.filter(({ cells }) => cells[caller].kind === 'refused');
      const errnos = refused.map(({ cells }) => {
        const cell = cells[caller];
        return cell.kind === 'refused' ? -ERRNO[cell.errno] : null;
      });
      const seen: (number | null)[] = [];
      for (let first = 0; first < refused.length; first += BATCH)
        seen.push(...(await answers(refused.slice(first, first + BATCH), domain)));
      const named = (values: readonly (number | null)[]) => refused.map((row, i) => `${nameOf(row)} ${values[i]}`);
      expect(named(seen)).toEqual(named(errnos));
    },
  );
});
