/** What a grant allows its user to change for the domain that gives it: domain 1 gives, and domain 2 acts. */
import { describe, expect, test } from 'vitest';
import { GTF } from '../../abi/grant_table.ts';
import { activeGrant, bytesOf, frame } from '../testing/small_machine.ts';
import { CHANGING_FLOWS } from './flows.ts';
import { bytes, turn } from './testing/turn.ts';

const { allows: granted } = CHANGING_FLOWS['flow/granted'];
const { allows: transferred } = CHANGING_FLOWS['flow/transferred'];

/** The first of two frames of a grant table is 0x410, the second 0x411. */
const TABLE = [0x410, 0x411];
type Entry = { readonly ref: number; readonly flags: number; readonly domid: number; readonly mfn: number };
const VERSIONS = { 1: { size: 8, perFrame: 512 }, 2: { size: 16, perFrame: 256 } } as const;

const tableOf = (version: 1 | 2, entries: readonly Entry[]) => {
  const { size, perFrame } = VERSIONS[version];
  const pages = new Map(TABLE.map((mfn) => [mfn, bytesOf()]));
  for (const { ref, flags, domid, mfn } of entries) {
    const { buffer, byteOffset } = pages.get(TABLE[Math.floor(ref / perFrame)]!)!;
    const entry = new DataView(buffer, byteOffset + (ref % perFrame) * size, size);
    entry.setUint16(0, flags, true);
    entry.setUint16(2, domid, true);
    if (version === 1) entry.setUint32(4, mfn, true);
    else entry.setBigUint64(8, BigInt(mfn), true);
  }
  return { page: (mfn: number) => pages.get(mfn), table: { grant_frames: TABLE, ...(version === 2 && { grant_version: 2 as const }) } };
};
const byte = (mfn: number, at: number) => bytes(mfn, { at, bits: 1 });
const writes = (mfn: number) => byte(mfn, 77);

describe.each([1, 2] as const)('with a table of version %i', (version) => {
  const { size, perFrame } = VERSIONS[version];
  const given = (...entries: readonly Entry[]) => {
    const { page, table } = tableOf(version, entries);
    return turn({ page, before: table, after: table });
  };
  const [last, next] = [perFrame - 1, perFrame + 2];
  const access: Entry = { ref: 8, flags: GTF.permit_access, domid: 2, mfn: 0x500 };

  test.each([8, 510, 256, last, next])('the one whom entry %i names may use it', (ref) => {
    const change = { kind: 'grant', ref, user: 2 } as const;
    for (const flags of [GTF.permit_access, GTF.accept_transfer, GTF.permit_access | GTF.readonly])
      expect(granted(change, given({ ...access, ref, flags }))).toBe(true);
    expect(granted({ ...change, user: 3 }, given({ ...access, ref, domid: 3 }))).toBe(false);
    expect(granted(change, given({ ...access, ref, domid: 3 }))).toBe(false);
    expect(granted({ ...change, user: 3 }, given({ ...access, ref }))).toBe(false);
    expect(granted(change, given({ ...access, ref, flags: GTF.readonly }))).toBe(false);
    expect(granted(change, given({ ...access, ref: ref + 1 }))).toBe(false);
    expect(granted(change, given())).toBe(false);
  });

  test('who used it may go on, whatever the entry says now', () => {
    const change = { kind: 'grant', ref: 8, user: 2 } as const;
    const using = (ref: number, user: number) => turn({ before: { active_grants: [activeGrant(ref, user, 0x500)] } });
    expect(granted(change, using(8, 2))).toBe(true);
    expect(granted(change, using(9, 2))).toBe(false);
    expect(granted(change, using(8, 3))).toBe(false);
    expect(granted(change, turn({ after: { active_grants: [activeGrant(8, 2, 0x500)] } }))).toBe(false);
  });

  test('the frame that is granted shows that it is used', () => {
    const change = (before: number | null, after: number | null, mfn = 0x500) => ({
      ...{ kind: 'frame' as const, mfn },
      ...{
        before: before === null ? null : frame(mfn, { owner: before }),
        after: after === null ? null : frame(mfn, { owner: after, refs: 2 }),
      },
    });
    expect(granted(change(1, 1), given(access))).toBe(true);
    expect(granted(change(1, 1, 0x501), given(access))).toBe(false);
    expect(granted(change(1, 1), given({ ...access, domid: 3 }))).toBe(false);
    for (const [before, after] of [
      [1, 2],
      [null, 1],
      [1, null],
    ] as const)
      expect(granted(change(before, after), given(access))).toBe(false);
    for (const when of ['before', 'after'] as const) {
      const using = (user: number, mfn: number) => turn({ [when]: { active_grants: [activeGrant(8, user, mfn)] } });
      expect(granted(change(1, 1), using(2, 0x500))).toBe(true);
      expect(granted(change(1, 1), using(3, 0x500))).toBe(false);
      expect(granted(change(1, 1), using(2, 0x501))).toBe(false);
    }
  });

  test('it is written when the entry says that it may be, and not when it is to be read or given', () => {
    expect(granted(writes(0x500), given(access))).toBe(true);
    expect(granted({ kind: 'bytes', mfn: 0x500, at: null }, given(access))).toBe(true);
    expect(granted(writes(0x501), given(access))).toBe(false);
    expect(granted(writes(0x500), given({ ...access, domid: 3 }))).toBe(false);
    for (const flags of [GTF.permit_access | GTF.readonly, GTF.accept_transfer, GTF.transitive])
      expect(granted(writes(0x500), given({ ...access, flags }))).toBe(false);
  });

  test('it is written while it is mapped to be written, by the host or a device', () => {
    for (const when of ['before', 'after'] as const) {
      const mapped = (change: Parameters<typeof activeGrant>[3], user = 2) =>
        turn({ [when]: { active_grants: [activeGrant(8, user, 0x500, change)] } });
      for (const change of [{ host_write: 1 }, { device_write: 1 }, { host_write: 1, device_write: 1 }]) {
        expect(granted(writes(0x500), mapped(change))).toBe(true);
        expect(granted(writes(0x501), mapped(change))).toBe(false);
        expect(granted(writes(0x500), mapped(change, 3))).toBe(false);
      }
      expect(granted(writes(0x500), mapped({ host_read: 1, device_read: 1 }))).toBe(false);
    }
  });

  test('a frame that is borrowed from the one who acts is written by him', () => {
    const isBorrowed = (mfn: number, owner: number) => mfn === 0x600 && owner === 2;
    expect(granted(writes(0x600), turn({ isBorrowed }))).toBe(true);
    expect(granted(writes(0x601), turn({ isBorrowed }))).toBe(false);
    expect(granted(writes(0x600), turn({ isBorrowed, actor: 3 }))).toBe(false);
  });

  test.each([0, 8, last, next, perFrame])('of the table the bytes of entry %i change, which is for the one who acts', (ref) => {
    const mfn = TABLE[Math.floor(ref / perFrame)]!;
    const from = (ref % perFrame) * size;
    const isIts = (at: number) => at >= from && at < from + size;
    const using = (when: 'before' | 'after', user: number) => {
      const { page, table } = tableOf(version, []);
      const active = { active_grants: [activeGrant(ref, user, 0x500)] };
      return turn({ page, before: { ...table, ...(when === 'before' && active) }, after: { ...table, ...(when === 'after' && active) } });
    };
    // Those around the entry, and some of the others.
    for (let at = 0; at < 4096; at += Math.abs(at - from) <= 2 * size ? 1 : 61) {
      expect(granted(byte(mfn, at), given({ ...access, ref }))).toBe(isIts(at));
      for (const when of ['before', 'after'] as const) expect(granted(byte(mfn, at), using(when, 2))).toBe(isIts(at));
    }
    const other = TABLE.find((each) => each !== mfn)!;
    expect(granted(byte(other, from), given({ ...access, ref }))).toBe(false);
    expect(granted(byte(mfn, from), given({ ...access, ref, domid: 3 }))).toBe(false);
    expect(granted(byte(mfn, from), using('before', 3))).toBe(false);
    expect(granted(bytes(mfn, { at: from, bits: 1 }, { at: (from + size) % 4096, bits: 1 }), given({ ...access, ref }))).toBe(false);
    expect(granted({ kind: 'bytes', mfn, at: null }, given({ ...access, ref }))).toBe(false);
  });

  test('marks of use change while the one who acts has a grant', () => {
    const { page, table } = tableOf(version, [access]);
    const { page: empty } = tableOf(version, []);
    const status = { ...table, status_frames: [0x418] };
    expect(granted(writes(0x418), turn({ page, before: status }))).toBe(true);
    expect(granted(writes(0x418), turn({ page, before: status, actor: 3 }))).toBe(false);
    expect(granted(writes(0x418), turn({ page: empty, before: status }))).toBe(false);
    expect(granted(writes(0x418), turn({ page: empty, before: { ...status, active_grants: [activeGrant(8, 2, 0x500)] } }))).toBe(true);
    expect(granted(writes(0x419), turn({ page, before: status }))).toBe(false);
  });

  test('a grant changes nothing else', () => {
    const mapped = { active_grants: [activeGrant(8, 2, 0x500, { host_write: 1 })] };
    for (const change of [
      { kind: 'domain', field: 'pages' },
      { kind: 'vcpu', vcpu: 0, field: 'rip' },
      { kind: 'port', port: 3, before: undefined, after: undefined },
    ] as const)
      expect(granted(change, { ...given(access), before: { ...given(access).before, ...mapped } })).toBe(false);
  });

  test('a transfer gives one frame, and what it holds, to the domain whose entry accepts one', () => {
    const { page, table } = tableOf(version, [{ ...access, flags: GTF.accept_transfer }]);
    const gives = { actor: 2, calls: ['xen_version', 'grant_table_op'], page, before: table };
    const comes = { kind: 'frame', mfn: 0x600, before: null, after: frame(0x600, { owner: 1 }) } as const;
    const changes = [comes, { kind: 'domain', field: 'pages' }, { kind: 'bytes', mfn: 0x600, at: null }] as const;
    for (const change of changes) {
      expect(transferred(change, turn(gives))).toBe(true);
      expect(transferred(change, turn({ ...gives, calls: ['xen_version'] }))).toBe(false);
      expect(transferred(change, turn({ ...gives, actor: 3 }))).toBe(false);
      expect(transferred(change, turn({ ...gives, ...{ page: tableOf(version, [access]).page } }))).toBe(false);
      expect(transferred(change, turn({ ...gives, ...{ page: tableOf(version, []).page } }))).toBe(false);
    }
    expect(transferred({ ...comes, before: frame(0x600) }, turn(gives))).toBe(false);
    expect(transferred({ kind: 'domain', field: 'ports' }, turn(gives))).toBe(false);
    expect(transferred({ kind: 'bytes', mfn: 0x410, at: null }, turn(gives))).toBe(false);
    expect(transferred({ kind: 'vcpu', vcpu: 0, field: 'rip' }, turn(gives))).toBe(false);
  });

  test('a table whose bytes nobody kept names nobody', () => {
    const { table } = tableOf(version, []);
    expect(granted(writes(0x500), turn({ before: table }))).toBe(false);
  });
});

test('an entry of version 2 names a frame of 40 bits', () => {
  const page = (high: bigint) => () => bytesOf({ 16: 0x0002_0001n, 17: 0x500n | (high << 32n) });
  const before = { grant_frames: [0x410], grant_version: 2 as const };
  expect(granted(writes(0x500), turn({ page: page(0xffff_ff00n), before }))).toBe(true);
  expect(granted(writes(0x500), turn({ page: page(0x80n), before }))).toBe(false);
  expect(granted(writes(0x80_0000_0500), turn({ page: page(0x80n), before }))).toBe(true);
});
