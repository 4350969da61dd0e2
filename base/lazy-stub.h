/* base/lazy-stub.h - for the assembler files that tools/lazy-gen.c writes: LIBRARY "libx.so.1", then FUNCTION x_open, ...
 *
 * Each function is in sections of its own, so that those which nobody calls are left out of the program. A stub leaves
 * the address of its slot (struct lazy_function) in a register that no argument is in. */

	.section .note.GNU-stack, "", %progbits

.macro LIBRARY soname
	.section .rodata, "a", %progbits
.Lsoname:
	.asciz "\soname"
	.section lazy_libraries, "aw", %progbits
	.balign 8
.Llibrary:
	.quad .Lsoname, 0
.endm

.macro FUNCTION name
	.section .rodata.lazy.\name, "a", %progbits
.Lname_\name:
	.asciz "\name"
	.section .data.lazy.\name, "aw", %progbits
	.balign 8
.Lslot_\name:
	.quad lazy_resolve, .Llibrary, .Lname_\name
	.section .text.lazy.\name, "ax", %progbits
	.balign 16
	.globl \name
	.hidden \name                   /* a library that another one loads is not to find this */
	.type \name, %function
\name:
#if defined(__x86_64__)
	endbr64
	lea .Lslot_\name(%rip), %r11
	jmp *(%r11)
#elif defined(__aarch64__)
	bti c
	adrp x16, .Lslot_\name
	add x16, x16, :lo12:.Lslot_\name
	ldr x17, [x16]
	br x17
#else
#error "a stub for this processor is missing"
#endif
	.size \name, . - \name
.endm
