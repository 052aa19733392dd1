/* Multiboot: flat 32-bit code. SSE may be used: CR4.OSFXSR and OSXMMEXCPT. */
        .section .head, "ax"
        .align 4
        .long 0x1badb002, 0, -0x1badb002
        .globl _start
_start: movl $stack, %esp
        movl %cr4, %eax
        orl $0x600, %eax
        movl %eax, %cr4
        call bare
1:      hlt
        jmp 1b

        .bss
        .align 16
        .skip 65536
stack:
        .section .note.GNU-stack, "", @progbits
