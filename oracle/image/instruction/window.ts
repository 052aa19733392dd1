/**
 * The address space in which instructions are tried one by one, the same on every machine: ten pages below 2 GiB (in reach of
 * 32-bit addressing too) with rights of their own, and nothing between them.
 */

export const PAGE = 4096;

export type WindowPage = {
  readonly address: number;
  readonly write: boolean;
  readonly execute: boolean;
};

/** The code runs from the first two pages into one that cannot be executed; `CODE_END` is followed by nothing. */
export const CODE = 0x20000000;
export const CODE_END = 0x20004000;
/** Two pages for reading and writing, then one that is read-only, then nothing; `DATA_END` is followed by nothing. */
export const DATA = 0x10000000;
export const DATA_READ_ONLY = DATA + 2 * PAGE;
export const DATA_END = 0x10004000;
/** Two pages with nothing on either side. */
export const STACK = 0x30000000;

const page = (address: number, rights: string): WindowPage => ({ address, write: rights.includes('w'), execute: rights.includes('x') });

export const WINDOW: readonly WindowPage[] = [
  page(CODE, 'rwx'),
  page(CODE + PAGE, 'rwx'),
  page(CODE + 2 * PAGE, 'rw'),
  page(CODE_END, 'rx'),
  page(DATA, 'rw'),
  page(DATA + PAGE, 'rw'),
  page(DATA_READ_ONLY, 'r'),
  page(DATA_END, 'rw'),
  page(STACK, 'rw'),
  page(STACK + PAGE, 'rw'),
];

export const WINDOW_BYTES = WINDOW.length * PAGE;

/** INT3: what the code pages are full of, so that a branch to a place without code shows where it went. */
export const LANDING = 0xcc;

/** The bytes of all pages, one after another, before a case puts its own there: a fixed pattern, so that nothing depends on order. */
export const pristineWindow = (): Uint8Array => {
  const bytes = new Uint8Array(WINDOW_BYTES);
  let x = 0x2545f491;
  for (const [n, { address }] of WINDOW.entries()) {
    const code = address >= CODE && address <= CODE_END;
    for (let i = 0; i < PAGE; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      bytes[n * PAGE + i] = code ? LANDING : x;
    }
  }
  return bytes;
};

/** Where the byte at an address lies in `pristineWindow`; -1 outside the window. */
export const offsetInWindow = (address: number): number => {
  const n = WINDOW.findIndex((p) => address >= p.address && address < p.address + PAGE);
  return n < 0 ? -1 : n * PAGE + (address - WINDOW[n].address);
};
