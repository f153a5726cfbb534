/* fault.h - touching memory that may not be there, and living on: what the mem and sig cases share. */
#ifndef FAULT_H
#define FAULT_H

#include "guest.h"
#include <setjmp.h>
#include <sys/mman.h>

#define PAGE 4096ul

static sigjmp_buf fault_back;
static volatile int fault_signal, fault_code;
static void *volatile fault_address;

static inline void fault_caught(int sig, siginfo_t *info, void *context)
{
	fault_signal = sig;
	fault_code = info->si_code;
	fault_address = info->si_addr;
	siglongjmp(fault_back, 1);
}

static inline void fault_catch(void)
{
	handle_info(SIGSEGV, fault_caught, 0);
	handle_info(SIGBUS, fault_caught, 0);
}

static inline const char *fault_code_name(int sig, int code)
{
	if (code == SI_KERNEL)
		return "SI_KERNEL";
	if (sig == SIGSEGV)
		return code == SEGV_MAPERR ? "SEGV_MAPERR" : code == SEGV_ACCERR ? "SEGV_ACCERR" : "another code";
	return code == BUS_ADRERR ? "BUS_ADRERR" : "another code";
}

/* What happens at a read, write or call of an address. */
static inline void fault_try(const char *what, volatile char *address, char kind)
{
	fault_signal = 0;
	if (!sigsetjmp(fault_back, 1)) {
		if (kind == 'r')
			(void)*address;
		else if (kind == 'w')
			*address = 'w';
		else
			((void (*)(void))(uintptr_t)address)();
	}
	if (fault_signal)
		say("%s: %s %s%s\n", what, signal_name(fault_signal), fault_code_name(fault_signal, fault_code),
		    fault_address == (void *)address ? ", at that address" : ", at another address");
	else
		say("%s: no fault\n", what);
}

#define READ(address)  fault_try("read of " #address, (volatile char *)(address), 'r')
#define WRITE(address) fault_try("write to " #address, (volatile char *)(address), 'w')
#define CALL(address)  fault_try("call of " #address, (volatile char *)(address), 'x')

static inline char *map(size_t size, int protection, int flags, int fd)
{
	char *memory = mmap(NULL, size, protection, flags, fd, 0);
	MUST(memory == MAP_FAILED ? -1 : 0);
	return memory;
}

static inline char *map_anonymous(size_t size)
{
	return map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* For calls whose success is an address: 0 or the error. */
static inline long address_result(void *address)
{
	return address == MAP_FAILED ? -1 : 0;
}

#endif
