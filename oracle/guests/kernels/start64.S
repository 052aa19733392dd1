/* PVH: flat 32-bit code, from where it goes to 64-bit mode with the first GiB mapped by pages of 2 MiB. */
        .section .note.Xen, "a", @note
        .long 4, 4, 18
        .asciz "Xen"
        .long _start

        .section .head, "ax"
        .code32
        .globl _start
_start: movl $stack, %esp
        movl $level3 + 3, level4
        movl $level2 + 3, level3
        movl $level2, %edi
        movl $0x83, %eax
        movl $512, %ecx
1:      movl %eax, (%edi)
        addl $0x200000, %eax
        addl $8, %edi
        loop 1b
        movl $0x620, %eax
        movl %eax, %cr4
        movl $level4, %eax
        movl %eax, %cr3
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x100, %eax
        wrmsr
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        lgdt descriptor
        ljmp $8, $2f
        .code64
2:      movw $16, %ax
        movw %ax, %ss
        movw %ax, %ds
        movw %ax, %es
        call bare
3:      hlt
        jmp 3b

        .align 8
table:  .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
descriptor:
        .word 23
        .long table

        .bss
        .align 4096
level4: .skip 4096
level3: .skip 4096
level2: .skip 4096
        .skip 65536
stack:
        .section .note.GNU-stack, "", @progbits
