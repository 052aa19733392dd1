/**
 * Short random instruction sequences with the state that a real CPU (AMD EPYC, Linux process, one INT3 behind the code) left: general
 * registers, flags that the manuals define, memory, and the exception. Fields of a case: `regs` and `out` by the encoding's order (an
 * empty `out` is unchanged), `fill` makes the 512 bytes at DATA + 0x800, `data` and `stack` list changed bytes, `end` is the vector
 * with error code and address.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DATA, fixture, STACK_END } from './fixture.ts';

type Case = {
  readonly code: string;
  readonly regs: string;
  readonly flags: string;
  readonly fill: number;
  readonly end: readonly [vector: number, error?: number, address?: string];
  readonly rip: string;
  readonly out: string;
  readonly flagsOut: string;
  readonly mask: string;
  readonly data: readonly (readonly [number, number])[];
  readonly stack: readonly (readonly [number, number])[];
};

const cases = readFileSync(new URL('./silicon_cases.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const big = (digits: string): bigint => BigInt(`0x${digits}`);
const ARITHMETIC_AND_SYSTEM = 0xed5n;
const DATA_AT = DATA + 0x800n;
const STACK_AT = STACK_END - 2048n - 32n;

/** The byte pattern behind `fill`. */
const pattern = (fill: number): Uint8Array =>
  Uint8Array.from({ length: 512 }, (_, i) => (fill === 0 ? 0 : (fill + i * i * 7 + i * 13) & 255));

test('the CPU agrees with silicon', () => {
  expect(cases.length).toBeGreaterThan(500);
  for (const c of cases) {
    const { cpu, memory, maddr, poke } = fixture([...Buffer.from(c.code, 'hex'), 0xcc, 0xcc]);
    poke(DATA_AT, pattern(c.fill));
    const regs = c.regs.split(' ').map(big);
    for (const [r, value] of regs.entries()) cpu.setGpr(r, value);
    cpu.rflags = big(c.flags);

    const exit = cpu.run(10_000);

    const end = exit.kind === 'int' ? [exit.vector] : exit.kind === 'fault' ? [exit.vector, exit.error, exit.cr2] : [exit.kind];
    const [vector, error, address] = c.end;
    const expected = exit.kind === 'fault' ? [vector, error ?? null, address === undefined ? null : big(address)] : [vector];
    expect(end, c.code).toEqual(expected);
    const out = c.out.split(' ').map((digits, r) => (digits === '' ? regs[r] : big(digits)));
    expect(
      [...regs.keys()].map((r) => cpu.gpr(r).toString(16)),
      c.code,
    ).toEqual(out.map((value) => value.toString(16)));
    expect(cpu.rip, c.code).toBe(big(c.rip));
    expect(cpu.rflags & ARITHMETIC_AND_SYSTEM & ~big(c.mask), c.code).toBe(big(c.flagsOut));
    const data = pattern(c.fill);
    for (const [at, value] of c.data) data[at] = value;
    expect(Buffer.from(memory.readBytes(maddr(DATA_AT), 512)).toString('hex'), c.code).toBe(Buffer.from(data).toString('hex'));
    const stack = new Uint8Array(64);
    for (const [at, value] of c.stack) stack[at] = value;
    expect(memory.readBytes(maddr(STACK_AT), 64), c.code).toEqual(stack);
  }
});
