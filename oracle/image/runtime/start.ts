/** From the entry point to the first program, and from one program to the next. */
export const START = `
start:
  mov [VAR.start_info], rsi
  mov esp, STACK_TOP
# The 100 Hz tick that every vCPU starts with would make runs depend on time: stop it before anything else.
  mov eax, HYPERCALL_vcpu_op
  mov edi, VCPUOP_stop_periodic_timer
  xor esi, esi
  xor edx, edx
  syscall
  mov rsi, [VAR.start_info]
  mov rax, [rsi + 104]
  mov [VAR.p2m], rax
  mov rax, [rsi + 32]
  mov [VAR.nr_pages], rax
  mov rax, [rsi + 88]
  mov [VAR.pt_base], rax
  mov [VAR.l4], rax
  mov rcx, [rsi + 96]
  shl rcx, 12
  add rcx, rax
  mov [VAR.pt_end], rcx
  mov rax, [rsi + 40]
  mov rsi, rax
  shr rax, 12
  mov [VAR.shared_mfn], rax
  mov edi, SHARED_INFO
  or rsi, 0x63
  mov edx, 2
  mov eax, HYPERCALL_update_va_mapping
  syscall
  mov qword [VAR.vcpu_info], SHARED_INFO
  mov rax, [VAR.l4]
  mov rax, [rax]
  call table_address
  mov [VAR.l3], rax
  mov rax, [rax]
  call table_address
  mov [VAR.l2], rax
  mov edi, trap_table
  mov eax, HYPERCALL_set_trap_table
  syscall
  mov edi, event_callback
  mov esi, failsafe_callback
  mov edx, syscall_callback
  mov eax, HYPERCALL_set_callbacks
  syscall
  mov edi, 0xe02b
  mov esi, KERNEL_STACK_TOP
  mov eax, HYPERCALL_stack_switch
  syscall
  jmp programs

# RAX: entry of a table; out RAX: address of the table that it points to
table_address:
  shl rax, 12
  shr rax, 24
  mov rcx, M2P
  mov rax, [rcx + rax*8]
  shl rax, 12
  add rax, VIRT_BASE
  ret

# RAX: virtual address of the image; out RAX: address of the L1 entry that maps it, RDX: the entry's machine address
entry_of:
  mov rdx, rax
  shr rdx, 21
  and edx, 511
  mov rcx, [VAR.l2]
  mov rcx, [rcx + rdx*8]
  shl rcx, 12
  shr rcx, 24
  shr rax, 12
  and eax, 511
  shl eax, 3
  mov rsi, M2P
  mov rsi, [rsi + rcx*8]
  shl rsi, 12
  add rsi, VIRT_BASE
  shl rcx, 12
  lea rdx, [rcx + rax]
  add rax, rsi
  ret

# RAX: virtual address of the image; out RAX: machine frame number of its page
frame_of:
  sub rax, VIRT_BASE
  shr rax, 12
  mov rcx, [VAR.p2m]
  mov rax, [rcx + rax*8]
  ret

# Give the domain back what a program may have changed.
reset:
  mov eax, [VAR.l4]
  call frame_of
  mov [reset_base + 8], rax
  mov ebx, reset_calls
reset_next:
  mov rax, [rbx]
  cmp rax, -1
  je reset_memory
  mov rdi, [rbx + 8]
  mov rsi, [rbx + 16]
  mov rdx, [rbx + 24]
  mov r10d, DOMID_SELF
  syscall
  add ebx, 32
  jmp reset_next
reset_memory:
  xor eax, eax
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax
  mov rax, [VAR.vcpu_info]
  mov word [rax], 0x100
  mov qword [rax + 8], 0
  mov edi, SHARED_INFO + 2048
  mov ecx, 128
  xor eax, eax
  rep stosq
  mov [VAR.timer_port], rax
  mov [VAR.upcall_count], rax
  mov [VAR.taken_count], rax
  ret
.align 8
reset_self:
  .quad DOMID_SELF
reset_base:
  .quad 5, 0, 0
reset_ldt:
  .quad 13, 0, 0
reset_nothing:
  .quad 0, 0
reset_watchdog:
  .quad 1, 2
reset_calls:
  .quad HYPERCALL_event_channel_op, 10, reset_self, 0
  .quad HYPERCALL_set_trap_table, trap_table, 0, 0
  .quad HYPERCALL_set_callbacks, event_callback, failsafe_callback, syscall_callback
  .quad HYPERCALL_stack_switch, 0xe02b, KERNEL_STACK_TOP, 0
  .quad HYPERCALL_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0
  .quad HYPERCALL_vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0
  .quad HYPERCALL_set_timer_op, 0, 0, 0
  .quad HYPERCALL_sched_op, 6, reset_watchdog, 0
  .quad HYPERCALL_sched_op, 6, reset_watchdog + 8, 0
  .quad HYPERCALL_vm_assist, 1, 0, 0
  .quad HYPERCALL_vm_assist, 1, 1, 0
  .quad HYPERCALL_vm_assist, 1, 2, 0
  .quad HYPERCALL_vm_assist, 1, 5, 0
  .quad HYPERCALL_vm_assist, 1, 32, 0
  .quad HYPERCALL_fpu_taskswitch, 0, 0, 0
  .quad HYPERCALL_set_debugreg, 7, 0, 0
  .quad HYPERCALL_set_debugreg, 0, 0, 0
  .quad HYPERCALL_set_debugreg, 1, 0, 0
  .quad HYPERCALL_set_debugreg, 2, 0, 0
  .quad HYPERCALL_set_debugreg, 3, 0, 0
  .quad HYPERCALL_set_debugreg, 6, 0, 0
  .quad HYPERCALL_set_segment_base, 3, 0, 0
  .quad HYPERCALL_set_segment_base, 0, 0, 0
  .quad HYPERCALL_set_segment_base, 1, 0, 0
  .quad HYPERCALL_set_segment_base, 2, 0, 0
  .quad HYPERCALL_mmuext_op, reset_base, 1, 0
  .quad HYPERCALL_mmuext_op, reset_ldt, 1, 0
  .quad HYPERCALL_set_gdt, reset_nothing, 0, 0
  .quad HYPERCALL_physdev_op, 6, reset_nothing, 0
  .quad HYPERCALL_physdev_op, 7, reset_nothing, 0
  .quad HYPERCALL_vm_assist, 1, 4, 0
  .quad -1

give_up:
  mov esi, crash_reason
  jmp shutdown
poweroff:
  mov esi, poweroff_reason
shutdown:
  mov edi, 2
  mov eax, HYPERCALL_sched_op
  syscall
  jmp shutdown
poweroff_reason:
  .quad 0
crash_reason:
  .quad 3
`;
