/** User mode: its page tables, and the way in. The image is mapped as in kernel mode; the pool is mapped a second time at USER_WINDOW. */
export const USER = `
# Build the tables once; show the pool of the running program in the window each time.
user_setup:
  cmp dword [VAR.user_ready], 0
  jne user_window
  mov eax, USER_TABLES + 4096
  call frame_of
  shl rax, 12
  or rax, 7
  mov [USER_TABLES], rax
  mov eax, USER_TABLES + 8192
  call frame_of
  shl rax, 12
  or rax, 7
  mov [USER_TABLES + 4096], rax
  mov eax, USER_TABLES + 12288
  call frame_of
  shl rax, 12
  or rax, 7
  mov [USER_TABLES + 8192 + 128], rax
  mov rcx, [VAR.l2]
  mov rax, [rcx + 16]
  mov [USER_TABLES + 8192 + 16], rax
  mov rax, [rcx + 24]
  mov [USER_TABLES + 8192 + 24], rax
  mov ebx, USER_TABLES
user_protect:
  mov rax, rbx
  call frame_of
  shl rax, 12
  or rax, 0x61
  mov rsi, rax
  mov edi, ebx
  mov edx, 2
  mov eax, HYPERCALL_update_va_mapping
  syscall
  add ebx, 4096
  cmp ebx, USER_TABLES + 16384
  jne user_protect
  mov eax, USER_TABLES
  call frame_of
  mov [user_base + 8], rax
  mov edi, user_base
  mov esi, 1
  xor edx, edx
  mov r10d, DOMID_SELF
  mov eax, HYPERCALL_mmuext_op
  syscall
  mov [VAR.user_ready], eax
  test eax, eax
  jne user_ready_end
  mov dword [VAR.user_ready], 1
user_window:
  mov eax, USER_TABLES + 12288
  call frame_of
  shl rax, 12
  mov ebx, user_updates
  mov rbp, [VAR.pool]
  mov r12, rax
user_next:
  mov [rbx], r12
  mov rax, rbp
  call frame_of
  shl rax, 12
  or rax, 0x67
  mov [rbx + 8], rax
  add ebx, 16
  add ebp, 4096
  add r12, 8
  cmp ebx, user_updates + 256
  jne user_next
  mov edi, user_updates
  mov esi, 16
  xor edx, edx
  mov r10d, DOMID_SELF
  mov eax, HYPERCALL_mmu_update
  syscall
user_ready_end:
  ret
.align 8
user_base:
  .quad 15, 0, 0
user_updates:
  .skip 256
`;
