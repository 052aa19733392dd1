import { describe, expect, it } from 'vitest';
import { FLAGS, RFLAGS } from '#spec/isa/x86/flags.ts';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { codeBase, MOST_POKES, type Mode, POKE_BYTES, placedCode, UPPER_ESP } from '../../image/instruction/case.ts';
import { fxStateOf } from '../../image/instruction/fx_state.ts';
import { type CaseSegment, limitOf, segmentNamed } from '../../image/instruction/segments.ts';
import { byteString, STRING_BYTES } from './byte_strings.ts';
import { instructionCase } from './instruction_case.ts';
import { rowsIn } from './rows.ts';
import { resumption, sequence } from './sequence.ts';
import { Stream } from './stream.ts';

const rows = rowsIn('64');
/** Some of each mode's rows. */
const some = (mode: Mode): readonly number[] => rowsIn(mode).filter((_, n) => n % 7 === 0);

describe('a stream', () => {
  it('is told by its seed and branch, and spreads evenly', () => {
    const draw = (s: Stream) => Array.from({ length: 8 }, () => s.bits());
    expect(draw(new Stream(5, 1))).toEqual(draw(new Stream(5, 1)));
    expect(draw(new Stream(5, 1))).not.toEqual(draw(new Stream(5, 2)));
    const s = new Stream(1);
    const counts = new Array(10).fill(0);
    for (let i = 0; i < 10_000; i++) counts[s.below(10)]++;
    expect(Math.min(...counts)).toBeGreaterThan(850);
  });
});

describe('cases', () => {
  it('follow from row and seed', () => {
    for (const row of rows) expect(instructionCase(row, 7)).toEqual(instructionCase(row, 7));
  });

  it('fit into what a helper takes, for every row', () => {
    for (const row of rows)
      for (let seed = 1; seed <= 20; seed++) {
        const c = instructionCase(row, seed);
        expect(c.pokes.length + c.selectors.length).toBeLessThanOrEqual(MOST_POKES);
        expect(Math.max(0, ...c.pokes.map((poke) => poke.bytes.length))).toBeLessThanOrEqual(POKE_BYTES);
        expect(placedCode(c).length).toBeLessThanOrEqual(32);
        expect(c.flags & (RFLAGS.TF | RFLAGS.IOPL)).toBe(0);
      }
  });

  it.each(['32', '16'] as const)('of %s bits have no REX, eight registers of 32 bits, and segments of the LDT', (mode) => {
    const stacks = new Set<boolean>();
    for (const row of some(mode))
      for (let seed = 1; seed <= 4; seed++) {
        const c = instructionCase(row, seed, mode);
        expect(c).toEqual(instructionCase(row, seed, mode));
        expect(c.regs.every((value, r) => value <= (r < 8 ? 0xffffffffn : 0n))).toBe(true);
        expect(c.segments).toHaveLength(6);
        const [, code, stack] = (c.segments ?? []).map(segmentNamed);
        expect([code?.kind, code?.big, stack?.kind]).toEqual(['code', mode === '32', 'data']);
        if (!stack?.big) expect(Number(c.regs[4]) & ~0xffff).toBe(UPPER_ESP);
        stacks.add(stack?.big ?? false);
        const offset = c.rip - codeBase(c);
        expect(offset >= 0 && offset <= limitOf(code as CaseSegment)).toBe(true);
      }
    expect(stacks.size).toBe(2);
  });

  it('bring x87 and SSE state to the instructions that work on it, pending exceptions told by ES', () => {
    for (const row of some('64')) {
      const { fx } = instructionCase(row, 5);
      expect(fx !== null).toBe(OPCODES[row].state !== undefined);
      if (fx === null) continue;
      const { control, status } = fxStateOf(fx);
      expect((status & ~control & 0x3f) !== 0).toBe((status & 0x80) !== 0);
    }
  });

  it('show every addressing form, size and way, and reach every page', () => {
    const forms = new Set<string>();
    const modes = new Set<string>();
    const row = rows.find((n) => OPCODES[n].mnemonic === 'add' && OPCODES[n].operands[0] === 'Ev') as number;
    for (let seed = 1; seed <= 3000; seed++) {
      const c = instructionCase(row, seed);
      for (const form of c.form.split(', ')) forms.add(form);
      modes.add(`${c.size} ${c.way} ${c.destination === 'memory'}`);
    }
    expect(forms.size).toBeGreaterThanOrEqual(18);
    expect(modes.size).toBe(12);
  });

  it('keep to counts that matter where flags depend on them', () => {
    const shifts = rows.filter((n) => FLAGS[OPCODES[n].mnemonic]?.count !== undefined && OPCODES[n].operands.at(-1) === 'CL');
    for (const row of shifts) {
      const counts = Array.from({ length: 400 }, (_, seed) => Number(instructionCase(row, seed + 1).regs[1] & 0xffn));
      expect([0, 1, 8, 16, 31, 32, 63].filter((count) => !counts.includes(count))).toEqual([]);
    }
  });
});

describe('strings of bytes', () => {
  it('follow from the seed and have one length', () => {
    expect(byteString(3)).toEqual(byteString(3));
    for (let seed = 0; seed < 300; seed++) expect(byteString(seed)).toHaveLength(STRING_BYTES);
  });
});

describe('programs', () => {
  it('fill two pages, and are resumed at one of their instructions', () => {
    const program = sequence(1);
    expect(program).toEqual(sequence(1));
    expect([program.code.length, program.starts.length > 1000]).toEqual([8192, true]);
    for (let n = 0; n < 50; n++) expect(program.starts).toContain(resumption(1, n, program).rip - 0x20000000);
  });
});
