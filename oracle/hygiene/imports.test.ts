import { describe, expect, it } from 'vitest';
import { importsOf, importViolations } from './imports.ts';
import { type Source, sources } from './sources.ts';

const file = (path: string, text: string): Source => ({ path, text });
const judge = (...files: Source[]) => importViolations(files);

describe('imports', () => {
  it('keep to the rules everywhere', () => {
    expect(importViolations(sources())).toEqual([]);
  });

  it('are found in every form', () => {
    const text = `
      import a from './a.ts'; import type { B } from '#spec/b.ts'; export * from '../c.ts'; import './d.ts';
      const e = await import('zod'); type F = import('./f.ts').F; new Worker(new URL('./g.ts', import.meta.url));
      import h from 'node:fs'; import i from 'fs'; import j from '@scope/pkg/sub'; import k from 'xenspec/model';
      // import l from './l.ts'
      const m = "import n from './n.ts'";`;
    expect(importsOf(file('model/cpu/x.ts', text)).map((each) => each.target)).toEqual([
      'model/cpu/a.ts',
      'spec/b.ts',
      'model/c.ts',
      'model/cpu/d.ts',
      'zod',
      'model/cpu/f.ts',
      'model/cpu/g.ts',
      'node:fs',
      'fs',
      '@scope/pkg',
      'model/index.ts',
    ]);
  });
});

describe('a planted breach is found', () => {
  it.each([
    ['model/a.ts', "import { run } from '#oracle/executor/run.ts';"],
    ['model/a.ts', "import type { Run } from '#oracle/executor/run.ts';"],
    ['model/a.ts', "import { z } from 'zod';"],
    ['model/a.ts', "import { readFileSync } from 'node:fs';"],
    ['model/a.ts', "import { readFileSync } from 'fs';"],
    ['model/a.ts', 'export const home = process.env.HOME;'],
    ['model/a.ts', 'export const dice = () => Math.random();'],
    ['spec/a.ts', "import { match } from 'ts-pattern';"],
    ['spec/a.ts', "export { step } from '#model/step.ts';"],
    ['spec/a.ts', 'export const now = Date.now();'],
    ['traces/format.ts', "import { gunzipSync } from 'node:zlib';"],
    ['traces/reader.ts', "import { step } from '#model/step.ts';"],
    ['oracle/executor/a.ts', "import { step } from '../../model/step.ts';"],
    ['oracle/executor/a.ts', "import { match } from 'ts-pattern';"],
    ['oracle/executor/a.ts', "import { build } from '#oracle/image/build.ts';"],
    ['oracle/executor/a.ts', 'export const bytes = Buffer.alloc(4096);'],
    ['oracle/generators/a.ts', "import { step } from '#model/step.ts';"],
    ['oracle/peers/xen/a.ts', "const { step } = await import('#model/step.ts');"],
    ['oracle/image/a.ts', "import fc from 'fast-check';"],
    ['elsewhere/a.ts', ''],
  ])('%s: %s', (path, text) => {
    expect(judge(file(path, text))).not.toEqual([]);
  });

  it('when model and executor meet in a test, or through a third file', () => {
    const bridge = file('oracle/compare/both.ts', "import '#model/step.ts'; import '#oracle/executor/run.ts';");
    expect(judge(file('model/a.test.ts', "import '#oracle/executor/run.ts';"))).not.toEqual([]);
    expect(judge(bridge, file('oracle/executor/a.test.ts', "import '#oracle/compare/both.ts';"))).toEqual([
      'oracle/executor and model never meet: oracle/executor/a.test.ts → oracle/compare/both.ts → model/step.ts',
    ]);
  });
});

describe('what the rules allow passes', () => {
  it.each([
    ['model/a.ts', "import { match } from 'ts-pattern'; import '#spec/abi/errno.ts'; import './b.ts';"],
    ['model/a.test.ts', "import { it } from 'vitest'; import fc from 'fast-check'; import '#oracle/image/build.ts';"],
    ['model/a.ts', 'const process = 1; const random = machine.random; // Date.now()'],
    ['traces/format.ts', "import { z } from 'zod'; import './schema.ts';"],
    ['traces/reader.ts', "import { gunzipSync } from 'node:zlib'; import './format.ts';"],
    ['oracle/compare/a.ts', "import '#model/step.ts'; import '#oracle/executor/run.ts'; import 'node:fs';"],
    ['oracle/generators/a.ts', "import fc from 'fast-check'; import '#oracle/image/program.ts';"],
  ])('%s: %s', (path, text) => {
    expect(judge(file(path, text))).toEqual([]);
  });
});
