/** Each operation that both machines answer has a recording from real Xen, as domain 0 and as another domain. */
import { expect, test } from 'vitest';
import type { Call, Program } from '#spec/program.ts';
import { type DomainKind, operationsFor } from '../generators/operations/index.ts';
import { type Operation, singles } from '../generators/operations/operation.ts';
import { readScripts } from './conformance.ts';

/** Rows without a recording, and why. */
const WITHOUT: Readonly<Record<DomainKind, Readonly<Record<string, string>>>> = {
  pv64_dom0: {},
  pv64_domU: {
    'event_channel_op/reset': 'closes the port on which domain 0 waits for its turn',
    'event_channel_op/reset_cont': 'the same',
    'console_io/write': 'a release build refuses it to other domains: generated programs say so of each line that they keep',
    'console_io/read': 'the same',
  },
};

const nameOf = ({ call, args }: Call): string => JSON.stringify([call, args]);

/** Every call of the scripts, by who makes it. */
const recorded = (): Readonly<Record<DomainKind, ReadonlySet<string>>> => {
  const found = { pv64_dom0: new Set<string>(), pv64_domU: new Set<string>() };
  for (const { script } of readScripts())
    for (const step of (script.program as Program).steps) {
      const calls = found[step.domain === 1 ? 'pv64_domU' : 'pv64_dom0'];
      if (step.do === 'hypercall') calls.add(nameOf(step));
      else if (step.do === 'calls') for (const call of step.calls) calls.add(nameOf(call));
      else {
        const { id: _, domain: _domain, ...draft } = step;
        calls.add(JSON.stringify(draft));
      }
    }
  return found;
};

/** What a script holds where it asks the operation, right or wrong. */
const asked = (operation: Operation): readonly string[] => {
  const { call, args, variants, asStep } = operation;
  const calls = [...singles(operation).map((one) => one.call), ...[args, ...variants].map((some) => ({ call, args: [...some] }))];
  return calls.flatMap((one) => [nameOf(one), ...(asStep ? [JSON.stringify(asStep(one).asked)] : [])]);
};

test.each(['pv64_dom0', 'pv64_domU'] as const)('%s: every row has one, but those with a reason', (caller) => {
  const calls = recorded()[caller];
  const operations = operationsFor(caller);
  expect(operations.length).toBeGreaterThan(300);
  const rows = new Set(operations.filter((operation) => asked(operation).some((name) => calls.has(name))).map(({ row }) => row));
  const missing = [...new Set(operations.map(({ row }) => row))].filter((row) => !rows.has(row));
  expect(missing.sort()).toEqual(Object.keys(WITHOUT[caller]).sort());
});
