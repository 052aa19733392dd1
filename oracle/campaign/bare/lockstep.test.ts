import { expect, test } from 'vitest';
import type { BareConfig, BootBare } from '#spec/bare/machine.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { LOAD } from '../../image/bare/layout.ts';
import { multibootElf } from '../../image/bare/multiboot.ts';
import { loadBare } from '../system/engines.ts';
import { bareLockstep } from './lockstep.ts';

const model = await loadBare('model');
const executor = await loadBare('executor');
const pair = { reference: model, subject: executor };

const imageOf = (...bytes: readonly number[]): Uint8Array =>
  multibootElf({ bytes: Uint8Array.from(bytes), entry: LOAD } as Parameters<typeof multibootElf>[0]);

/** mov ecx, 1000; loop: rdrand eax; add ebx, eax; out 0xe9, al; dec ecx; jnz loop; mov al, 5; out 0xf4, al; hlt */
const RANDOM = imageOf(
  ...[0xb9, 0xe8, 0x03, 0, 0, 0x0f, 0xc7, 0xf0, 0x01, 0xc3, 0xe6, 0xe9, 0x49, 0x75, 0xf6],
  ...[0xb0, 0x05, 0xe6, 0xf4, 0xf4],
);

test('both machines run an image alike to its end, and what it says is passed on', () => {
  let said = '';
  const options = { config: barePc(), image: RANDOM, steps: 1e6, slice: 777, onOutput: (bytes: string) => (said += bytes) };
  expect(bareLockstep(pair, options)).toMatchObject({ end: 'ended', steps: 5003 });
  expect(said).toHaveLength(1000);
});

test('a difference is brought down to the instruction that makes it', () => {
  const config: BareConfig = { ...barePc(), random: ['0x1', '0x2', '0x3', '0x4', '0x5'] };
  const other: BootBare = (given, image) => executor({ ...given, random: ['0x1', '0x2', '0x3', '0x9', '0x5'] }, image);
  const { end } = bareLockstep({ reference: model, subject: other }, { config, image: RANDOM, steps: 1e6, slice: 2000 });
  // mov, then five instructions a round: the fourth number is read by instruction 17.
  expect(end).toMatchObject({ difference: { step: 16, path: 'cpu.gpr[0]', expected: '0x4', seen: '0x9' } });
});

test('a processor that halts for good ends the run; so does what neither machine has', () => {
  expect(bareLockstep(pair, { config: barePc(), image: imageOf(0xfa, 0xf4), steps: 100 }).end).toBe('halted');
  // mov dx, 0xcf8; in eax, dx
  const pci = imageOf(0x66, 0xba, 0xf8, 0x0c, 0xed);
  expect(bareLockstep(pair, { config: barePc(), image: pci, steps: 100 }).end).toEqual({ notModelled: 'hardware/pci' });
});
