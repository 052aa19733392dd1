/** Frames and addresses as symbols. A machine frame number depends on the machine; what it holds does not. */
export const SYMBOLS = `
# RAX: machine frame number
put_frame:
  cmp rax, MACHINE_FRAMES
  jae frame_beyond
  mov rcx, M2P
  mov rdx, [rcx + rax*8]
  cmp rdx, [VAR.nr_pages]
  jae frame_not_own
  mov rcx, [VAR.p2m]
  cmp [rcx + rdx*8], rax
  jne frame_not_own
  mov rax, rdx
  shl rax, 12
  add rax, VIRT_BASE
  jmp put_own_page
frame_beyond:
  mov esi, text_beyond
  jmp put_text
frame_not_own:
  cmp rax, [VAR.shared_mfn]
  mov esi, text_shared_info
  je put_text
  xor ecx, ecx
frame_grant:
  cmp rax, [VAR.grant_mfn + rcx*8]
  je frame_is_grant
  inc ecx
  cmp ecx, GRANT_FRAMES
  jne frame_grant
  cmp rdx, -1
  mov esi, text_unmapped
  je put_text
  mov esi, text_foreign
  jmp put_text
frame_is_grant:
  mov eax, ecx
  mov esi, text_grant
  push rax
  call put_text
  pop rax
  jmp put_decimal

# RAX: address of a page of the domain's own, as if every page were mapped in order from VIRT_BASE
put_own_page:
  mov rcx, rax
  sub rcx, [VAR.pool]
  shr rcx, 12
  cmp rcx, POOL_PAGES
  jb own_pool
  mov esi, text_l4
  cmp rax, [VAR.l4]
  je put_text
  mov esi, text_l3
  cmp rax, [VAR.l3]
  je put_text
  mov esi, text_l2
  cmp rax, [VAR.l2]
  je put_text
  cmp rax, [VAR.pt_base]
  jb own_not_table
  cmp rax, [VAR.pt_end]
  jae own_not_table
  sub rax, [VAR.pt_base]
  mov esi, text_table
  jmp own_numbered
own_not_table:
  mov esi, text_start_info
  cmp rax, [VAR.start_info]
  je put_text
  mov rcx, rax
  sub rcx, USER_TABLES
  shr rcx, 12
  cmp rcx, 4
  jb own_user_table
  sub rax, VIRT_BASE
  mov esi, text_pfn
own_numbered:
  shr rax, 12
  push rax
  call put_text
  pop rax
  jmp put_decimal
own_pool:
  mov rax, rcx
  shl rax, 12
  mov esi, text_pool
  jmp own_numbered
own_user_table:
  mov eax, 4
  sub eax, ecx
  shl eax, 12
  mov esi, text_user_table
  jmp own_numbered

# RAX: machine address
put_maddr:
  push rax
  shr rax, 12
  call put_frame
  pop rax
put_offset:
  and eax, 0xfff
  je put_offset_none
  mov byte [rdi], 43
  inc rdi
  jmp put_decimal
put_offset_none:
  ret

# RAX: virtual address
put_va:
  mov rcx, rax
  sub rcx, [VAR.pool]
  shr rcx, 12
  cmp rcx, POOL_PAGES
  jb va_own
  cmp rax, [VAR.pt_base]
  jb put_hex
  cmp rax, [VAR.pt_end]
  jae put_hex
va_own:
  push rax
  and rax, -4096
  call put_own_page
  pop rax
  jmp put_offset

# RAX: page table entry. Accessed and dirty bits are the business of steps that ask for them.
put_pte:
  and rax, -97
put_pte_exact:
  test rax, rax
  je put_decimal
  push rax
  mov rcx, 0xffffffffff000
  and rax, rcx
  je pte_flags
  shr rax, 12
  call put_frame
  mov byte [rdi], 47
  inc rdi
pte_flags:
  pop rax
  mov rcx, 0xfff0000000000fff
  and rax, rcx
  jmp put_hex

# RAX: address of an instruction
put_rip:
  mov rcx, rax
  sub rcx, [VAR.code]
  mov esi, text_here
  je put_text
  cmp rcx, 4096
  jae put_va
  mov byte [rdi], 43
  inc rdi
  mov rax, rcx
  jmp put_decimal
`;

/** Texts of the symbols, as label and text. */
export const SYMBOL_TEXTS: Readonly<Record<string, string>> = {
  text_beyond: 'beyond',
  text_shared_info: 'shared_info',
  text_start_info: 'start_info',
  text_unmapped: 'unowned',
  text_foreign: 'foreign',
  text_grant: 'grant',
  text_l4: 'pt.l4',
  text_l3: 'pt.l3',
  text_l2: 'pt.l2',
  text_table: 'pt.',
  text_pfn: 'pfn',
  text_pool: 'pool',
  text_user_table: 'user.l',
  text_here: 'here',
};
