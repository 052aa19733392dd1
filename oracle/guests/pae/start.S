# Entry, notes, trap stubs and user code of a 32-bit PV guest (PAE) in C. MIT licence.
	.section .note.xen, "a", @note
	.macro NOTE type:req, data:vararg
	.align 4
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\data
2:	.align 4
	.endm
	NOTE 1, .long start
	NOTE 2, .long hypercall_page
	NOTE 3, .long 0x800000
	NOTE 4, .long 0x800000
	NOTE 5, .asciz "xen-3.0"
	NOTE 6, .asciz "example"
	NOTE 8, .asciz "generic"
	NOTE 9, .asciz "yes"

	.text
	.globl start
start:	cld
	mov $stack_end, %esp
	xor %ebp, %ebp
	push %esi
	call guest_main
	ud2

# Stub of a vector: a word where the processor has no error code, the vector, the registers; then back by iret.
	.macro STUB vector:req, error
	.align 16
	.ifb \error
	push $-1
	.endif
	push $\vector
	jmp common
	.endm
	.globl stub_de, stub_bp, stub_ud, stub_gp, stub_pf, stub_ss, stub_80, event_entry, failsafe_entry, syscall_entry
stub_de: STUB 0
stub_bp: STUB 3
stub_ud: STUB 6
stub_ss: STUB 12, 1
stub_gp: STUB 13, 1
stub_pf: STUB 14, 1
stub_80: STUB 128
event_entry: STUB 256
failsafe_entry: STUB 257
syscall_entry: STUB 258

common:	cld
	pusha
	push %esp
	call trap
	add $4, %esp
	popa
	add $8, %esp
# The hypercall page's iret pushes EAX below what the trap pushed.
to_guest:
	jmp hypercall_page + 32 * 23

# enter_user(eip, esp): comes back through leave_user. User code finds the user's flat data segment in DS and ES.
	.globl enter_user, leave_user
enter_user:
	mov 4(%esp), %eax
	mov 8(%esp), %ecx
	push %ebx
	push %ebp
	push %esi
	push %edi
	mov %esp, kernel_esp
	push $0xe033
	push %ecx
	push $0x202
	push $0xe02b
	push %eax
	mov $0xe033, %edx
	mov %edx, %ds
	mov %edx, %es
	xor %eax, %eax
	jmp to_guest
leave_user:
	mov kernel_esp, %esp
	mov $0xe021, %edx
	mov %edx, %ds
	mov %edx, %es
	pop %edi
	pop %esi
	pop %ebp
	pop %ebx
	ret

# far_call(selector): through a code segment of the guest's own, whose base is `far_code`.
	.globl far_call, far_code
far_call:
	mov 4(%esp), %edx
	push %edx
	push $0
	lcall *(%esp)
	add $8, %esp
	ret
far_code:
	mov $0x1234, %eax
	lret

# Pages of the user's: code, then a stack.
	.section .user, "awx", @progbits
	.align 4096
	.globl user_page, user_code, user_fault, user_call
user_page:
user_code:
	mov $7, %eax
	mov $0x55, %ebx
	int $0x80
	add %eax, %ebx
	push %ebx
	pop %ecx
	syscall
user_fault:
	mov $32, %ebx
	xor %ecx, %ecx
	mov %ecx, 0x40000000(%ecx)
	syscall
# A hypercall is the kernel's alone.
user_call:
	mov $33, %ebx
	mov $17, %eax
	int $0x82
	syscall
	.align 4096

	.bss
	.align 4096
	.globl hypercall_page
hypercall_page: .skip 4096
	.skip 16384
stack_end:
	.skip 8192
	.globl kernel_stack_end, user_stack_page, user_stack_end
kernel_stack_end:
user_stack_page:
	.skip 4096
user_stack_end:
kernel_esp: .skip 4
	.section .note.GNU-stack, "", @progbits
