/** Domain 0's code that builds the domain of a plan. RBP is the module, R13 the plan, throughout; V.domid is the domain's number. */
export const BUILD = `
# Out: EAX 0, or ESI the step of the build that was refused and RAX its result. A domid may be in use for a moment after its domain's end.
build:
  mov dword [V.tries], 1000
build_create:
  mov edi, do_create
  mov eax, [r13 + PLAN.vcpus]
  mov [do_create + 44], eax
  mov qword [do_create + 8], 0
  call domctl
  test rax, rax
  je build_memory
  mov esi, 0
  cmp rax, -17
  jne build_refused
  dec dword [V.tries]
  je build_refused
  mov eax, 1000000
  call pause
  jmp build_create
build_memory:
  mov rax, [r13 + PLAN.pages]
  shl rax, 2
  mov [do_max_mem + 16], rax
  mov edi, do_max_mem
  mov ebx, 1
  call domctl_or_refuse
  mov eax, [r13 + PLAN.vcpus]
  mov [do_max_vcpus + 16], eax
  mov edi, do_max_vcpus
  inc ebx
  call domctl_or_refuse
# One extent: frame n of the domain is page n of its memory.
  inc ebx
  mov qword [V.frame], 0
  mov eax, [r13 + PLAN.order]
  mov [extent + 16], eax
  mov eax, [V.domid]
  mov [extent + 24], eax
  mov edi, 6
  mov esi, extent
  mov eax, HYPERCALL_memory_op
  syscall
  mov esi, ebx
  cmp rax, 1
  jne build_refused
  mov rax, [V.frame]
  mov [JOURNAL_AT + JOURNAL.frame], rax
  mov ecx, [V.domid]
  mov [V.frames + rcx * 8], rax
  inc ebx
  mov edi, do_info
  call domctl_or_refuse

  mov r14, [r13 + PLAN.contents]
  add r14, rbp
  mov r12d, [r13 + PLAN.contents_count]
build_content:
  test r12d, r12d
  je build_p2m
  mov eax, [r14 + CONTENT.pfn]
  call map_page
  mov esi, [r14 + CONTENT.page]
  shl rsi, 12
  add rsi, [V.store]
  mov edi, WINDOW
  mov ecx, 512
  cmp dword [r14 + CONTENT.kind], CONTENT_KIND.table
  je build_table
  rep movsq
build_next:
  add r14, CONTENT_SIZE
  dec r12d
  jmp build_content
build_table:
  mov rdx, [V.frame]
  shl rdx, 12
build_entry:
  lodsq
  test rax, rax
  je build_absent
  add rax, rdx
build_absent:
  stosq
  dec ecx
  jne build_entry
  jmp build_next

build_p2m:
  mov r14, [r13 + PLAN.p2m_pfn]
  mov r12, [r13 + PLAN.p2m_pages]
  mov r15, [V.frame]
build_list:
  mov rax, r14
  call map_page
  mov edi, WINDOW
  mov ecx, 512
build_frame:
  mov rax, r15
  stosq
  inc r15
  dec ecx
  jne build_frame
  inc r14
  dec r12
  jne build_list
  mov rax, [r13 + PLAN.start_info_pfn]
  call map_page
  mov rax, [do_info + 64]
  shl rax, 12
  mov [WINDOW + 40], rax
# Upcalls are kept out at the start.
  mov rax, [do_info + 64]
  call map_frame
  mov ecx, 32
  mov edi, WINDOW + 1
build_masked:
  mov byte [rdi], 1
  add edi, 64
  dec ecx
  jne build_masked
  call unmap

  mov ebx, 5
  mov rax, [r13 + PLAN.hypercall_pfn]
  add rax, [V.frame]
  mov [do_hypercalls + 16], rax
  mov edi, do_hypercalls
  call domctl_or_refuse
  inc ebx
  mov r15, [r13 + PLAN.l4_pfn]
  add r15, [V.frame]
  mov [pin + 8], r15
  mov edi, pin
  mov esi, 1
  xor edx, edx
  mov r10d, [V.domid]
  mov eax, HYPERCALL_mmuext_op
  syscall
  mov esi, ebx
  test rax, rax
  jne build_refused

# Registers of vCPU 0
  mov edi, CONTEXT
  mov ecx, 1024
  xor eax, eax
  rep stosq
  shl r15, 12
  mov [CONTEXT + 5008], r15
  mov dword [CONTEXT + 512], 36
  mov rax, [r13 + PLAN.start_info]
  mov [CONTEXT + 624], rax
  mov rax, [r13 + PLAN.entry]
  mov [CONTEXT + 648], rax
  mov dword [CONTEXT + 656], 0xe033
  mov dword [CONTEXT + 664], 0x202
  mov rax, [r13 + PLAN.stack]
  mov [CONTEXT + 672], rax
  mov dword [CONTEXT + 680], 0xe02b
# As a toolstack answers the image's PAE note: pae_extended_cr3.
  mov dword [CONTEXT + 5136], 8
  inc ebx
  mov edi, do_context
  call domctl_or_refuse
  inc ebx
  mov edi, do_unpause
  call domctl_or_refuse
  xor eax, eax
  ret
build_refused:
  or edx, -1
  test edx, edx
  ret

# EDI: structure, EBX: step of the build. Leaves the build when it is refused.
domctl_or_refuse:
  call domctl
  test rax, rax
  je domctl_taken
  pop rcx
  mov esi, ebx
  jmp build_refused
domctl_taken:
  ret

# EDI: structure, about V.domid; out RAX
domctl:
  mov eax, [V.domid]
  mov [rdi + 8], eax
  mov eax, HYPERCALL_domctl
  syscall
  ret

# RAX: page of the domain; it appears at WINDOW
map_page:
  add rax, [V.frame]
map_frame:
  mov rsi, rax
  shl rsi, 12
  or rsi, 0x63
  mov edi, WINDOW
  mov edx, 2
  mov r10d, [V.domid]
  mov eax, HYPERCALL_update_va_mapping_otherdomain
  syscall
  test rax, rax
  jne broken
  ret
unmap:
  xor esi, esi
  mov edi, WINDOW
  mov edx, 2
  mov eax, HYPERCALL_update_va_mapping
  syscall
  test rax, rax
  jne broken
  ret

.align 8
do_create:
  .quad 0x1500000001, 1, 0, 0, 0, 0x100000000, 0x407fffffff, 0x200000400, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
do_max_mem:
  .quad 0x150000000b, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
do_max_vcpus:
  .quad 0x150000000f, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
do_info:
  .quad 0x1500000005, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
do_hypercalls:
  .quad 0x1500000016, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
do_context:
  .quad 0x150000000c, 1, 0, CONTEXT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
do_unpause:
  .quad 0x1500000004, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
do_destroy:
  .quad 0x1500000002, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
extent:
  .quad V.frame, 1, 0, 1
pin:
  .quad 3, 0, 0
`;
