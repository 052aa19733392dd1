/**
 * A kernel that does nothing but wait for another to take its place: booted once, kept by the emulator, and filled with a program's image at each return.
 * To Xen both are the same file: entry, size and hypercall page agree, and until then no call was made but one that writes a line.
 */
import { HYPERCALL } from '#spec/abi/hypercall.ts';
import { Assembler } from '../asm/assembler.ts';
import { assembleText } from '../asm/text.ts';
import { writeElf } from '../elf.ts';
import { HYPERCALL_PAGE, RUNTIME, VIRT_BASE } from '../layout.ts';

const PAGE = 4096;
/** Where every image that is to lie in a cradle ends: what Xen makes of an image depends on its size. */
export const CRADLE_END = VIRT_BASE + 0x300000;
/** The waiting code has the last page to itself; no program comes near it. */
const WAIT = CRADLE_END - PAGE;
/** The host writes here, last, that the image is in place. */
export const GO = CRADLE_END - 8;
const LINE = WAIT + 2048;

/** Prints "cradle A B": the frames where the image begins, and the module (0: none). RSI stays as the program is to find it. */
const SOURCE = `
wait:
  mov rbx, rsi
  mov r8, [rsi + 104]
  mov r12, [r8]
  xor r13d, r13d
  mov rax, [rsi + 112]
  test rax, rax
  je no_module
  sub rax, VIRT_BASE
  shr rax, 12
  mov r13, [r8 + rax*8]
no_module:
  mov edi, LINE + 64
  mov byte [rdi], 10
  mov rax, r13
  call digits
  dec edi
  mov byte [rdi], 32
  mov rax, r12
  call digits
  sub edi, 7
  movabs rax, 0x20656c64617263
  mov ecx, [rdi + 7]
  mov [rdi], rax
  mov [rdi + 7], cl
  mov edx, edi
  mov esi, LINE + 65
  sub esi, edi
  xor edi, edi
  mov eax, CONSOLE_IO
  syscall
  mov rsi, rbx
  mov edi, GO
again:
  pause
  cmp dword [rdi], 0
  je again
  mov eax, START
  jmp rax
digits:
  mov ecx, 10
digit:
  xor edx, edx
  div rcx
  add edx, 48
  dec edi
  mov [rdi], dl
  test rax, rax
  jne digit
  ret
`;

/** Image of the waiting kernel. */
export const cradleImage = (): Uint8Array => {
  const first = new Assembler(RUNTIME);
  assembleText(first, `mov eax, ${WAIT}\njmp rax`);
  const last = new Assembler(WAIT);
  assembleText(last, SOURCE, { VIRT_BASE, LINE, GO, START: RUNTIME, CONSOLE_IO: HYPERCALL.console_io });
  const { bytes } = last.finish();
  if (WAIT + bytes.length > LINE) throw new RangeError('the waiting code does not fit its page');
  return writeElf({
    segments: [
      { address: RUNTIME, bytes: first.finish().bytes, size: WAIT - RUNTIME },
      { address: WAIT, bytes, size: PAGE },
    ],
    entry: RUNTIME,
    virtBase: VIRT_BASE,
    hypercallPage: HYPERCALL_PAGE,
  });
};
