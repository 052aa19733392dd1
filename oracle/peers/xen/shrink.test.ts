import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkAgainstPeer } from '../../campaign/peer/check.ts';
import { findPeer } from '../peers.ts';

/** Some of these programs close a port that an event waits on, and look at it again. */
const SEEDS = { first: 20, programs: 300 } as const;
const SMALL = 6;

describe.runIf(findPeer('xen').available)('a bug planted in the executor', () => {
  it('is found on real Xen, made small and kept with its story', { timeout: 60_000 }, async () => {
    const out = mkdtempSync(join(tmpdir(), 'xenspec-shrink-'));
    try {
      const check = await checkAgainstPeer({
        ...{ peer: 'xen', release: '4.17', roles: ['dom0'], engines: ['executor'], work: 'mixed', out, mutant: 'executor-close' },
        ...{ ...SEEDS, hypercalls: null, budget: null, onProgress: () => undefined },
      });
      // The first few are made small.
      const difference = check.differences.find(({ steps }) => steps !== null);
      expect(difference).toMatchObject({ role: 'dom0', explained: null });
      expect(difference!.steps).toBeLessThanOrEqual(SMALL);
      const files = readdirSync(difference!.folder);
      expect(files).toEqual(expect.arrayContaining(['README.txt', 'program.json', 'original.json', 'machine.json', 'peer.txt', 'd0.elf']));
      expect(readFileSync(join(difference!.folder, 'README.txt'), 'latin1')).toMatch(
        /\d steps \(generated with \d+\), after \d+ trials on xen/,
      );
      expect(Object.values(check.explained).every((n) => n === 0)).toBe(true);
      expect(Object.keys(check.explained)).toEqual(expect.arrayContaining(['F-176', 'open/frame-choice']));
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});
