/**
 * Traps and upcalls. Every vector has a stub that catches: it keeps what happened in variables and goes on where the step
 * said, on the runtime's own stack. A second stub for each of the first 32 vectors resumes: it notes the vector and returns by
 * the iret hypercall.
 */
export const TRAPS = `
catch_common:
  mov [VAR.registers + 0], rax
  mov [VAR.registers + 16], rdx
  mov [VAR.registers + 24], rbx
  mov [VAR.registers + 40], rbp
  mov [VAR.registers + 48], rsi
  mov [VAR.registers + 56], rdi
  mov [VAR.registers + 64], r8
  mov [VAR.registers + 72], r9
  mov [VAR.registers + 80], r10
  mov [VAR.registers + 96], r12
  mov [VAR.registers + 104], r13
  mov [VAR.registers + 112], r14
  mov [VAR.registers + 120], r15
  pop qword [VAR.registers + 8]
  pop qword [VAR.registers + 88]
# An error code stands before RIP only for some vectors, so look for the code selector.
  mov qword [VAR.error], -1
  mov eax, [rsp + 8]
  and eax, -4
  cmp eax, 0xe030
  je catch_no_error
  pop qword [VAR.error]
catch_no_error:
  pop qword [VAR.trap_rip]
  pop qword [VAR.trap_cs]
  pop qword [VAR.trap_flags]
  pop qword [VAR.trap_rsp]
  pop qword [VAR.trap_ss]
  mov rax, [VAR.trap_rsp]
  mov [VAR.registers + 32], rax
  mov rax, [VAR.trap_flags]
  mov [VAR.flags], rax
  mov rax, [VAR.vcpu_info]
  mov rax, [rax + 16]
  mov [VAR.trap_cr2], rax
  mov qword [VAR.trapped], 1
resume:
  mov esp, STACK_TOP
  push 0x202
  popfq
  mov rax, [VAR.resume]
  test rax, rax
  je lost
  jmp rax
# A trap where nobody expects one: the runtime itself is broken.
lost:
  mov esi, text_lost
  call line_begin
  call put_trap
  call line_end
  jmp give_up

# Behind a code block: keep the registers as a trap would.
keep_registers:
  mov [VAR.registers + 0], rax
  mov [VAR.registers + 8], rcx
  mov [VAR.registers + 16], rdx
  mov [VAR.registers + 24], rbx
  mov [VAR.registers + 40], rbp
  mov [VAR.registers + 48], rsi
  mov [VAR.registers + 56], rdi
  mov [VAR.registers + 64], r8
  mov [VAR.registers + 72], r9
  mov [VAR.registers + 80], r10
  mov [VAR.registers + 88], r11
  mov [VAR.registers + 96], r12
  mov [VAR.registers + 104], r13
  mov [VAR.registers + 112], r14
  mov [VAR.registers + 120], r15
  pushfq
  pop qword [VAR.flags]
  ret

put_trap:
  mov esi, text_trap
  call put_text
  mov eax, [VAR.vector]
  call put_decimal
  mov rax, [VAR.error]
  cmp rax, -1
  je put_trap_rip
  push rax
  mov esi, text_error
  call put_text
  pop rax
  call put_decimal
put_trap_rip:
  cmp dword [VAR.vector], 14
  jne put_trap_no_cr2
  mov esi, text_cr2
  call put_text
  mov rax, [VAR.trap_cr2]
  call put_va
put_trap_no_cr2:
  mov esi, text_rip
  call put_text
  mov rax, [VAR.trap_rip]
  call put_rip
  test byte [VAR.trap_cs], 3
  je put_trap_end
  mov esi, text_user
  call put_text
put_trap_end:
  ret

# Note the vector in [rsp] and go back. What comes again and again, as a fault does, is caught in the end.
resume_common:
  push rax
  push rcx
  mov eax, [VAR.taken_count]
  cmp eax, 8
  jae resume_no_more
  mov rcx, [rsp + 16]
  mov [VAR.taken_vectors + rax*8], rcx
  inc dword [VAR.taken_count]
  pop rcx
  pop rax
  add rsp, 8
  pop rcx
  pop r11
# Drop an error code as above.
  push rax
  mov eax, [rsp + 16]
  and eax, -4
  cmp eax, 0xe030
  pop rax
  je resume_no_error
  add rsp, 8
resume_no_error:
return_to_guest:
  push 0
  push rcx
  push r11
  push rax
  mov eax, HYPERCALL_iret
  syscall

resume_no_more:
  pop rcx
  pop rax
  pop qword [VAR.vector]
  jmp catch_common

event_callback:
  push rax
  push rbx
  push rdx
  push rsi
  mov rsi, [VAR.vcpu_info]
  mov byte [rsi], 0
  xor eax, eax
  xchg [rsi + 8], rax
event_word:
  bsf rcx, rax
  je event_done
  btr rax, rcx
  mov rdx, [SHARED_INFO + 2560 + rcx*8]
  not rdx
  and rdx, [SHARED_INFO + 2048 + rcx*8]
event_bit:
  bsf rbx, rdx
  je event_word
  btr rdx, rbx
  lock btr [SHARED_INFO + 2048 + rcx*8], rbx
  push rcx
  shl ecx, 6
  add ecx, ebx
  mov ebx, [VAR.upcall_count]
  cmp ebx, 63
  jae event_full
  mov [VAR.upcall_ports + rbx*8], rcx
  inc dword [VAR.upcall_count]
event_full:
  pop rcx
  jmp event_bit
event_done:
  pop rsi
  pop rdx
  pop rbx
  pop rax
  pop rcx
  pop r11
  jmp return_to_guest

# What Xen calls when it cannot return to the guest as asked.
failsafe_callback:
  mov dword [VAR.vector], 256
  jmp catch_common
# SYSCALL from user mode.
syscall_callback:
  mov dword [VAR.vector], 257
  jmp catch_common
nmi_callback:
  mov dword [VAR.vector], 258
  jmp catch_common
`;

/** One stub a vector, 16 bytes apart at `catch_stubs`, and 16 bytes apart at `resume_stubs` for the first 32. */
export const STUBS: string = [
  '.align 16',
  'catch_stubs:',
  ...Array.from({ length: 256 }, (_, vector) => `mov dword [VAR.vector], ${vector}\njmp catch_common\n.align 16`),
  'resume_stubs:',
  ...Array.from({ length: 32 }, (_, vector) => `push ${vector}\njmp resume_common\n.align 16`),
].join('\n');

export const TRAP_TEXTS: Readonly<Record<string, string>> = {
  text_trap: ' trap=',
  text_error: ' error=',
  text_cr2: ' cr2=',
  text_rip: ' rip=',
  text_user: ' mode=user',
  text_lost: 'lost',
};
