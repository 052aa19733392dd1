# Entry, notes and trap stubs of a PV64 guest in C. MIT licence.
	.section .note.xen, "a", @note
	.macro NOTE type:req, data:vararg
	.align 4
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\data
2:	.align 4
	.endm
	NOTE 1, .quad start
	NOTE 2, .quad hypercall_page
	NOTE 3, .quad 0x800000
	NOTE 4, .quad 0x800000
	NOTE 5, .asciz "xen-3.0"
	NOTE 6, .asciz "example"
	NOTE 8, .asciz "generic"
	NOTE 9, .asciz "yes"
	NOTE 10, .asciz "!writable_page_tables"

	.text
	.globl start
start:	cld
	lea stack_end(%rip), %rsp
	mov %rsi, %rdi
	xor %ebp, %ebp
	call guest_main
	ud2

# Stub of a vector: save registers, call trap(vector, frame), return by the iret hypercall. Vectors with an error code leave it in the frame.
	.macro STUB vector:req, error
	.align 16
	.ifnb \error
	popq saved_rcx(%rip)
	popq saved_r11(%rip)
	popq saved_error(%rip)
	.else
	popq saved_rcx(%rip)
	popq saved_r11(%rip)
	movq $-1, saved_error(%rip)
	.endif
	push $\vector
	jmp common
	.endm
	.globl stub_de, stub_bp, stub_ud, stub_gp, stub_pf, stub_80, event_entry, failsafe_entry, syscall_entry
stub_de: STUB 0
stub_bp: STUB 3
stub_ud: STUB 6
stub_gp: STUB 13, 1
stub_pf: STUB 14, 1
stub_80: STUB 128
event_entry: STUB 256
failsafe_entry: STUB 257
syscall_entry: STUB 258

# Stack: vector, rip, cs, rflags, rsp, ss.
common:	push %rax
	push saved_rcx(%rip)
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push saved_r11(%rip)
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	mov saved_error(%rip), %rsi
	call trap
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $8, %rsp
# The frame of iret: rax, r11, rcx, flags, then what the trap pushed.
to_guest: push $0
	push %rcx
	push %r11
	push %rax
	mov $23, %eax
	syscall

# enter_user(rip, rsp): leaves its own return address in user_return, and comes back through leave_user.
	.globl enter_user, leave_user
enter_user:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, kernel_rsp(%rip)
	push $0xe02b
	push %rsi
	push $0x202
	push $0xe033
	push %rdi
	xor %eax, %eax
	xor %ecx, %ecx
	xor %r11d, %r11d
	jmp to_guest
leave_user:
	mov kernel_rsp(%rip), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	.globl user_code, user_fault
user_code:
	mov $4, %edi
	lea 3(%rdi), %rax
	mov $0x55, %ebx
	int $0x80
	add %rax, %rbx
	syscall
user_fault:
	xor %ecx, %ecx
	mov %ecx, 0x40000000(%rcx)
	syscall

	.bss
	.align 4096
	.globl hypercall_page
hypercall_page: .skip 4096
	.skip 16384
stack_end:
	.skip 8192
	.globl kernel_stack_end, user_stack_end
kernel_stack_end:
	.skip 4096
user_stack_end:
saved_rcx: .skip 8
saved_r11: .skip 8
saved_error: .skip 8
kernel_rsp: .skip 8
	.section .note.GNU-stack, "", @progbits
