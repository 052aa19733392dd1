import { expect, test } from 'vitest';
import { HYPERCALL, SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { XENPF_INTERFACE_VERSION } from '#spec/abi/platform.ts';
import { shared_info } from '#spec/abi/xen.ts';
import { DATA, Guest } from '../testing/guest.ts';

const OP = SUBOPERATIONS.platform_op;
const ask = (guest: Guest, cmd: number, ...words: readonly (number | bigint)[]): number => {
  guest.put(DATA, (BigInt(XENPF_INTERFACE_VERSION) << 32n) | BigInt(cmd), ...words);
  return guest.call(HYPERCALL.platform_op, DATA);
};
const u32 = (guest: Guest, at: number): number => guest.machine.memory.view.getUint32(at, true);

test('settime32 and settime64 write every shared info page', () => {
  const guest = new Guest({ domUs: 1 });
  const { wc_version, wc_sec, wc_nsec } = shared_info.fields;
  const clocks = (): readonly number[][] =>
    guest.machine.domains.map(({ sharedInfoMfn }) => [wc_version, wc_sec, wc_nsec].map(({ at }) => u32(guest, sharedInfoMfn * 4096 + at)));
  expect([ask(guest, OP.settime64, 5_000, 3, 4), clocks()]).toEqual([
    0,
    [
      [4, 4_999, 999_999_999],
      [4, 4_999, 999_999_999],
    ],
  ]);
  expect([ask(guest, OP.settime32, 77n | (9n << 32n), 0), clocks()[0]]).toEqual([0, [6, 77, 9]]);
  expect(ask(guest, OP.settime64, 1, 1n << 32n, 0)).toBe(-22);
});

test('processors', () => {
  const guest = new Guest();
  expect(ask(guest, OP.get_cpu_version, 0)).toBe(0);
  expect([28, 32, 36].map((at) => u32(guest, guest.at(DATA) + at))).toEqual([15, 0x6b, 1]);
  expect([ask(guest, OP.get_cpuinfo, 3), u32(guest, guest.at(DATA) + 16)]).toEqual([0, 2]);
  expect([ask(guest, OP.cpu_offline, 0), ask(guest, OP.cpu_offline, 1), ask(guest, OP.cpu_online, 0)]).toEqual([-95, -22, 0]);
});

test('who may ask, and for what', () => {
  const guest = new Guest();
  guest.put(DATA, 0x300000000000011n);
  expect([guest.call(HYPERCALL.platform_op, DATA), guest.call(HYPERCALL.platform_op, 0x10000000)]).toEqual([-13, -14]);
  expect([ask(guest, 12), ask(guest, OP.firmware_info, 4), ask(guest, OP.platform_quirk, 2)]).toEqual([-38, -38, 0]);
  expect(() => ask(guest, OP.get_symbol)).toThrow('not modelled: platform_op/get_symbol');
  expect(guest.call(HYPERCALL.xenpmu_op, 0, 0)).toBe(-95);
});
