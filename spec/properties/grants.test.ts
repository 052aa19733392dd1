import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GNTMAP } from '../abi/grant_table.ts';
import { grantMappings } from './grants.ts';
import { activeGrant, domain, small } from './testing/small_machine.ts';

const { host_map, device_map, readonly } = GNTMAP;
const handle = (number: number, flags: number, ref = 8, domid = 0) => ({ handle: number, domid, ref, flags });
const told = (granter: Parameters<typeof domain>[1], user: Parameters<typeof domain>[1]) => [
  ...grantMappings.violations(small({ domains: [domain(0, granter), domain(1, user)] })),
];

test('a grant is mapped as often, and in the ways, as its user has handles for it', () => {
  const flags = fc.array(
    fc.constantFrom(0, host_map, device_map, host_map | device_map).chain((map) => fc.constantFrom(map, map | readonly)),
  );
  fc.assert(
    fc.property(flags, (each) => {
      const having = (which: number, ro: boolean) => each.filter((f) => (f & which) !== 0 && ((f & readonly) !== 0) === ro).length;
      const grant = activeGrant(8, 1, 0x500, {
        ...{ host_read: having(host_map, true), host_write: having(host_map, false) },
        ...{ device_read: having(device_map, true), device_write: having(device_map, false) },
      });
      expect(told({ active_grants: [grant] }, { maptrack: each.map((f, i) => handle(i, f)) })).toEqual([]);
    }),
  );
});

test.each(['host_read', 'host_write', 'device_read', 'device_write'] as const)('%s without a handle is told', (kind) => {
  expect(told({ active_grants: [activeGrant(8, 1, 0x500, { [kind]: 2 })] }, {})).toEqual([
    `grant 8 of d0 has 2 mappings (${kind}); d1 has handles for 0`,
  ]);
});

test('the handles of others, and those for other grants, do not count', () => {
  const grants = { active_grants: [activeGrant(8, 1, 0x500, { host_write: 1 }), activeGrant(9, 1, 0x501)] };
  const missing = 'grant 8 of d0 has 1 mappings (host_write); d1 has handles for 0';
  expect(told(grants, { maptrack: [handle(0, host_map)] })).toEqual([]);
  expect(told(grants, { maptrack: [handle(0, host_map, 9)] })).toEqual([
    missing,
    'grant 9 of d0 has 0 mappings (host_write); d1 has handles for 1',
  ]);
  expect(told(grants, { maptrack: [handle(0, host_map, 8, 1)] })).toEqual([
    missing,
    'handle 0 of d1 is for grant 8 of d1, which it does not use',
  ]);
});

test('a grant of a domain that is gone has no handles', () => {
  expect(told({ active_grants: [activeGrant(8, 7, 0x500, { host_read: 1 })] }, {})).toEqual([
    'grant 8 of d0 has 1 mappings (host_read); d7 has handles for 0',
  ]);
});

test.each([
  ['a grant that nobody uses', []],
  ['a grant that another uses', [activeGrant(8, 2, 0x500)]],
  ['another grant', [activeGrant(9, 1, 0x500)]],
])('a handle for %s is told', (_, active_grants) => {
  expect(told({ active_grants }, { maptrack: [handle(4, 0)] })).toEqual(['handle 4 of d1 is for grant 8 of d0, which it does not use']);
});

test('a handle for a grant of a domain that is gone is told', () => {
  expect(told({}, { maptrack: [handle(4, 0, 8, 7)] })).toEqual(['handle 4 of d1 is for grant 8 of d7, which it does not use']);
});
