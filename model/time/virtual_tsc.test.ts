/** The counter that Xen makes up: clauses time/emulated_tsc, time/emulated_tsc-read. */
import { expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { debian_4_17 } from '#spec/machines/debian_4_17.ts';
import { domainOf } from '../lens.ts';
import { DOM0, DOM1, twoDomains } from '../testing/guest.ts';
import { toBigInt } from '../word/word.ts';
import { emulatesTsc, readTsc, tscAt } from './virtual_tsc.ts';

const config = debian_4_17();
const two = twoDomains(ONE_PAGE_KERNEL);
const withRate = (tsc_khz: number) => ({ ...two, config: { ...two.config, cpu: { ...two.config.cpu, tsc_khz } } });

it.each([
  [1_000_000, 12_345, 12_345n],
  [2_000_000, 1_000, 2_000n],
  [500_000, 1_000, 500n],
])('a counter of %i kHz says at %i ns: %s', (khz, ns, ticks) => {
  // The reciprocal is rounded down: at most one tick is missing.
  const told = toBigInt(tscAt(withRate(khz), domainOf(two, 1), ns));
  expect(told === ticks || told === ticks - 1n).toBe(true);
});

it('counts backwards to its beginning, which has no sign', () => {
  const machine = withRate(2_000_000);
  const at = (offset: bigint, now: number) =>
    toBigInt(tscAt(machine, { ...domainOf(machine, 1), tsc: { mode: 1, khz: 2_000_000, incarnation: 1, offset } }, now));
  const after = at(0n, 600);
  expect(at(1_000n, 1_600)).toBe(after);
  expect(at(1_000n, 400)).toBe(2n ** 64n - after);
  // A sign would make it 1,000 ticks and some.
  expect(at(-1_000n, 400)).toBeGreaterThan(2n ** 32n);
});

it('is for domains other than domain 0, unless the machine\u2019s counter is invariant', () => {
  const invariant = { leaf: 0x80000007, subleaf: null, eax: 0, ebx: 0, ecx: 0, edx: 1 << 8 };
  const steady = { ...config, cpu: { ...config.cpu, cpuid: [...config.cpu.cpuid, invariant] } };
  expect([emulatesTsc(config, 0), emulatesTsc(config, 1), emulatesTsc(steady, 1)]).toEqual([false, true, false]);
});

it('never says the same twice', () => {
  const machine = { ...twoDomains(ONE_PAGE_KERNEL), now: 500 };
  const first = readTsc(machine, DOM1);
  const second = readTsc(first.machine, DOM1);
  expect([toBigInt(first.value), toBigInt(second.value)]).toEqual([500n, 501n]);
  expect(readTsc(machine, DOM0).machine).toBe(machine);
});
