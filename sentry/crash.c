/* crash.c - --crash-report: which program died where, for the person at the command line.
 *
 * Written when a process dies of a signal that means a fault, before it is gone. What a guest can name is escaped.
 *
 * Limits: bytes and registers of the thread that took the signal; no stack trace, which needs the program's own
 * debugging information (a core dump and a debugger have it).
 */
#include "fs/namei.h"
#include "platform/host.h"
#include "sentry/base/limits.h"
#include "sentry/base/text.h"
#include "sentry/core.h"
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define REPORT_BYTES 16384
#define CODE_BYTES   16

static bool wanted;

void crash_report_enable(void)
{
	wanted = true;
}

bool crash_report_wanted(void)
{
	return wanted;
}

/* "/usr/lib/libc.so.6+0x1234 (r-xp)", or what else is there. */
static void add_place(struct text *text, struct task *task, uint64_t addr)
{
	struct vma *vma = mm_find(task->mm, addr);
	char name[PATH_LIMIT];

	if (!vma || vma->start > addr) {
		text_add_string(text, "nothing is mapped there");
		return;
	}
	const char *label = vma_name(task->mm, vma);
	uint64_t offset = addr - vma->start + (vma->file ? vma->offset : 0);
	if (!label && vma->file && file_name(vma->file, &task->fs->root, name, sizeof name) > 0)
		label = name;
	text_add_escaped(text, label ? label : "anonymous memory", label ? strlen(label) : 16);
	text_printf(text, "+%#" PRIx64 " (%c%c%c%c)", offset, vma->prot & MEM_READ ? 'r' : '-',
		    vma->prot & MEM_WRITE ? 'w' : '-', vma->prot & MEM_EXEC ? 'x' : '-',
		    vma->flags & MAP_SHARED ? 's' : 'p');
}

static const char *code_name(const struct abi_siginfo *info)
{
	static const struct {
		int sig, code;
		const char *name;
	} names[] = {
		{SIGSEGV, SEGV_MAPERR, "nothing is mapped at the address"},
		{SIGSEGV, SEGV_ACCERR, "the mapping does not allow it"},
		{SIGBUS, BUS_ADRERR, "behind the end of the file"},
		{SIGBUS, BUS_ADRALN, "not aligned"},
		{SIGFPE, FPE_INTDIV, "integer division by zero"},
		{SIGILL, ILL_ILLOPN, "no such instruction"},
		{SIGILL, ILL_ILLOPC, "no such instruction"},
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].sig == info->si_signo && names[i].code == info->si_code)
			return names[i].name;
	return NULL;
}

static void add_cause(struct text *text, struct task *task, const struct abi_siginfo *info)
{
	const char *abbreviation = sigabbrev_np(info->si_signo), *why = code_name(info);
	bool fault = info->si_code > 0 && info->si_code < ABI_SI_KERNEL &&
		     (info->si_signo == SIGSEGV || info->si_signo == SIGBUS);

	text_add_string(text, "usbx: crash: ");
	text_add_escaped(text, task->comm, strnlen(task->comm, sizeof task->comm));
	text_printf(text, " (pid %d, thread %d): SIG%s", task->process->pid, task->tid,
		    abbreviation ? abbreviation : "?");
	if (why)
		text_printf(text, ", %s", why);
	if (info->si_code <= 0)
		text_printf(text, ", sent by pid %d", info->kill.pid);
	if (fault) {
		text_printf(text, "\nusbx: crash:   address %#" PRIx64 ": ", info->fault.addr);
		add_place(text, task, info->fault.addr);
	}
}

static void add_code(struct text *text, struct task *task, const struct uregs *regs)
{
	uint8_t code[CODE_BYTES];

	text_printf(text, "\nusbx: crash:   instruction %#" PRIx64 ": ", regs->rip);
	add_place(text, task, regs->rip);
	text_add_string(text, "\nusbx: crash:   bytes there:");
	if (aspace_read(task->mm->as, NULL, code, UADDR(regs->rip), sizeof code)) {
		text_add_string(text, " cannot be read");
		return;
	}
	for (size_t i = 0; i < sizeof code; i++)
		text_printf(text, " %02x", code[i]);
}

static void add_registers(struct text *text, const struct uregs *r)
{
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {{"rax", r->rax}, {"rbx", r->rbx}, {"rcx", r->rcx},       {"rdx", r->rdx},        {"rsi", r->rsi},
		   {"rdi", r->rdi}, {"rbp", r->rbp}, {"rsp", r->rsp},       {"r8", r->r8},          {"r9", r->r9},
		   {"r10", r->r10}, {"r11", r->r11}, {"r12", r->r12},       {"r13", r->r13},        {"r14", r->r14},
		   {"r15", r->r15}, {"rip", r->rip}, {"eflags", r->rflags}, {"fs_base", r->fs_base}};

	for (size_t i = 0; i < COUNT(all); i++)
		text_printf(text, "%s%s %#" PRIx64, i % 4 ? "  " : "\nusbx: crash:   ", all[i].name, all[i].value);
	text_add_char(text, '\n');
}

void crash_report(struct task *task, const struct abi_siginfo *info, const struct uregs *regs)
{
	char bytes[REPORT_BYTES];
	struct text text;

	text_init(&text, bytes, sizeof bytes);
	add_cause(&text, task, info);
	add_code(&text, task, regs);
	add_registers(&text, regs);
	host_stderr(text.data, text.length);
}
