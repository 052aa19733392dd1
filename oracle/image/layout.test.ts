import { expect, test } from 'vitest';
import * as layout from './layout.ts';
import { runtime, runtimeFor } from './runtime/runtime.ts';

test('the runtime fits its pages, and the rest follows page by page', () => {
  expect(layout.RUNTIME + runtime().bytes.length).toBeLessThanOrEqual(layout.BSS);
  for (const address of [
    layout.SHARED_INFO,
    layout.VARIABLES,
    layout.LINE,
    layout.RESULTS,
    layout.GRANT,
    layout.USER_TABLES,
    layout.PROGRAMS,
  ])
    expect(address % 4096).toBe(0);
  expect(Math.max(...Object.values(layout.VAR))).toBeLessThan(layout.VARIABLES + 4096);
});

test('the runtime is the same each time but for where the programs are', () => {
  const [a, b] = [runtimeFor(0x500000), runtimeFor(0x500008)];
  expect(a.filter((byte, i) => byte !== b[i]).length).toBe(1);
});
