/** The code that Xen writes into the page that a kernel names in its HYPERCALL_PAGE note: 128 stubs of 32 bytes. */
import { HYPERCALL_VECTOR } from '#spec/abi/compat.ts';
import { HYPERCALL } from '#spec/abi/hypercall.ts';

const STUB = 32;
const INT3 = 0xcc;

/** push %rcx; push %r11; mov $number,%eax; syscall; pop %r11; pop %rcx; ret */
const call = (number: number): readonly number[] => [0x51, 0x41, 0x53, 0xb8, number, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3];

/** push %rcx; push %r11; push %rax; mov $number,%eax; syscall: it never comes back. */
const iret: readonly number[] = [0x51, 0x41, 0x53, 0x50, 0xb8, HYPERCALL.iret, 0, 0, 0, 0x0f, 0x05];

/** 4096 bytes. */
export const hypercallPage = (): Uint8Array => {
  const page = new Uint8Array(4096).fill(INT3);
  for (let number = 0; number < 4096 / STUB; number++) page.set(number === HYPERCALL.iret ? iret : call(number), number * STUB);
  return page;
};

/** compat/build-hypercall_page: mov $number,%eax; int $0x82; ret */
const compatCall = (number: number): readonly number[] => [0xb8, number, 0, 0, 0, 0xcd, HYPERCALL_VECTOR, 0xc3];
/** push %eax; mov $number,%eax; int $0x82 */
const compatIret: readonly number[] = [0x50, 0xb8, HYPERCALL.iret, 0, 0, 0, 0xcd, HYPERCALL_VECTOR];

/** The page of a 32-bit kernel. */
export const compatHypercallPage = (): Uint8Array => {
  const page = new Uint8Array(4096).fill(INT3);
  for (let number = 0; number < 4096 / STUB; number++) page.set(number === HYPERCALL.iret ? compatIret : compatCall(number), number * STUB);
  return page;
};
