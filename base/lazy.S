/* base/lazy.S - lazy_resolve: what the slot of a function leads to before its first call. base/lazy.h has the story.
 *
 * It keeps every register that may hold an argument, as the dynamic loader does when it binds a function. */
	.section .note.GNU-stack, "", %progbits
	.text
	.balign 16
	.globl lazy_resolve
	.hidden lazy_resolve
	.type lazy_resolve, %function
lazy_resolve:
	.cfi_startproc
#if defined(__x86_64__)
	endbr64
	push %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	mov %rsp, %rbp
	.cfi_def_cfa_register %rbp
	sub $192, %rsp
	and $-16, %rsp
	mov %rdi, 128(%rsp)
	mov %rsi, 136(%rsp)
	mov %rdx, 144(%rsp)
	mov %rcx, 152(%rsp)
	mov %r8, 160(%rsp)
	mov %r9, 168(%rsp)
	mov %rax, 176(%rsp)             /* the number of vector registers of a variadic call */
	movups %xmm0, (%rsp)
	movups %xmm1, 16(%rsp)
	movups %xmm2, 32(%rsp)
	movups %xmm3, 48(%rsp)
	movups %xmm4, 64(%rsp)
	movups %xmm5, 80(%rsp)
	movups %xmm6, 96(%rsp)
	movups %xmm7, 112(%rsp)
	mov %r11, %rdi
	call lazy_bind
	mov %rax, %r11
	movups (%rsp), %xmm0
	movups 16(%rsp), %xmm1
	movups 32(%rsp), %xmm2
	movups 48(%rsp), %xmm3
	movups 64(%rsp), %xmm4
	movups 80(%rsp), %xmm5
	movups 96(%rsp), %xmm6
	movups 112(%rsp), %xmm7
	mov 128(%rsp), %rdi
	mov 136(%rsp), %rsi
	mov 144(%rsp), %rdx
	mov 152(%rsp), %rcx
	mov 160(%rsp), %r8
	mov 168(%rsp), %r9
	mov 176(%rsp), %rax
	leave
	.cfi_def_cfa %rsp, 8
	jmp *%r11
#elif defined(__aarch64__)
	bti j
	stp x29, x30, [sp, #-224]!
	.cfi_def_cfa_offset 224
	.cfi_offset 29, -224
	.cfi_offset 30, -216
	mov x29, sp
	stp x0, x1, [sp, #16]
	stp x2, x3, [sp, #32]
	stp x4, x5, [sp, #48]
	stp x6, x7, [sp, #64]
	str x8, [sp, #80]               /* where a structure is returned */
	stp q0, q1, [sp, #96]
	stp q2, q3, [sp, #128]
	stp q4, q5, [sp, #160]
	stp q6, q7, [sp, #192]
	mov x0, x16
	bl lazy_bind
	mov x16, x0
	ldp x0, x1, [sp, #16]
	ldp x2, x3, [sp, #32]
	ldp x4, x5, [sp, #48]
	ldp x6, x7, [sp, #64]
	ldr x8, [sp, #80]
	ldp q0, q1, [sp, #96]
	ldp q2, q3, [sp, #128]
	ldp q4, q5, [sp, #160]
	ldp q6, q7, [sp, #192]
	ldp x29, x30, [sp], #224
	.cfi_restore 29
	.cfi_restore 30
	.cfi_def_cfa_offset 0
	br x16
#endif
	.cfi_endproc
	.size lazy_resolve, . - lazy_resolve
