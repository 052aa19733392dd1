/** Bugs planted in the model: the shortest way to what they break is found, and as a program it tells the model from the executor. */
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

type Explored = {
  readonly verdict: string;
  readonly what: string;
  readonly path: readonly string[];
  readonly replayed: { readonly model: string; readonly executor: string; readonly together: string };
};

const explored = (mutant: string, config: string): Explored => {
  const out = mkdtempSync(join(tmpdir(), 'xenspec-planted-'));
  const options: ExecFileSyncOptions = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  try {
    return JSON.parse(
      execFileSync(
        process.execPath,
        [MAIN, 'check', '--exhaustive', '--config', config, '--mutant', mutant, '--json', '--out', out],
        options,
      ) as string,
    );
  } catch (error) {
    // A divergence is exit code 1.
    return JSON.parse((error as { readonly stdout: string }).stdout);
  } finally {
    rmSync(out, { recursive: true });
  }
};

test.each([
  [
    'model-close-peer',
    'channels',
    /does not lead back/,
    /^channel\/pairs: /,
    ['d0 alloc_unbound(dom SELF, remote_dom 0)', 'd0 bind_interdomain(remote_dom 0, remote_port 1)', 'd0 close(port 1)'],
  ],
  [
    'model-unmap-entry',
    'grants',
    /^frame 0 has 0 uses as writable; found are 1 writable ones/,
    /^count\/types: /,
    [
      'd1 grants frame 0 to d0 by grant 0',
      'd0 maps grant 0 at entry 0',
      'd0 maps grant 0 for reading at entry 0',
      'd0 unmaps handle 0 at entry 0',
    ],
  ],
  [
    'model-map-read_only',
    'grants',
    /has 1 uses as writable; found are 2/,
    /^count\/types: /,
    ['d1 grants frame 0 to d0 by grant 0', 'd0 maps grant 0 at entry 0'],
  ],
  [
    'model-l1-type',
    'page_types',
    /has 1 uses as l1; found are 1 writable ones/,
    /^count\/types: /,
    ['d1 pins frame 0 as L1', 'd1 writes entry 0 of frame 0: frame 0, writable'],
  ],
  [
    'model-death-channels',
    'deaths',
    /^channel\/pairs: port 1 of d0 leads to port 1 of d1, which does not lead back/,
    // In programs domain 0 holds a page of the dead, whose port leads back.
    /^the invariants hold$/,
    ['d0 alloc_unbound(dom SELF, remote_dom 1)', 'd1 bind_interdomain(remote_dom 0, remote_port 1)', 'd0 destroys d1'],
  ],
] as const)(
  '%s in %s',
  (mutant, config, what, invariant, path) => {
    const found = explored(mutant, config);
    expect(found.verdict).toBe('violated');
    expect(found.what).toMatch(what);
    expect(found.path).toEqual(path);
    expect(found.replayed).toEqual({
      model: expect.stringMatching(invariant),
      executor: 'the invariants hold',
      together: 'they part',
    });
  },
  60_000,
);
