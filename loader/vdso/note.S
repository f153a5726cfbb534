/* note.S - the note by which a C library learns that this vDSO speaks for a kernel new enough (ld.so(8): ABI check). */


	.pushsection .note.Linux, "a", @note
	.balign 4
	.long 6, 4, 0
	.asciz "Linux"
	.balign 4
	.long 6 << 16 | 1 << 8 /* 6.1.0 */
	.popsection
	.section .note.GNU-stack, "", @progbits
