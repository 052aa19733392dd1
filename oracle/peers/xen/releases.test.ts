import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REFERENCE_RELEASE, XEN_RELEASES } from '#spec/releases/release.ts';
import { checkAgainstPeer } from '../../campaign/peer/check.ts';
import { findPeer } from '../peers.ts';

const others = XEN_RELEASES.filter((release) => release !== REFERENCE_RELEASE);

/** Skipped where that release was not fetched (`xenspec peers --fetch-xen`). */
describe.each(others.map((release) => [release, findPeer('xen', release)] as const))('Xen %s', (release, peer) => {
  it.runIf(peer.available)(
    'does as both machines that are that release, as domain 0 and in domains of its own',
    { timeout: 90_000 },
    async () => {
      const out = mkdtempSync(join(tmpdir(), 'xenspec-release-'));
      try {
        const check = await checkAgainstPeer({
          ...{ peer: 'xen', release, roles: ['dom0', 'domu'], engines: ['model', 'executor'], work: 'mixed', out, mutant: null },
          ...{ first: 31, programs: 8, hypercalls: null, budget: null, onProgress: () => undefined },
        });
        expect(check).toMatchObject({ differences: [], bugs: [], inconclusive: [] });
        expect(check.version.startsWith(`${release}.`)).toBe(true);
        expect(check.programs.dom0).toBeGreaterThan(0);
        expect(check.programs.domu).toBeGreaterThan(0);
      } finally {
        rmSync(out, { recursive: true, force: true });
      }
    },
  );
});
