import { describe, expect, test } from 'vitest';
import { Guest } from '../testing/guest.ts';
import { guestIoRead, guestIoWrite } from './port_space.ts';

const on = (host?: 'empty') => {
  const { machine, vcpu } = new Guest({ domUs: 1 });
  if (host) Object.assign(machine.config, { host });
  const other = machine.domains[1]!.vcpus[0]!;
  return {
    read: (port: number, bytes: number, domU = false): number => guestIoRead(machine, domU ? other : vcpu, port, bytes) >>> 0,
    write: (port: number, bytes: number, value: number, domU = false): void =>
      guestIoWrite(machine, domU ? other : vcpu, port, bytes, value),
  };
};
const low = (value: number, bytes: number): number => (bytes === 4 ? value : value & (2 ** (8 * bytes) - 1));

describe('the host', () => {
  test('of a PC answers by devices that are not modelled', () => {
    const pc = on();
    expect(() => pc.read(0x64, 1)).toThrow('not modelled: port/64');
    expect(() => pc.write(0x71, 1, 0)).toThrow('not modelled: port/71');
    expect(() => pc.read(0xcfc, 4)).toThrow('not modelled: port/cfc');
    expect([low(pc.read(0x21, 1), 1), pc.read(0xe9, 1), low(pc.read(0x608, 4), 4)]).toEqual([0xff, 0xff, 0xffffffff]);
  });

  test('that is empty reads as ones', () => {
    const { read, write } = on('empty');
    for (const port of [0x42, 0x60, 0x61, 0x71, 0x3f8, 0xcfc]) {
      expect(low(read(port, 1), 1)).toBe(0xff);
      write(port, 1, 0x5a);
    }
    expect(low(read(0x1f0, 2), 2)).toBe(0xffff);
  });
});

test('registers that Xen keeps are the domain’s own', () => {
  const { read, write } = on();
  write(0xcf8, 4, 0x80000804 | 0);
  write(0x70, 1, 0x8b);
  expect([read(0xcf8, 4), read(0x70, 1), read(0xcf8, 4, true), read(0x70, 1, true)]).toEqual([0x80000804, 0x8b, 0, 0]);
  write(0x6f, 2, 0x1234, true);
  expect([read(0x70, 1, true), low(read(0x70, 2, true), 2)]).toEqual([0x12, 0xff12]);
});

test('the timer of others, and channels that are Xen’s, are not modelled', () => {
  const { read, write } = on('empty');
  write(0x43, 1, 0xb0);
  write(0x43, 1, 0xe8);
  expect(() => write(0x43, 1, 0x36)).toThrow('not modelled: port/43');
  expect(() => read(0x43, 1)).toThrow('not modelled: port/43');
  expect(() => read(0x61, 1, true)).toThrow('not modelled: port/61');
});
