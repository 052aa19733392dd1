import { expect, test } from 'vitest';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Instruction } from '#spec/program.ts';
import { planFlags } from './flags.ts';

const op = (name: string, ...args: (string | number | { to: number })[]): Instruction => ({ op: name, args });
const { CF, PF, AF, ZF, SF, OF } = RFLAGS;
const ALL = CF | PF | AF | ZF | SF | OF;

test.each([
  ['nothing', [], ALL],
  ['a sum', [op('add', 'rax', 'rbx')], ALL],
  ['a conjunction', [op('and', 'rax', 'rbx')], ALL & ~AF],
  ['a product', [op('mul', 'rbx')], CF | OF],
  ['a division', [op('div', 'rbx')], 0],
  ['a division, then a sum', [op('div', 'rbx'), op('add', 'rax', 1)], ALL],
  ['a shift by one', [op('shl', 'rax', 1)], ALL & ~AF],
  ['a shift by more', [op('shl', 'rax', 5)], ALL & ~AF & ~OF],
  ['a shift by nothing', [op('shl', 'eax', 32)], ALL],
  ['a shift by an unknown count', [op('shl', 'rax', 'cl')], ALL & ~AF & ~OF],
  ['a byte shifted out', [op('shl', 'al', 9)], ALL & ~AF & ~OF & ~CF],
  ['a rotation', [op('rol', 'rax', 3)], ALL & ~OF],
  ['a bit test', [op('bt', 'rax', 3)], CF | ZF],
  ['a comparison that may repeat no time', [op('div', 'rbx'), op('repe cmpsb')], 0],
  ['unknown bytes', [{ bytes: '90' }], 0],
] as const)('%s', (_, code, defined) => {
  expect(planFlags(code).defined).toBe(defined);
});

test('a flag is set before it is read undefined', () => {
  expect([...planFlags([op('mul', 'rbx'), op('adc', 'rax', 1)]).repairs]).toEqual([]);
  expect([...planFlags([op('mul', 'rbx'), op('setz', 'al')]).repairs]).toEqual([1]);
  expect([...planFlags([op('and', 'rax', 1), op('pushfq')]).repairs]).toEqual([1]);
  expect([...planFlags([op('div', 'rbx'), op('jc8', { to: 2 })]).repairs]).toEqual([1]);
});

test('both ways of a branch count', () => {
  const code = [op('jz', { to: 2 }), op('mul', 'rbx'), op('nop')];
  expect(planFlags(code).defined).toBe(CF | OF);
  const loop = [op('sets', 'al'), op('mul', 'rbx'), op('loop', { to: 0 })];
  expect([...planFlags(loop).repairs]).toEqual([0]);
});
