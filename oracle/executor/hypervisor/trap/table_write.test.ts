import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NotModelled } from '#spec/failure.ts';
import { RAX, RBP, RCX, RDI, RDX, RSI, RSP } from '../../cpu/interface.ts';
import { CODE, DATA, Guest, STACK } from '../testing/guest.ts';

/** The L1 table of the initial mapping, which maps itself read-only, and where it stands for DATA. */
const TABLE = 0x20a000;
const ENTRY: number = TABLE + 8 * ((DATA >> 12) & 511);
const RW = 2n;
const ACCESSED = 0x20n;

const guestWithPageFault = (): Guest => {
  const guest = new Guest();
  guest.traps({ 14: CODE + 0x800 });
  guest.set(RSI, ENTRY);
  return guest;
};

/** Entry that maps the table itself. */
const OWN: number = TABLE + 8 * ((TABLE >> 12) & 511);
const emulated = [{ kind: 'emulated' }];
const fault = (error: number) => [{ kind: 'exception', vector: 14, error }];

describe('an instruction that Xen carries out on a table', () => {
  test('writes nothing, and asks no rule, when it changes nothing', () => {
    const guest = guestWithPageFault();
    const entry = guest.get(ENTRY);
    guest.set(RAX, 0);
    expect(guest.run([0x48, 0x09, 0x46, 0x01]), 'or [rsi+1], rax: not even aligned').toMatchObject(emulated);
    expect(guest.run([0x48, 0x0f, 0xb1, 0x46, 0x03]), 'cmpxchg [rsi+3], rax that fails').toMatchObject(emulated);
    expect(guest.get(ENTRY)).toBe(entry);
    expect(guest.register(RAX)).toBe((entry >> 24n) | ((guest.get(ENTRY + 8) << 40n) & 0xffffffffffffffffn));
  });

  test('goes to the bit that a signed immediate names, beyond the operand too', () => {
    for (const [imm, at, bit] of [
      [0x4b, ENTRY + 8, 11n],
      [0xf9, ENTRY - 8, 57n],
    ] as const) {
      const guest = guestWithPageFault();
      const [entry, there] = [guest.get(ENTRY), guest.get(at)];
      expect(guest.run([0x48, 0x0f, 0xba, 0x2e, imm]), 'bts qword [rsi], imm').toMatchObject(emulated);
      expect([guest.get(ENTRY), guest.get(at)]).toEqual([entry, there | (1n << bit)]);
    }
  });

  test('is ENTER too, one store after another', () => {
    const guest = guestWithPageFault();
    const entry = guest.get(ENTRY) & ~RW;
    guest.set(RSP, ENTRY + 8);
    guest.set(RBP, entry);
    expect(guest.run([0xc8, 0x10, 0x00, 0x00]), 'enter 16, 0').toMatchObject(emulated);
    expect([guest.get(ENTRY), guest.register(RBP), guest.register(RSP)]).toEqual([entry, BigInt(ENTRY), BigInt(ENTRY - 0x10)]);
  });

  test('must be aligned when it does, in the page of the fault', () => {
    const guest = guestWithPageFault();
    guest.set(RAX, 4);
    expect(guest.run([0x01, 0x46, 0x02]), 'add [rsi+2], eax').toMatchObject(fault(3));
    guest.vcpu.cpu.gsBase = 0x10000n;
    guest.set(RSI, ENTRY - 0x10000);
    expect(guest.run([0x65, 0x88, 0x06]), 'mov gs:[rsi], al: its offset is in another page').toMatchObject(fault(3));
  });

  test('goes by the offset in the segment', () => {
    const guest = guestWithPageFault();
    const next = guest.get(ENTRY + 8);
    guest.vcpu.cpu.fsBase = 8n;
    guest.set(RAX, next & ~RW);
    expect(guest.run([0x64, 0x48, 0x89, 0x46, 0x08]), 'mov fs:[rsi+8], rax').toMatchObject(emulated);
    expect(guest.get(ENTRY + 8)).toBe(next & ~RW);
    expect(guest.vcpu.cpu.fsBase).toBe(8n);
  });

  test('reads the rest of the entry through its mapping, when it has to', () => {
    const guest = guestWithPageFault();
    const own = guest.get(OWN) & ~ACCESSED;
    const write = (code: readonly number[]): bigint => {
      guest.put(OWN, own);
      guest.vcpu.cpu.root = guest.vcpu.kernelTable;
      expect(guest.run(code)).toMatchObject(emulated);
      return guest.get(OWN) & ACCESSED;
    };
    guest.set(RAX, guest.get(ENTRY));
    expect(write([0x48, 0x89, 0x06])).toBe(0n);
    expect(write([0x88, 0x06])).toBe(ACCESSED);
  });

  test('pushes, calls and pops there like any other', () => {
    const guest = guestWithPageFault();
    guest.put(ENTRY, 0);
    guest.set(RSP, ENTRY + 8);
    expect(guest.run([0x6a, 0x10])).toMatchObject(emulated);
    expect([guest.get(ENTRY), guest.register(RSP)]).toEqual([0x10n, BigInt(ENTRY)]);
    guest.set(RSP, STACK - 64);
    guest.put(STACK - 64, 0x20);
    expect(guest.run([0x8f, 0x06])).toMatchObject(emulated);
    expect([guest.get(ENTRY), guest.register(RSP)]).toEqual([0x20n, BigInt(STACK - 56)]);
  });

  test('has its page fault when it reads where it cannot', () => {
    const guest = guestWithPageFault();
    guest.vcpu.cpu.gsBase = 0x200000n;
    guest.set(RSI, DATA - 0x200000);
    guest.set(RDI, ENTRY);
    const events = guest.run([0x65, 0x48, 0xa5]);
    expect(events, 'movsq from gs:[rsi]').toMatchObject([{ ...fault(0)[0], address: `0x${(DATA - 0x200000).toString(16)}` }]);
  });

  test('compares 8 bytes and writes them, 16 only if they differ', () => {
    const guest = guestWithPageFault();
    guest.put(ENTRY, 0, 0);
    for (const register of [RAX, RCX, RDX]) guest.set(register, 0);
    expect(guest.run([0x0f, 0xc7, 0x0e])).toMatchObject(emulated);
    expect(guest.run([0x48, 0x0f, 0xc7, 0x0e])).toMatchObject(fault(3));
    guest.set(RAX, 1);
    expect(guest.run([0x48, 0x0f, 0xc7, 0x0e])).toMatchObject(emulated);
    expect(guest.register(RAX)).toBe(0n);
  });

  test('is none that needs segments, or vectors; some are not modelled', () => {
    for (const code of [
      [0x8c, 0x1e],
      [0x0f, 0x11, 0x06],
      [0x0f, 0x7f, 0x06],
      [0x0f, 0xae, 0x1e],
    ]) {
      expect(guestWithPageFault().run(code)).toMatchObject(fault(3));
    }
    expect(() => guestWithPageFault().run([0xd9, 0x16])).toThrow(NotModelled);
  });

  test('leaves the registers as they were when it is refused', () => {
    const byte = fc.nat(255);
    fc.assert(
      fc.property(fc.constantFrom(0x01, 0x11, 0x29, 0x87, 0x89), byte, fc.nat(7), (opcode, value, misalignment) => {
        const guest = guestWithPageFault();
        const entry = guest.get(ENTRY);
        // A frame that is not the guest's, whatever is done to the entry with it.
        guest.set(RAX, 0x70_0000_0001n + (BigInt(value) << 12n));
        const events = guest.run([0x48, opcode, 0x46, misalignment]);
        if (events[0]!.kind === 'emulated') return;
        expect(events).toMatchObject(fault(3));
        expect([guest.get(ENTRY), guest.register(RAX)]).toEqual([entry, 0x70_0000_0001n + (BigInt(value) << 12n)]);
      }),
      { numRuns: 60 },
    );
  });
});
