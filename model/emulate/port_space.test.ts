import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import type { Machine } from '../machine.ts';
import { DOM0, DOM1, twoDomains } from '../testing/guest.ts';
import { readPorts, writePorts } from './port_space.ts';

const pc = twoDomains(ONE_PAGE_KERNEL, 1);
const empty: Machine = { ...pc, config: { ...pc.config, host: 'empty' } };
const read = (machine: Machine, port: number, bytes: number, at = DOM0): number => readPorts(machine, at, port, bytes).value;

describe('ports', () => {
  it.each([
    [0x20, 1, 0xff],
    [0x3f8, 2, 0xffff],
    [0x41, 1, 0xff],
    [0xe9, 1, 0xff],
  ])('%i reads %i bytes as %i whatever the host', (port, bytes, value) => {
    expect([read(pc, port, bytes), read(empty, port, bytes)]).toEqual([value, value]);
  });

  it.each([0x60, 0x42, 0x61, 0x71, 0xcfc, 0x600])('%i is the host’s: nothing, or not modelled', (port) => {
    expect(read(empty, port, 1)).toBe(0xff);
    expect(() => read(pc, port, 1)).toThrow(`not modelled: port/${port.toString(16)}`);
    expect(() => writePorts(pc, DOM0, port, 1, 3)).toThrow(`not modelled: port/${port.toString(16)}`);
  });

  it('keeps the address of PCI configuration as a doubleword, for each domain', () => {
    const written = writePorts(pc, DOM0, 0xcf8, 4, 0x80000010);
    expect([read(written, 0xcf8, 4), read(written, 0xcf8, 4, DOM1), read(empty, 0xcf8, 2)]).toEqual([0x80000010, 0, 0xffff]);
  });

  it('keeps the index of the clock, in a wider access too', () => {
    const written = writePorts(empty, DOM1, 0x70, 1, 0x10a);
    expect([read(written, 0x70, 1, DOM1), read(written, 0x70, 2, DOM1), read(written, 0x6f, 2, DOM1)]).toEqual([0x0a, 0xff0a, 0x0aff]);
    expect(read(written, 0x70, 1)).toBe(0);
  });

  it('has no imitation of the timer', () => {
    expect(writePorts(empty, DOM0, 0x43, 1, 0xb0)).toBeDefined();
    expect(() => writePorts(empty, DOM0, 0x43, 1, 0x30)).toThrow('not modelled: port/43');
    expect(() => read(empty, 0x42, 1, DOM1)).toThrow('not modelled: port/42');
  });
});
