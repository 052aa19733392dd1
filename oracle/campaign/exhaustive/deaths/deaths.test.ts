import { expect, test } from 'vitest';
import { candidatesOf, coreOf } from '../configs.ts';
import { REACHABLE } from '../counts.ts';
import { search } from '../search.ts';

test('a domain that may die at any point leaves nothing behind', async () => {
  const core = coreOf('deaths');
  const { states, transitions, levels, violation, complete, sometimes, clauses } = await search(core, { states: 5000 });
  expect({ violation, complete }).toEqual({ violation: null, complete: true });
  expect([...sometimes].sort()).toEqual(Object.keys(core.sometimes).sort());
  expect(core.clauses.filter((clause) => !clauses.has(clause))).toEqual([]);
  expect({ states, transitions, longest: levels.length - 1 }).toEqual(REACHABLE.deaths);
}, 120_000);

test('who is dying does nothing more, and who is gone is destroyed no further', () => {
  const core = coreOf('deaths');
  const act = (name: string) => core.actions.find((action) => action.name === name)!;
  const dying = act('d0 destroys d1, stopped at question 256').apply(core.initial[0]!)!;
  expect(dying.domains.map(({ domid, dying: stage }) => [domid, stage?.stage])).toEqual([
    [0, undefined],
    [1, 'frames'],
  ]);
  expect(act('d1 alloc_unbound(dom SELF, remote_dom 0)').apply(dying)).toBeNull();
  const gone = act('d0 destroys d1').apply(dying)!;
  expect(gone.domains.map(({ domid }) => domid)).toEqual([0]);
  expect(act('d0 destroys d1').apply(gone)).toBeNull();
});

test('nobody lists the states of machines whose domains die', () => {
  expect(() => candidatesOf('deaths')).toThrow('--config deaths: nobody can list');
});
