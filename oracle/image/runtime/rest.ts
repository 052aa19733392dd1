/**
 * The last of domain 1's turns: from here on domain 0 is alone. On real processors a domain that was woken runs on beside the one that wakes it, so domain 0
 * first waits until domain 1 sleeps, and pauses it: where domain 1 stands is then the same on every machine, whatever is done to it. Its lines lie in memory
 * that goes with it, so they are shown now, and domain 0 keeps no page of it mapped.
 */
export const REST = `
rest_peer:
  mov dword [VAR.tries], 100
rest_look:
  mov edi, rest_info
  call domctl
# dying, shut down or blocked
  test dword [rest_info + 20], 0x15
  jne rest_still
  dec dword [VAR.tries]
  je rest_still
  call now
  add rax, 1000000
  mov [rest_poll + 16], rax
  mov eax, HYPERCALL_sched_op
  mov edi, 3
  mov esi, rest_poll
  syscall
  jmp rest_look
rest_still:
  mov edi, rest_pause
  call domctl
  cmp dword [VAR.built], 0
  je rest_end
  call show_peer
  mov dword [VAR.built], 0
  xor esi, esi
  mov edi, PEER_WINDOW
  mov edx, 2
  mov eax, HYPERCALL_update_va_mapping
  syscall
rest_end:
  ret

.align 8
rest_poll:
  .quad 0, 0, 0
rest_info:
  .quad 0x1500000005, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
rest_pause:
  .quad 0x1500000003, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
`;
