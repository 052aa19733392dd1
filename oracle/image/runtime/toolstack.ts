/**
 * Domain 0 as its own toolstack. Our machines build all domains before the first instruction; real Xen builds domain 0 only. So when domain 0 was given a
 * module, that is the ELF file of domain 1, and domain 0 builds the domain from it by domctl calls before its first turn. A release build of Xen lets no
 * other domain write to the console: domain 1 keeps its lines in memory then, and domain 0 shows them at its end, each behind `1> `.
 */
export const TOOLSTACK = `
# Build domain 1 from the module, if there is one.
build_peer:
  mov rsi, [VAR.start_info]
  cmp qword [rsi + 120], 0
  je build_end
  mov rbp, [rsi + 112]
  mov dword [VAR.built], 1
  mov edi, peer_create
  call domctl
  mov edi, peer_max_mem
  call domctl
  mov edi, peer_max_vcpus
  call domctl
# Memory, in one piece: pfn n is page n from VIRT_BASE. Fresh from Xen's boot, it is zero.
  mov edi, 6
  mov esi, peer_memory
  mov eax, HYPERCALL_memory_op
  syscall
  mov rax, [PEER_FRAMES]
  xor ecx, ecx
build_extent:
  mov [PEER_FRAMES + rcx*8], rax
  inc rax
  inc ecx
  cmp ecx, PEER_PAGES
  jne build_extent

# Load the segments. R12: program header, R13: headers left, R15: end of the kernel so far
  mov r12, rbp
  add r12, [rbp + 32]
  movzx r13d, word [rbp + 56]
  xor r15d, r15d
build_segment:
  cmp dword [r12], 1
  jne build_next
  mov rax, [r12 + 16]
  add rax, [r12 + 40]
  cmp rax, r15
  jbe build_copy
  mov r15, rax
build_copy:
  mov r14, [r12 + 32]
  mov r8, [r12 + 16]
  mov r9, [r12 + 8]
  add r9, rbp
build_piece:
  test r14, r14
  je build_next
  mov rax, r8
  sub rax, VIRT_BASE
  shr rax, 12
  call map_peer
  mov rdi, r8
  and edi, 0xfff
  mov ecx, 4096
  sub ecx, edi
  add edi, PEER_WINDOW
  cmp r14, rcx
  jae build_whole
  mov ecx, r14d
build_whole:
  sub r14, rcx
  add r8, rcx
  mov rsi, r9
  rep movsb
  mov r9, rsi
  jmp build_piece
build_next:
  add r12, 56
  dec r13d
  jne build_segment

# Behind the kernel: physical-to-machine list (2 pages), start_info, L4, L1, L2, L3, L1, stack. R15: pfn of the list
  add r15, 4095 - VIRT_BASE
  shr r15, 12
  mov rbx, r15
  mov esi, PEER_FRAMES
  call fill_peer
  lea rbx, [r15 + 1]
  mov esi, PEER_FRAMES + 4096
  call fill_peer
  mov edi, peer_info
  call domctl
# Upcalls are kept out at the start.
  mov rax, [peer_info + 64]
  call map_frame
  mov ecx, 32
  mov edi, PEER_WINDOW + 1
build_masked:
  mov byte [rdi], 1
  add edi, 64
  dec ecx
  jne build_masked
  lea rax, [r15 + 2]
  call map_peer
  mov rax, 0x2d302e332d6e6578
  mov [PEER_WINDOW], rax
  mov rax, 0x34365f363878
  mov [PEER_WINDOW + 8], rax
  mov qword [PEER_WINDOW + 32], PEER_PAGES
  mov rax, [peer_info + 64]
  shl rax, 12
  mov [PEER_WINDOW + 40], rax
  lea rax, [r15 + 3]
  call peer_address
  mov [PEER_WINDOW + 88], rax
  mov qword [PEER_WINDOW + 96], 5
  mov rax, r15
  call peer_address
  mov [PEER_WINDOW + 104], rax
# Tables, from the leaves up. Their own pages are mapped read-only.
  lea rax, [r15 + 4]
  call map_peer
  xor ebx, ebx
  call leaf_entries
  lea rax, [r15 + 7]
  call map_peer
  mov ebx, 512
  call leaf_entries
  lea rax, [r15 + 5]
  call map_peer
  mov rax, [PEER_FRAMES + r15*8 + 32]
  call table_entry
  mov [PEER_WINDOW + 16], rax
  mov rax, [PEER_FRAMES + r15*8 + 56]
  call table_entry
  mov [PEER_WINDOW + 24], rax
  lea rax, [r15 + 6]
  call map_peer
  mov rax, [PEER_FRAMES + r15*8 + 40]
  call table_entry
  mov [PEER_WINDOW], rax
  lea rax, [r15 + 3]
  call map_peer
  mov rax, [PEER_FRAMES + r15*8 + 48]
  call table_entry
  mov [PEER_WINDOW], rax
  mov rax, r15
  call map_peer

  mov rax, [PEER_FRAMES + HYPERCALL_PAGE_INDEX]
  mov [peer_hypercalls + 16], rax
  mov edi, peer_hypercalls
  call domctl
  mov rax, [PEER_FRAMES + r15*8 + 24]
  mov [peer_pin + 8], rax
  mov edi, peer_pin
  mov esi, 1
  xor edx, edx
  mov r10d, 1
  mov eax, HYPERCALL_mmuext_op
  syscall

# Registers of vCPU 0
  mov rax, [PEER_FRAMES + r15*8 + 24]
  shl rax, 12
  mov [PEER_CONTEXT + 5008], rax
  mov qword [PEER_CONTEXT + 512], 36
  lea rax, [r15 + 2]
  call peer_address
  mov [PEER_CONTEXT + 624], rax
  mov rax, [rbp + 24]
  mov [PEER_CONTEXT + 648], rax
  mov dword [PEER_CONTEXT + 656], 0xe033
  mov dword [PEER_CONTEXT + 664], 0x202
  lea rax, [r15 + 9]
  call peer_address
  mov [PEER_CONTEXT + 672], rax
  mov [PEER_CONTEXT + 4976], rax
  mov dword [PEER_CONTEXT + 680], 0xe02b
  mov dword [PEER_CONTEXT + 4968], 0xe02b
# As a toolstack answers the image's PAE note: pae_extended_cr3.
  mov dword [PEER_CONTEXT + 5136], 8
  mov edi, peer_context
  call domctl
  mov edi, peer_unpause
  call domctl
build_end:
  ret

# EDI: structure; out RAX
domctl:
  mov eax, HYPERCALL_domctl
  syscall
  ret

# RAX: pfn; out RAX: virtual address
peer_address:
  shl rax, 12
  add rax, VIRT_BASE
  ret

# RAX: frame; out RAX: entry of a table above level 1
table_entry:
  shl rax, 12
  or rax, 0x67
  ret

# RAX: pfn of domain 1; it appears at PEER_WINDOW. Keeps RBX, RBP and R8 to R15 but R10 and R11
map_peer:
  mov rax, [PEER_FRAMES + rax*8]
map_frame:
  mov rsi, rax
  shl rsi, 12
  or rsi, 0x63
  mov edi, PEER_WINDOW
  mov edx, 2
  mov r10d, 1
  mov eax, HYPERCALL_update_va_mapping_otherdomain
  syscall
  ret

# RBX: pfn, ESI: contents
fill_peer:
  mov rax, rbx
  mov ebx, esi
  call map_peer
  mov esi, ebx
  mov edi, PEER_WINDOW
  mov ecx, 512
  rep movsq
  ret

# EBX: first pfn; 512 entries into PEER_WINDOW
leaf_entries:
  mov edi, PEER_WINDOW
leaf_next:
  mov rax, [PEER_FRAMES + rbx*8]
  shl rax, 12
  or rax, 0x63
  mov rcx, rbx
  sub rcx, r15
  sub rcx, 3
  cmp rcx, 5
  jae leaf_writable
  and rax, -3
leaf_writable:
  stosq
  inc ebx
  test ebx, 511
  jne leaf_next
  ret

# Keep a line that Xen would not take: RSI from LINE, EDX its length.
keep_line:
  mov rcx, [LOG]
  lea edi, [rcx + LOG + 8]
  add rcx, rdx
  cmp rcx, LOG_BYTES
  ja keep_end
  mov [LOG], rcx
  mov ecx, edx
  rep movsb
keep_end:
  ret

# Show what domain 1 kept. RBX: next byte, R12: how many there are
show_peer:
  cmp dword [VAR.built], 0
  je keep_end
  mov eax, LOG_INDEX
  call map_peer
  mov r12, [PEER_WINDOW]
  mov ebx, 8
  add r12, 8
show_line:
  mov edi, LINE
  mov word [rdi], 0x3e31
  mov byte [rdi + 2], 32
  add edi, 3
show_byte:
  cmp rbx, r12
  jae keep_end
  mov r14d, edi
  test ebx, 0xfff
  jne show_mapped
  mov eax, ebx
  shr eax, 12
  add eax, LOG_INDEX
  call map_peer
show_mapped:
  mov edi, r14d
  mov eax, ebx
  and eax, 0xfff
  inc ebx
  mov al, [rax + PEER_WINDOW]
  cmp al, 10
  je show_end
  mov [rdi], al
  inc edi
  jmp show_byte
show_end:
  call line_end
  jmp show_line

.align 8
peer_create:
  .quad 0x1500000001, 1, 0, 0, 0, 0x100000000, 0x407fffffff, 0x200000400, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
peer_max_mem:
  .quad 0x150000000b, 1, PEER_KIB, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
peer_max_vcpus:
  .quad 0x150000000f, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
peer_info:
  .quad 0x1500000005, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
peer_hypercalls:
  .quad 0x1500000016, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
peer_context:
  .quad 0x150000000c, 1, 0, PEER_CONTEXT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
peer_unpause:
  .quad 0x1500000004, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
peer_memory:
  .quad PEER_FRAMES, 1, PEER_ORDER, 1
peer_pin:
  .quad 3, 0, 0
`;
