/**
 * Loops that an integer program is made of, in the words of the guest assembler.
 * Both CPUs, and real Xen under QEMU, are measured with them.
 */

/** Each ends in INT3 with its answer in RAX, which tells that it computed what it should. */
export type Kernel = {
  readonly name: string;
  /** DATA is the address of memory to work in. */
  readonly text: string;
  readonly answer: bigint;
};

/** Primes below 200,000 by Eratosthenes: byte loads and stores. */
const sieve: Kernel = {
  name: 'sieve',
  answer: 17984n,
  text: `
      mov rdi, DATA
      mov ecx, 200000
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
      cmp rsi, 200000
      jae composite
      mov byte [rdi+rsi], 0
      add rsi, rcx
      jmp strike
    composite:
      add ecx, 1
      cmp ecx, 200000
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

const STRAIGHT_BODY = `
      mov r8, rax
      add r8, rdx
      mov qword [rdi+64], r8
      lea r9, [rbx+rsi*4+12]
      xor r9, r8
      mov r10d, r9d
      and r10d, 255
      add rax, r10
      mov r11, qword [rdi+64]
      sub r11, rsi
      shr r11, 3
      or rdx, r11
      add rdx, rax
      mov dword [rdi+72], edx
      movzx r8d, byte [rdi+73]
      imul rsi, r8, 77
      add rsi, rbx
      not rbx
      rol rbx, 7
      inc rbx`.repeat(100);

/** Two thousand instructions without a branch, again and again: moves, arithmetic, loads and stores, as compilers mix them. */
const straight: Kernel = {
  name: 'straight',
  answer: 0x183ab38n,
  text: `
      mov rdi, DATA
      mov ecx, 2000
      mov eax, 1
      mov edx, 2
      mov ebx, 3
      mov esi, 4
    next:
${STRAIGHT_BODY}
      sub ecx, 1
      jne next
      int3`,
};

export const KERNELS: readonly Kernel[] = [straight, sieve, xorshift, sort, calls];
