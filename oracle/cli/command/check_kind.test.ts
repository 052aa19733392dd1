import { expect, test } from 'vitest';
import { kindOf, refuseOthers } from './check_kind.ts';

test.each([
  [{}, 'campaign'],
  [{ peer: 'xen' }, 'peer'],
  [{ bare: 'kernel' }, 'bare'],
  [{ hypercalls: 5_000_000 }, 'hypercalls'],
  [{ preempt: 50 }, 'preempt'],
  [{ pv32: 500 }, 'pv32'],
  [{ domains: [2, 3], hypercalls: 5000 }, 'domains'],
  [{ order: true, peer: 'xen' }, 'order'],
  [{ exhaustive: true }, 'exhaustive'],
  [{ inductive: true }, 'inductive'],
  [{ clauses: true }, 'clauses'],
  [{ variations: 500 }, 'variations'],
  [{ isa: 'x86' }, 'sequences'],
  [{ isa: 'x86', peer: 'silicon' }, 'silicon'],
  [{ isa: 'x86', peer: 'bochs' }, 'system'],
] as const)('%j asks for the kind %s', (options, kind) => expect(kindOf(options)).toBe(kind));

test('machines without a hypervisor are no peers of the campaign', () =>
  expect(() => kindOf({ peer: 'qemu' })).toThrow('--peer qemu knows no hypervisor: it goes with --isa x86'));

test('an option that would be ignored is refused by the name under which it was given', () => {
  expect(() => refuseOthers('campaign', ['seeds', 'row'])).toThrow(
    '--row means nothing with the campaign; `xenspec check --help` says what it goes with',
  );
  expect(() => refuseOthers('silicon', ['isa', 'peer', 'keepGoing'])).toThrow('--keep-going means nothing with');
  expect(() => refuseOthers('bare', ['bare', 'traces'])).toThrow('--no-traces means nothing with');
  expect(refuseOthers('objdump', ['isa', 'peer', 'cases', 'json'])).toBeUndefined();
});
