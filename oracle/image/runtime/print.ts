/**
 * Printing. RDI is the cursor in the line throughout; a routine takes its value in RAX or the address of a counted text in
 * RSI, and may change every register but RDI's role and RSP.
 */
export const PRINT = `
# RSI: two bytes of length, then the text
put_text:
  movzx ecx, word [rsi]
  add rsi, 2
  rep movsb
  ret

# RSI: text up to a NUL, at most RCX bytes, in quotes
put_string:
  mov byte [rdi], 34
  inc rdi
put_string_next:
  jrcxz put_string_end
  mov al, [rsi]
  test al, al
  je put_string_end
  mov [rdi], al
  inc rdi
  inc rsi
  dec rcx
  jmp put_string_next
put_string_end:
  mov byte [rdi], 34
  inc rdi
  ret

put_signed:
  test rax, rax
  jns put_decimal
  mov byte [rdi], 45
  inc rdi
  neg rax
put_decimal:
  mov ecx, 10
  xor esi, esi
put_decimal_digit:
  xor edx, edx
  div rcx
  push rdx
  inc esi
  test rax, rax
  jne put_decimal_digit
put_decimal_out:
  pop rax
  add al, 48
  mov [rdi], al
  inc rdi
  dec esi
  jne put_decimal_out
  ret

put_hex:
  mov word [rdi], 0x7830
  add rdi, 2
  mov rdx, rax
  bsr rcx, rax
  jne put_hex_some
  xor ecx, ecx
put_hex_some:
  and ecx, 0x3c
put_hex_digit:
  mov rax, rdx
  shr rax, cl
  and eax, 15
  mov al, [rax + hex_digits]
  mov [rdi], al
  inc rdi
  sub ecx, 4
  jns put_hex_digit
  ret
hex_digits:
  .ascii "0123456789abcdef"

# RSI: bytes, RCX: how many
put_bytes:
  movzx eax, byte [rsi]
  mov edx, eax
  shr edx, 4
  and eax, 15
  mov dl, [rdx + hex_digits]
  mov dh, [rax + hex_digits]
  mov [rdi], dx
  add rdi, 2
  inc rsi
  dec rcx
  jne put_bytes
  ret

put_dash:
  mov byte [rdi], 45
  inc rdi
  ret

# Begin a line with the text at RSI
line_begin:
  mov edi, LINE
  jmp put_text

# End the line and write it. A line that is too long would run into the results; it cannot be.
line_end:
  mov byte [rdi], 10
  inc rdi
  mov esi, edi
  sub esi, LINE
  mov edx, LINE
  xor edi, edi
  mov eax, HYPERCALL_console_io
  syscall
  test rax, rax
  js line_refused
  ret
line_refused:
  mov edx, esi
  mov esi, LINE
  jmp keep_line
`;
