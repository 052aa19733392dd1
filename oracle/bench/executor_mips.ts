/** How many guest instructions a second the executor's CPU carries out, on loops that an integer program is made of. */
import { CODE, DATA, fixture } from '#oracle/executor/cpu/fixture.ts';
import { RAX } from '#oracle/executor/cpu/interface.ts';
import { Assembler } from '#oracle/image/asm/assembler.ts';
import { assembleText } from '#oracle/image/asm/text.ts';
import { type Figure, measure, type Work } from './measure.ts';

/** Instructions per second that every kernel should reach. */
const GOAL = 30_000_000;
const DATA_PAGES = 256;
const MOST_STEPS = 2 ** 30;

/** Each ends in INT3 with its answer in RAX, which tells that it computed what it should. */
type Kernel = { readonly name: string; readonly text: string; readonly answer: bigint };

/** Primes below 200,000 by Eratosthenes: byte loads and stores. */
const sieve: Kernel = {
  name: 'sieve',
  answer: 17984n,
  text: `
      mov rdi, DATA
      mov ecx, SIEVE
      mov eax, 1
      rep stosb
      mov rdi, DATA
      xor eax, eax
      mov ecx, 2
    next:
      movzx edx, byte [rdi+rcx]
      test edx, edx
      je composite
      add rax, 1
      lea rsi, [rcx+rcx]
    strike:
      cmp rsi, SIEVE
      jae composite
      mov byte [rdi+rsi], 0
      add rsi, rcx
      jmp strike
    composite:
      add ecx, 1
      cmp ecx, SIEVE
      jb next
      int3`,
};

/** Marsaglia's 64-bit xorshift, summed: registers only. */
const xorshift: Kernel = {
  name: 'xorshift',
  answer: 0x9452ed60eeb6aad2n,
  text: `
      mov rdx, 88172645463325252
      xor eax, eax
      mov ecx, 500000
    next:
      mov rsi, rdx
      shl rsi, 13
      xor rdx, rsi
      mov rsi, rdx
      shr rsi, 7
      xor rdx, rsi
      mov rsi, rdx
      shl rsi, 17
      xor rdx, rsi
      imul rsi, rdx, 1099
      add rax, rsi
      sub ecx, 1
      jne next
      int3`,
};

/** Insertion sort of 1,000 numbers from a linear congruential generator, again from fresh numbers five times. */
const sort: Kernel = {
  name: 'sort',
  answer: 0x7c15afefn,
  text: `
      mov rdi, DATA
      mov r9d, 5
      mov r8d, 1
    again:
      xor ecx, ecx
    fill:
      imul r8d, r8d, 1664525
      add r8d, 1013904223
      mov dword [rdi+rcx*4], r8d
      add rcx, 1
      cmp rcx, 1000
      jb fill
      mov ecx, 1
    insert:
      mov edx, dword [rdi+rcx*4]
      mov rsi, rcx
    shift:
      mov eax, dword [rdi+rsi*4-4]
      cmp eax, edx
      jbe place
      mov dword [rdi+rsi*4], eax
      sub rsi, 1
      jne shift
    place:
      mov dword [rdi+rsi*4], edx
      add rcx, 1
      cmp rcx, 1000
      jb insert
      sub r9d, 1
      jne again
      mov eax, dword [rdi+2000]
      int3`,
};

/** The 25th Fibonacci number by recursion: calls, returns, pushes. */
const calls: Kernel = {
  name: 'calls',
  answer: 75025n,
  text: `
      mov edi, 25
      call fib
      int3
    fib:
      cmp rdi, 1
      ja deeper
      mov rax, rdi
      ret
    deeper:
      push rbx
      push rbp
      mov rbx, rdi
      lea rdi, [rbx-1]
      call fib
      mov rbp, rax
      lea rdi, [rbx-2]
      call fib
      add rax, rbp
      pop rbp
      pop rbx
      ret`,
};

export const KERNELS: readonly Kernel[] = [sieve, xorshift, sort, calls];

const assembled = ({ text }: Kernel): Uint8Array => {
  const assembler = new Assembler(Number(CODE));
  assembleText(assembler, text, { DATA: Number(DATA), SIEVE: 200_000 });
  return assembler.finish().bytes;
};

/** Runs a kernel on a fresh machine; the work is counted in instructions. Throws when the answer is wrong. */
export const kernelWork = (kernel: Kernel): Work => {
  const bytes = assembled(kernel);
  return () => {
    const { cpu } = fixture(bytes, DATA_PAGES);
    const exit = cpu.run(MOST_STEPS);
    const answer = cpu.gpr(RAX);
    if (exit.kind !== 'int' || answer !== kernel.answer) throw new Error(`${kernel.name}: ${exit.kind}, RAX 0x${answer.toString(16)}`);
    return exit.retired;
  };
};

/** One figure a kernel, in instructions per CPU second. */
export const executorMips = (rounds = 5): readonly Figure[] =>
  KERNELS.map((kernel) => measure(`executor: ${kernel.name}`, kernelWork(kernel), GOAL, rounds));

if (import.meta.main) for (const { name, perSecond } of executorMips()) console.log(`${name}: ${(perSecond / 1e6).toFixed(1)} M/s`);
