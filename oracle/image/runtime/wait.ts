/** Sleeping with something that wakes: a block without a timer or an event would end the run. */
export const WAIT = `
# Enter Xen, so that what became deliverable is delivered.
enter_xen:
  mov eax, HYPERCALL_xen_version
  xor edi, edi
  xor esi, esi
  syscall
  ret

# Drop cached translations: an update of a page table shows at once.
flush_tlb:
  mov edi, flush_operation
  mov esi, 1
  xor edx, edx
  mov r10d, DOMID_SELF
  mov eax, HYPERCALL_mmuext_op
  syscall
  ret

# EBX: 0 no timer, 1 singleshot, 2 set_timer_op, 3 periodic; VAR.args: nanoseconds. Out ZF: nothing would wake.
wait_block:
  mov qword [VAR.rc], 0
  mov rbp, [VAR.vcpu_info]
  movzx eax, byte [rbp + 1]
  mov [VAR.saved], rax
  test ebx, ebx
  jne wait_timer
  cmp byte [rbp], 0
  je wait_never
  mov byte [rbp + 1], 1
  call block_once
  jmp wait_over
wait_timer:
  mov eax, [VAR.timer_port]
  test eax, eax
  je wait_never
  bt dword [SHARED_INFO + 2560], eax
  jb wait_never
  mov [wait_status + 4], eax
  mov eax, HYPERCALL_event_channel_op
  mov edi, 5
  mov esi, wait_status
  syscall
  test rax, rax
  jne wait_never
  cmp dword [wait_status + 8], 4
  jne wait_never
  cmp dword [wait_status + 16], 0
  jne wait_never
# Let what is pending already come first.
  mov byte [rbp + 1], 0
  call enter_xen
  mov byte [rbp + 1], 1
# A pending or selector bit that nobody delivers would keep the timer from waking anyone.
  mov eax, [VAR.timer_port]
  lock btr dword [SHARED_INFO + 2048], eax
  mov qword [rbp + 8], 0
  call arm_timer
  mov [VAR.rc], rax
  test rax, rax
  jne wait_over
  mov dword [VAR.tries], 8
wait_again:
  call block_once
  call timer_logged
  je wait_over
  dec dword [VAR.tries]
  jne wait_again
wait_over:
  cmp ebx, 3
  jne wait_unmasked
  mov eax, HYPERCALL_vcpu_op
  mov edi, VCPUOP_stop_periodic_timer
  xor esi, esi
  syscall
wait_unmasked:
  mov eax, [VAR.saved]
  mov [rbp + 1], al
  cmp esp, 0
  ret
wait_never:
  xor eax, eax
  ret

block_once:
# The periodic timer of a sleeping vCPU stands still, and is made up for when it runs again: so sleep by a timeout instead.
  cmp ebx, 3
  je sleep_twice
  mov eax, HYPERCALL_sched_op
  mov edi, 1
  xor esi, esi
  syscall
  mov byte [rbp + 1], 1
  ret

sleep_twice:
  call now
  add rax, [VAR.args]
  add rax, [VAR.args]
  mov [wait_poll + 16], rax
  mov eax, HYPERCALL_sched_op
  mov edi, 3
  mov esi, wait_poll
  syscall
  mov byte [rbp + 1], 0
  call enter_xen
  mov byte [rbp + 1], 1
  ret

# Out ZF: the timer's port is among the upcalls
timer_logged:
  mov ecx, [VAR.upcall_count]
  mov rax, [VAR.timer_port]
timer_look:
  dec ecx
  js timer_not
  cmp [VAR.upcall_ports + rcx*8], rax
  jne timer_look
  ret
timer_not:
  cmp esp, 0
  ret

arm_timer:
  mov rax, [VAR.args]
  mov [wait_periodic], rax
  cmp ebx, 3
  je arm_periodic
  call now
  add rax, [VAR.args]
  mov [wait_singleshot], rax
  cmp ebx, 2
  je arm_set_timer
  mov eax, HYPERCALL_vcpu_op
  mov edi, VCPUOP_set_singleshot_timer
  xor esi, esi
  mov edx, wait_singleshot
  syscall
  ret
arm_set_timer:
  mov rdi, rax
  mov eax, HYPERCALL_set_timer_op
  syscall
  ret
arm_periodic:
  mov eax, HYPERCALL_vcpu_op
  mov edi, VCPUOP_set_periodic_timer
  xor esi, esi
  mov edx, wait_periodic
  syscall
  ret

.align 8
flush_operation:
  .quad 6, 0, 0
wait_status:
  .quad DOMID_SELF, 0, 0
wait_singleshot:
  .quad 0, 0
wait_periodic:
  .quad 0
wait_poll:
  .quad 0, 0, 0
`;
