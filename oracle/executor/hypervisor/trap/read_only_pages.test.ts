/** Stores to pages that the guest may read alone: page tables, which Xen changes in its place, and devices. */
import { describe, expect, test } from 'vitest';
import { RAX, RSI } from '../../cpu/interface.ts';
import { CODE, DATA, type Guest } from '../testing/guest.ts';
import { ready } from '../testing/ready.ts';

const at = { domid: 0, vcpu: 0 };

describe('stores to an L1 table that is mapped read-only', () => {
  const TABLE = 0x20a000;
  const entryOf = (page: number): number => TABLE + 8 * ((page >> 12) & 511);

  test('are checked and carried out', () => {
    const guest = ready([14]);
    const entry = guest.get(entryOf(DATA));
    guest.set(RSI, entryOf(DATA));
    guest.set(RAX, entry & ~2n);
    expect(guest.run([0x48, 0x89, 0x06])).toEqual([{ kind: 'emulated', at, instruction: 'ptwr' }]);
    expect(guest.get(entryOf(DATA))).toBe(entry & ~2n);
    expect(guest.vcpu.cpu.rip).toBe(BigInt(CODE + 3));
    expect(guest.run([0x80, 0x26, 0x00]), 'and byte [rsi], 0').toMatchObject([{ kind: 'emulated' }]);
    expect(guest.get(entryOf(DATA)) & 1n).toBe(0n);
  });

  test('a forbidden entry is the guest page fault, and changes nothing', () => {
    const guest = ready([14]);
    const table = BigInt(guest.vcpu.kernelTable) << 12n;
    const entry = guest.get(entryOf(DATA));
    guest.set(RSI, entryOf(DATA));
    guest.set(RAX, table | 0x67n);
    expect(guest.run([0x48, 0x89, 0x06])).toMatchObject([{ kind: 'exception', vector: 14, error: 3 }]);
    expect(guest.get(entryOf(DATA))).toBe(entry);
  });

  test('other tables are not written', () => {
    const guest = ready([14]);
    guest.set(RSI, 0x209000);
    expect(guest.run([0x48, 0x89, 0x06])).toMatchObject([{ kind: 'exception', vector: 14, error: 3 }]);
  });
});

describe('stores to a device that domain 0 may only read', () => {
  const STORE = [0x89, 0x06];
  const mapped = (): Guest => {
    const guest = ready([14]);
    expect(guest.call(14, DATA, 0xfec00061, 0)).toBe(0);
    return guest;
  };

  test('are passed over', () => {
    const guest = mapped();
    guest.set(RSI, DATA + 4);
    expect(guest.run(STORE)).toEqual([{ kind: 'emulated', at, instruction: 'mmio_ro' }]);
    expect(guest.vcpu.cpu.rip).toBe(BigInt(CODE + 2));
  });

  test.each([
    ['unaligned', DATA + 6, STORE],
    ['that read as well', DATA + 4, [0x01, 0x06]],
  ])('%s get their page fault', (_what, address, code) => {
    const guest = mapped();
    guest.set(RSI, address);
    expect(guest.run(code)).toMatchObject([{ kind: 'exception', vector: 14, error: 3 }]);
  });
});
