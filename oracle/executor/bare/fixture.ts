/** Small images for tests: machine code with tables around it, entered as multiboot does, in flat 32-bit code. */
import { MULTIBOOT } from '#spec/bare/boot.ts';
import type { BareConfig, BareEvent, BareMachine } from '#spec/bare/machine.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { bootBare } from './engine.ts';

/** Where images are loaded, and where their code begins. */
export const BASE = 0x100000;
export const CODE = BASE + 0x20;
/** Room for tables and stacks behind the code, up to the image's end. */
export const GDT = BASE + 0x1000;
export const IDT = BASE + 0x2000;
export const STACK = BASE + 0x8000;

export const u16 = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff];
export const u32 = (n: number): number[] => [...u16(n & 0xffff), ...u16(n >>> 16)];
export const u64 = (n: bigint): number[] => [...u32(Number(n & 0xffffffffn)), ...u32(Number((n >> 32n) & 0xffffffffn))];

/** Bytes at a physical address of the image. */
export type Blob = { readonly at: number; readonly bytes: readonly number[] };

/** A descriptor: `access` its sixth byte, `flags` G, D, L, AVL. */
export const descriptor = (base: number, limit: number, access: number, flags: number): number[] => [
  ...u16(limit & 0xffff),
  ...u16(base & 0xffff),
  (base >>> 16) & 0xff,
  access,
  (flags << 4) | ((limit >>> 16) & 0xf),
  base >>> 24,
];

/** A gate of 8 bytes. */
export const gate = (selector: number, offset: number, access: number): number[] => [
  ...u16(offset & 0xffff),
  ...u16(selector),
  0,
  access,
  ...u16(offset >>> 16),
];

/** Selectors of `flatTable`. */
export const SEL = {
  code32: 0x08,
  data: 0x10,
  code16: 0x18,
  code64: 0x20,
  code32user: 0x2b,
  dataUser: 0x33,
  tss: 0x38,
  data16: 0x48,
} as const;

/** A table with flat segments, and a TSS descriptor (16 bytes) of `tss`. */
export const flatTable = (tss = 0, extra: readonly number[] = []): Blob => ({
  at: GDT,
  bytes: [
    ...u64(0n),
    ...descriptor(0, 0xfffff, 0x9b, 0xc),
    ...descriptor(0, 0xfffff, 0x93, 0xc),
    ...descriptor(0, 0xffff, 0x9b, 0),
    ...descriptor(0, 0xfffff, 0x9b, 0xa),
    ...descriptor(0, 0xfffff, 0xfb, 0xc),
    ...descriptor(0, 0xfffff, 0xf3, 0xc),
    ...descriptor(tss, 0x67, 0x89, 0),
    ...u64(0n),
    ...descriptor(0, 0xffff, 0x93, 0),
    ...extra,
  ],
});

const POINTERS = BASE + 0xf00;
/** LGDT and LIDT operands for the tables above. */
const pointers: Blob = { at: POINTERS, bytes: [...u16(0x1ff), ...u32(GDT), ...u16(0x7ff), ...u32(IDT)] };

/** Code that loads the tables and the stack, and reloads CS and the data segments. */
export const PROLOGUE: readonly number[] = [
  ...[0x0f, 0x01, 0x15, ...u32(POINTERS)],
  ...[0x0f, 0x01, 0x1d, ...u32(POINTERS + 6)],
  ...[0xbc, ...u32(STACK)],
  ...[0xb8, ...u32(SEL.data), 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0],
  ...[0xea, ...u32(CODE + 37), ...u16(SEL.code32)],
];

/** OUT 0xf4, AL: the end. */
export const exit = (value: number): number[] => [0xb0, value, 0xe6, 0xf4];
/** OUT 0xe9: one character. */
export const say = (char: string): number[] => [0xb0, char.charCodeAt(0), 0xe6, 0xe9];

const HEADER_BYTES = 32;

/** An image with the code and blobs. */
export const imageOf = (code: readonly number[], blobs: readonly Blob[] = []): Uint8Array => {
  const parts = [{ at: CODE, bytes: code }, pointers, ...blobs];
  const end = Math.max(...parts.map(({ at, bytes }) => at + bytes.length));
  const image = new Uint8Array(end - BASE);
  const flags = MULTIBOOT.HEADER_ADDRESSES;
  const header = [MULTIBOOT.HEADER_MAGIC, flags, -(MULTIBOOT.HEADER_MAGIC + flags), BASE, BASE, 0, 0, CODE].flatMap(u32);
  image.set(header.slice(0, HEADER_BYTES));
  for (const { at, bytes } of parts) image.set(bytes, at - BASE);
  return image;
};

export const machineOf = (code: readonly number[], blobs: readonly Blob[] = [], config: Partial<BareConfig> = {}): BareMachine =>
  bootBare({ ...barePc('', 16), ...config }, imageOf(code, blobs));

/** Events of up to `steps` steps. */
export const run = (machine: BareMachine, steps = 1000): readonly BareEvent[] => machine.apply({ kind: 'execute', steps }).events;

/** What debugcon got. */
export const said = (events: readonly BareEvent[]): string =>
  events.map((event) => (event.kind === 'debugcon' ? event.bytes : '')).join('');
