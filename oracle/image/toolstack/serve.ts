/** Domain 0's code from its start to its end: each plan of the module is built, watched to its end, written down and destroyed. */
export const SERVE = `
start:
  mov [V.start_info], rsi
  mov esp, STACK
  mov eax, HYPERCALL_vcpu_op
  mov edi, VCPUOP_stop_periodic_timer
  xor esi, esi
  xor edx, edx
  syscall
  mov rsi, [V.start_info]
  mov rax, [rsi + 104]
  mov [V.p2m], rax
  mov rbp, [rsi + 112]
  mov [V.module], rbp
  mov rax, [rbp + MODULE.store]
  add rax, rbp
  mov [V.store], rax
  mov rsi, [rsi + 40]
  or rsi, 0x63
  mov edi, SHARED
  mov edx, 2
  mov eax, HYPERCALL_update_va_mapping
  syscall
# VIRQ_DOM_EXC comes when a domain has shut down.
  mov eax, HYPERCALL_event_channel_op
  mov edi, 1
  mov esi, virq
  syscall
  test rax, rax
  jne broken
  mov eax, [virq + 8]
  mov [ports], eax
  mov rax, JOURNAL_MAGIC
  mov [JOURNAL_AT + JOURNAL.magic], rax
  mov dword [V.record], JOURNAL_AT + RECORDS
  call announce

next_program:
  mov rax, [V.record]
  mov rcx, rax
  sub rcx, JOURNAL_AT
  mov [JOURNAL_AT + JOURNAL.end], rcx
  mov rcx, [V.program]
  mov [JOURNAL_AT + JOURNAL.done], rcx
  cmp rcx, [rbp + MODULE.count]
  jae poweroff
# A journal that is full ends the service early; the host sees how far it came.
  add rax, TWO_RECORDS
  cmp rax, JOURNAL_END
  ja poweroff
  mov [V.group], rcx
  inc ecx
  mov [JOURNAL_AT + JOURNAL.started], rcx
# DR6 as at the machine's start.
  mov edi, 6
  xor esi, esi
  mov eax, HYPERCALL_set_debugreg
  syscall
build_group:
  call take_plan
  call build
  test rax, rax
  jne not_built
  cmp dword [r13 + PLAN.beside], 0
  je watch_group
  inc dword [V.program]
  jmp build_group
watch_group:
  mov dword [V.ended], 0
  call now
  mov rcx, PATIENCE_NS
  add rax, rcx
  mov [V.deadline], rax
watch_again:
  mov eax, [ports]
  lock btr dword [SHARED + 2048], eax
  mov rax, [V.group]
  mov [V.program], rax
  xor r12d, r12d
watch_one:
  call take_plan
  mov eax, [V.domid]
  mov ecx, [V.ended]
  bt ecx, eax
  jb watch_next
  call look
watch_next:
  cmp dword [r13 + PLAN.beside], 0
  je watch_round
  inc dword [V.program]
  jmp watch_one
# R12D: domains of the group that go on.
watch_round:
  test r12d, r12d
  je over
  call now
  mov rcx, POLL_NS
  add rax, rcx
  mov [poll + 16], rax
  mov dword [poll + 8], 1
  call sleep
  jmp watch_again
over:
  call unmap
  mov rax, [V.group]
  mov [V.program], rax
destroy_one:
  call take_plan
  mov edi, do_destroy
  call domctl
  inc dword [V.program]
  cmp dword [r13 + PLAN.beside], 0
  je next_program
  jmp destroy_one

# The plan of V.program in R13, and its domain's number.
take_plan:
  mov r13, [V.program]
  shl r13, 7
  lea r13, [rbp + r13 + PLANS]
  mov eax, [r13 + PLAN.domid]
  mov [V.domid], eax
  ret

# Of domains that run together all must be built.
not_built:
  mov rcx, [V.program]
  cmp rcx, [V.group]
  jne broken
  cmp dword [r13 + PLAN.beside], 0
  jne broken
  test esi, esi
  je not_free
  mov rcx, [V.record]
  mov edx, [V.program]
  mov [rcx + RECORD.program], edx
  add esi, STATUS.failed
  mov [rcx + RECORD.status], esi
  mov [rcx + RECORD.value], eax
  mov dword [rcx + RECORD.length], 0
  add rcx, RECORD_SIZE
  mov [V.record], rcx
  jmp over

# The domid is still in use: another boot goes on from here.
not_free:
  mov rcx, [V.program]
  mov [JOURNAL_AT + JOURNAL.started], rcx
  jmp poweroff

# Whether the domain has shut down, or used up its time. What ended is written down; what ended otherwise than by powering off is gone at once.
look:
  mov edi, do_info
  call domctl
  mov eax, [do_info + 20]
  test eax, 4
  jne look_end
  mov rcx, CPU_NS
  cmp [do_info + 72], rcx
  ja look_silent
  call now
  cmp rax, [V.deadline]
  ja look_silent
  inc r12d
  ret
look_end:
  shr eax, 16
  and eax, 255
  xor esi, esi
  jmp look_write
look_silent:
  xor eax, eax
  mov esi, STATUS.silent
look_write:
  mov rcx, [V.record]
  mov edx, [V.program]
  mov [rcx + RECORD.program], edx
  mov [rcx + RECORD.status], esi
  mov [rcx + RECORD.value], eax
  mov ebx, eax
  mov ecx, [V.domid]
  lock bts dword [V.ended], ecx
  mov rax, [V.frames + rcx * 8]
  mov [V.frame], rax
  push r12
  call keep_log
  pop r12
  test ebx, ebx
  je look_over
  call unmap
  mov edi, do_destroy
  call domctl
look_over:
  ret

# Copy the lines that the domain kept behind the record.
keep_log:
  mov rax, [r13 + PLAN.log_pfn]
  call map_page
  mov r12, [WINDOW]
  cmp r12, LOG_BYTES
  jbe keep_some
  mov r12d, LOG_BYTES
keep_some:
  mov rdi, [V.record]
  mov [rdi + RECORD.length], r12d
  add rdi, RECORD_SIZE
  mov r14, rdi
  mov esi, WINDOW + 8
  mov ecx, 4088
  mov r15, [r13 + PLAN.log_pfn]
keep_page:
  cmp r12, rcx
  jae keep_whole
  mov ecx, r12d
keep_whole:
  sub r12, rcx
  mov rdi, r14
  rep movsb
  mov r14, rdi
  test r12, r12
  je keep_end
  inc r15
  mov rax, r15
  call map_page
  mov esi, WINDOW
  mov ecx, 4096
  jmp keep_page
keep_end:
  lea rax, [r14 + 7]
  and rax, -8
  mov [V.record], rax
  ret

# EAX: nanoseconds to let pass
pause:
  mov ebx, eax
  call now
  add rax, rbx
  mov [poll + 16], rax
  mov dword [poll + 8], 0
sleep:
  mov edi, 3
  mov esi, poll
  mov eax, HYPERCALL_sched_op
  syscall
  ret

# System time in RAX, nanoseconds.
now:
  mov r8d, [SHARED + 32]
  rdtsc
  shl rdx, 32
  or rax, rdx
  sub rax, [SHARED + 40]
  movsx ecx, byte [SHARED + 60]
  test ecx, ecx
  js now_down
  shl rax, cl
  jmp now_scale
now_down:
  neg ecx
  shr rax, cl
now_scale:
  mov ecx, [SHARED + 56]
  mul rcx
  shrd rax, rdx, 32
  add rax, [SHARED + 48]
  cmp r8d, [SHARED + 32]
  jne now
  ret

# Tell the host on which frame the journal begins: "journal N".
announce:
  mov rcx, [V.p2m]
  mov rax, [rcx + JOURNAL_INDEX]
  mov edi, V.text + 64
  mov byte [rdi], 10
  mov ecx, 10
announce_digit:
  xor edx, edx
  div rcx
  add edx, 48
  dec edi
  mov [rdi], dl
  test rax, rax
  jne announce_digit
  sub edi, 8
  mov rax, JOURNAL_WORD
  mov [rdi], rax
  mov edx, edi
  mov esi, V.text + 65
  sub esi, edi
  xor edi, edi
  mov eax, HYPERCALL_console_io
  syscall
  ret

# Something that must not fail did.
broken:
  mov esi, crash_reason
  jmp shutdown
poweroff:
  mov esi, poweroff_reason
shutdown:
  mov edi, 2
  mov eax, HYPERCALL_sched_op
  syscall
  jmp shutdown
.align 8
poweroff_reason:
  .quad 0
crash_reason:
  .quad 3
virq:
  .quad 3, 0
ports:
  .quad 0
poll:
  .quad ports, 0, 0
`;
