/** Page walks in every paging mode. */

import { describe, expect, test } from 'vitest';
import { CR0, CR4, EFER } from '#spec/isa/x86/control_registers.ts';
import { AT, bareSample, gate, SEL, type Setting, take } from '../../../bare/sample.ts';
import { readWord } from '../../../memory/memory.ts';
import { RAX } from '../state.ts';

const P = { P: 1n, W: 2n, U: 4n, A: 0x20n, D: 0x40n, PS: 0x80n, NX: 1n << 63n } as const;
const T = BigInt(AT.tables);
/** MOV EAX, [0x403000] and MOV [0x403000], EAX in 32-bit and 64-bit code. */
const LOAD = [0xa1, 0x00, 0x30, 0x40, 0x00];
const STORE = [0xa3, 0x00, 0x30, 0x40, 0x00];
const LOAD64 = [0x8b, 0x04, 0x25, 0x00, 0x30, 0x40, 0x00];
const STORE64 = [0x89, 0x04, 0x25, 0x00, 0x30, 0x40, 0x00];
const VALUE = 0x5eed;
const DATA = { [AT.data]: [VALUE & 0xff, VALUE >> 8, 0, 0] };
const frame = BigInt(AT.data);

/** Two dwords in one word. */
const pair = (low: bigint, high: bigint): bigint => low | (high << 32n);

/** The handler of #PF stands in both tables. */
const HANDLERS = { [AT.idt + 8 * 14]: gate(SEL.code32, AT.handler, 0x8e) };
const HANDLERS64 = { [AT.idt + 16 * 14]: gate(SEL.code64, AT.handler, 0x8e), [AT.idt + 16 * 14 + 8]: 0n };

const tried = (code: readonly number[], setting: Setting) => {
  const { machine, events } = take(bareSample(code, setting));
  const [event] = events;
  return { read: machine.cpu.regs[RAX].lo, error: event?.kind === 'exception' ? event.error : null, machine };
};

/** 0x400000 lies in the second entry of a directory with 1024 entries; page 3 of the table that it names. */
const in32 = (pde: bigint, pte: bigint, more: Setting = {}): Setting => ({
  paging: true,
  bytes: DATA,
  ...more,
  words: {
    [AT.tables]: pair(more.cr4 === CR4.SMAP ? 0x83n : 0x87n, pde),
    [AT.tables + 0x3000]: 0n,
    [AT.tables + 0x3008]: pair(0n, pte),
    ...HANDLERS,
  },
});
const TABLE32 = T + 0x3000n;

describe('32-bit paging', () => {
  test('walks two levels and marks them', () => {
    const { read, machine } = tried(LOAD, in32(TABLE32 | P.P, frame | P.P));
    expect(read).toBe(VALUE);
    expect(readWord(machine.memory, (AT.tables + 0x3000) >> 12, 1).hi & 0x60).toBe(0x20);
    const stored = tried(STORE, in32(TABLE32 | P.P | P.W, frame | P.P | P.W)).machine;
    expect(readWord(stored.memory, (AT.tables + 0x3000) >> 12, 1).hi & 0x60).toBe(0x60);
  });
  test.each([
    ['absent', LOAD, P.P, 0n, {}, 0],
    ['absent, written', STORE, P.P, 0n, {}, 2],
    ['read-only with WP', STORE, P.P | P.W, P.P, { cr0: CR0.WP }, 3],
    ['supervisor’s, from ring 3', LOAD, P.P, P.P | P.U, { ring: 3 as const }, 5],
    ['user’s with SMAP', LOAD, P.P | P.U, P.P | P.U, { cr4: CR4.SMAP }, 1],
  ])('refuses a page that is %s', (_, code, pde, pte, more, error) => {
    const inner = { [AT.idt + 8 * 14]: gate(SEL.code32, AT.handler, 0x8e) };
    const setting = in32(TABLE32 | pde, pte === 0n ? 0n : frame | pte, more);
    expect(tried(code, { ...setting, words: { ...setting.words, ...inner } }).error).toBe(error);
  });
  test('lets ring 0 write read-only pages without WP', () => {
    expect(tried(STORE, in32(TABLE32 | P.P, frame | P.P)).error).toBeNull();
  });
  test('AC lifts SMAP', () => {
    expect(tried(LOAD, in32(TABLE32 | P.P | P.U, frame | P.P | P.U, { cr4: CR4.SMAP, flags: 0x40000 })).error).toBeNull();
  });
  test('knows 4 MB pages, and their reserved bit', () => {
    const LOW = [0xa1, 0x00, 0xb0, 0x40, 0x00];
    expect(tried(LOW, in32(P.P | P.PS, 0n)).read).toBe(VALUE);
    expect(tried(LOW, in32(P.P | P.PS | 0x200000n, 0n)).error).toBe(9);
  });
});

describe('PAE', () => {
  const inPae = (pdpte: bigint, pde: bigint, more: Setting = {}): Setting => ({
    cr4: CR4.PAE,
    bytes: DATA,
    paging: true,
    ...more,
    words: {
      [AT.tables]: pdpte,
      [AT.tables + 0x1000]: 0x83n,
      [AT.tables + 0x1010]: pde,
      [AT.tables + 0x3018]: frame | P.P,
      ...HANDLERS,
    },
  });
  const DIRECTORY = (T + 0x1000n) | P.P;
  test('walks three levels; the top has no accessed bit', () => {
    const { read, machine } = tried(LOAD, inPae(DIRECTORY, TABLE32 | P.P));
    expect([read, readWord(machine.memory, AT.tables >> 12, 0).lo & 0x20]).toEqual([VALUE, 0]);
  });
  test('knows NX once EFER says so', () => {
    expect(tried(LOAD, inPae(DIRECTORY, TABLE32 | P.P | P.NX)).error).toBe(9);
    expect(tried(LOAD, inPae(DIRECTORY, TABLE32 | P.P | P.NX, { efer: EFER.NXE })).read).toBe(VALUE);
  });
});

describe('4-level paging', () => {
  const inLong = (pde: bigint, pte: bigint, more: Setting = {}): Setting => ({
    mode: '64',
    bytes: DATA,
    ...more,
    words: { [AT.tables + 0x2010]: pde, [AT.tables + 0x3018]: pte, ...HANDLERS64 },
  });
  test('walks four levels', () => expect(tried(LOAD64, inLong(TABLE32 | P.P, frame | P.P)).read).toBe(VALUE));
  test('knows 2 MB pages, and their reserved bits', () => {
    const LOW = [0x8b, 0x04, 0x25, 0x00, 0xb0, 0x40, 0x00];
    expect(tried(LOW, inLong(P.P | P.PS, 0n)).read).toBe(VALUE);
    expect(tried(LOW, inLong(P.P | P.PS | 0x2000n, 0n)).error).toBe(9);
  });
  test('refuses address bits above the physical width', () => {
    expect(tried(LOAD64, inLong(TABLE32 | P.P | (1n << 50n), frame | P.P)).error).toBe(9);
  });
  test('tells a fetch from NX pages', () => {
    const JMP = [0xff, 0xe0];
    const { machine, events } = take(
      bareSample(JMP, { ...inLong(TABLE32 | P.P, frame | P.P | P.NX, { efer: EFER.NXE }), regs: { 0: 0x403000n } }),
      2,
    );
    expect(events).toMatchObject([{ vector: 14, error: 0x11 }]);
    expect(machine.cpu.system.cr2.lo).toBe(0x403000);
  });
  test('SMEP keeps rings 0 to 2 from user code', () => {
    const words = {
      ...inLong((T + 0x4000n) | 7n, 0n).words,
      [AT.tables + 0x4018]: frame | 7n,
      [AT.tables + 0x2000]: 0x83n,
      [AT.tables + 0x2008]: 0x200083n,
    };
    const { events } = take(bareSample([0xff, 0xe0], { mode: '64', cr4: CR4.SMEP, regs: { 0: 0x403000n }, words }), 2);
    expect(events).toMatchObject([{ vector: 14, error: 0x11 }]);
  });
  test('a written page becomes dirty', () => {
    const { machine } = tried(STORE64, inLong(TABLE32 | P.P | P.W, frame | P.P | P.W));
    expect(readWord(machine.memory, (AT.tables + 0x3000) >> 12, 3).lo & 0x60).toBe(0x60);
  });
  test('addresses must be canonical', () => {
    const { events } = take(
      bareSample([0x8b, 0x00], {
        mode: '64',
        regs: { 0: 0x800000000000n },
        words: { [AT.idt + 16 * 13]: gate(SEL.code64, AT.handler, 0x8e), [AT.idt + 16 * 13 + 8]: 0n },
      }),
    );
    expect(events).toMatchObject([{ vector: 13, error: 0 }]);
  });
});
