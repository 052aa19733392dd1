/** The page of transfer points that Xen writes for a guest: entry n, 32 bytes at 32·n, makes hypercall n. */
import { HYPERCALL } from '#spec/abi/hypercall.ts';

const ENTRIES = 128;
const ENTRY_BYTES = 32;
const FILLER = 0xcc;

/** push rcx; push r11; mov eax, n; syscall; pop r11; pop rcx; ret */
const returning = (number: number): readonly number[] => [0x51, 0x41, 0x53, 0xb8, number, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3];

/** iret is jumped to and does not come back: push rcx; push r11; push rax; mov eax, n; syscall */
const leaving = (number: number): readonly number[] => [0x51, 0x41, 0x53, 0x50, 0xb8, number, 0, 0, 0, 0x0f, 0x05];

/** mov eax, n; int 0x82; ret */
const returning32 = (number: number): readonly number[] => [0xb8, number, 0, 0, 0, 0xcd, 0x82, 0xc3];

/** push eax; mov eax, n; int 0x82 */
const leaving32 = (number: number): readonly number[] => [0x50, 0xb8, number, 0, 0, 0, 0xcd, 0x82];

/** `compat`: for a 32-bit kernel. */
export const hypercallPage = (compat: boolean): Uint8Array => {
  const page = new Uint8Array(ENTRIES * ENTRY_BYTES).fill(FILLER);
  const [back, away] = compat ? [returning32, leaving32] : [returning, leaving];
  for (let number = 0; number < ENTRIES; number++) page.set(number === HYPERCALL.iret ? away(number) : back(number), ENTRY_BYTES * number);
  return page;
};
