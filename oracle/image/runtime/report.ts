/** The beats of a step: begin, do, report, end. */
export const REPORT = `
# ESI: where a trap resumes; EDX: the code that RIP is told relative to
step_begin:
  mov [VAR.resume], rsi
  mov [VAR.code], rdx
  mov dword [VAR.trapped], 0
  ret

# ESI: text of the step. Out ZF: no trap came
report_begin:
  mov qword [VAR.resume], 0
  call line_begin
  cmp dword [VAR.trapped], 0
  je report_begun
  call put_trap
  cmp esp, 0
report_begun:
  ret

# End a line with what handlers took meanwhile.
report_end:
  mov ebx, [VAR.taken_count]
  test ebx, ebx
  je report_upcalls
  mov esi, text_taken
  call put_text
  mov ebp, VAR.taken_vectors
  call put_list
  mov dword [VAR.taken_count], 0
report_upcalls:
  mov ebx, [VAR.upcall_count]
  test ebx, ebx
  je line_end
  mov esi, text_upcalls
  call put_text
  mov ebp, VAR.upcall_ports
  call put_list
  mov dword [VAR.upcall_count], 0
  jmp line_end

# EBX numbers of 8 bytes at RBP
put_list:
  mov rax, [rbp]
  call put_decimal
  add ebp, 8
  dec ebx
  je put_list_end
  mov byte [rdi], 44
  inc rdi
  jmp put_list
put_list_end:
  ret

# Result of a hypercall: RAX is kept already
put_result:
  mov esi, text_rc
  call put_text
  mov rax, [VAR.rc]
  jmp put_signed

# A mix of the registers that EBX has bits for, in RAX. Zero bits keep RSP out of it.
hash_registers:
  xor eax, eax
  mov ecx, 0
  mov r8, 0x9e3779b97f4a7c15
hash_next:
  bt ebx, ecx
  jae hash_skip
  mov rdx, [VAR.registers + rcx*8]
  xor rax, rdx
  rol rax, 29
  imul rax, r8
hash_skip:
  inc ecx
  cmp ecx, 16
  jne hash_next
  ret

# A mix of 4096 bytes at RSI, in RAX.
hash_page:
  xor eax, eax
  mov ecx, 512
  mov r8, 0x9e3779b97f4a7c15
hash_word:
  xor rax, [rsi]
  rol rax, 29
  imul rax, r8
  add rsi, 8
  dec ecx
  jne hash_word
  ret

# System time in RAX, nanoseconds. Where the counter goes back, no time has passed; a stamp from before the domain was is negative, and no way back.
now:
  mov rsi, [VAR.vcpu_info]
now_again:
  mov r8d, [rsi + 32]
  rdtsc
  shl rdx, 32
  or rax, rdx
  sub rax, [rsi + 40]
  jns now_forward
  xor eax, eax
now_forward:
  movsx ecx, byte [rsi + 60]
  test ecx, ecx
  js now_down
  shl rax, cl
  jmp now_scale
now_down:
  neg ecx
  shr rax, cl
now_scale:
  mov ecx, [rsi + 56]
  mul rcx
  shrd rax, rdx, 32
  add rax, [rsi + 48]
  cmp r8d, [rsi + 32]
  jne now_again
  ret
`;
export const REPORT_TEXTS: Readonly<Record<string, string>> = { text_taken: ' taken=', text_upcalls: ' up=', text_rc: ' rc=' };
