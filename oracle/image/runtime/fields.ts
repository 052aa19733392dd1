/** Printing what Xen wrote, field by field, from a table that the compiler lays out. */

/** Kinds of field as the table names them. */
export const FIELD_KIND = {
  number: 0,
  signed: 1,
  hex: 2,
  mfn: 3,
  maddr: 4,
  vaddr: 5,
  pte: 6,
  pte_ad: 7,
  bytes: 8,
  string: 9,
  nothing: 10,
} as const;
export type FieldKindName = keyof typeof FIELD_KIND;

/**
 * A row: address of the counted text (4), address of the value (4), size (2), kind (1), whether the value was filled with 0xaa before (1),
 * address of the slot that keeps it for later steps or 0 (4). A zero row ends the table.
 */
export const FIELD_ROW = 16;

export const FIELDS = `
# EBX: table
put_fields:
  cmp dword [rbx], 0
  je fields_end
  cmp edi, LINE + 2600
  ja fields_next
  cmp byte [rbx + 10], 10
  je fields_value
  mov esi, [rbx]
  call put_text
fields_value:
  mov ebp, [rbx + 4]
  movzx ecx, word [rbx + 8]
  cmp byte [rbx + 10], 8
  je field_bytes
  cmp byte [rbx + 10], 9
  je field_string
  mov rax, [rbp]
  mov rdx, 0xaaaaaaaaaaaaaaaa
  cmp ecx, 8
  je field_loaded
  mov eax, [rbp]
  mov edx, edx
  cmp ecx, 4
  je field_loaded
  movzx eax, ax
  movzx edx, dx
  cmp ecx, 2
  je field_loaded
  movzx eax, al
  movzx edx, dl
field_loaded:
  cmp byte [rbx + 11], 0
  je field_written
  cmp rax, rdx
  je field_untouched
field_written:
  cmp byte [rbx + 10], 1
  jne field_keep
  shl ecx, 3
  neg ecx
  shl rax, cl
  sar rax, cl
field_keep:
  mov ecx, [rbx + 12]
  test ecx, ecx
  je field_print
  mov [rcx], rax
field_print:
  movzx ecx, byte [rbx + 10]
  mov rcx, [field_printers + rcx*8]
  call rcx
fields_next:
  add ebx, 16
  jmp put_fields
field_untouched:
  cmp byte [rbx + 10], 10
  je fields_next
  call put_dash
  jmp fields_next
field_bytes:
  mov rsi, rbp
  call put_bytes
  jmp fields_next
field_string:
  mov rsi, rbp
  call put_string
  jmp fields_next
fields_end:
  ret
.align 8
field_printers:
  .quad put_decimal, put_signed, put_hex, put_frame, put_maddr, put_va, put_pte, put_pte_exact, put_dash, put_dash, fields_end
`;
