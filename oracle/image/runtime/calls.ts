/** Hypercalls from a table, one after the other. */

/** A row: the hypercall's number, six arguments, its result. */
export const CALL_ROW = 64;

export const CALLS = `
# R12: rows, R14: how many. Each once; the results stay in the rows
list_calls:
  mov rbp, r12
list_next:
  call row_call
  mov [rbp + 56], rax
  add rbp, 64
  dec r14
  jne list_next
  ret

row_call:
  mov rax, [rbp]
  mov rdi, [rbp + 8]
  mov rsi, [rbp + 16]
  mov rdx, [rbp + 24]
  mov r10, [rbp + 32]
  mov r8, [rbp + 40]
  mov r9, [rbp + 48]
row_syscall:
  syscall
  ret

# R12: rows, RBX: how many. A line has room for so much
put_results:
  mov esi, text_rc
  call put_text
  mov rbp, r12
put_results_next:
  mov rax, [rbp + 56]
  call put_signed
  add rbp, 64
  dec ebx
  je put_results_end
  mov byte [rdi], 44
  inc rdi
  cmp edi, LINE + 3900
  jb put_results_next
put_results_end:
  ret
`;
