/* process_vm_readv, process_vm_writev and /proc/PID/mem of a child. */
#include "fault.h"
#include <sys/uio.h>

int main(void)
{
	char buffer[64] = "", path[64];
	char *memory = map_anonymous(4 * PAGE);
	int ends[2];
	strcpy(memory, "parent");
	MUST(pipe(ends));
	pid_t child = fork_child();
	if (!child) {
		strcpy(memory, "child one");
		strcpy(memory + PAGE - 4, "across pages");
		MUST(mprotect(memory + 3 * PAGE, PAGE, PROT_NONE));
		tell(ends[1]);
		while (memory[2 * PAGE] != '!')
			nap_ms(1);
		_exit(strcmp(memory + 2 * PAGE, "!written") ? 1 : 5);
	}
	await(ends[0]);
	struct iovec here = {buffer, 20}, there = {memory, 20};
	SHOW(process_vm_readv(child, &here, 1, &there, 1, 0));
	SHOW_TEXT(buffer);
	struct iovec two[2] = {{memory + PAGE - 4, 6}, {memory, 5}};
	SHOW(process_vm_readv(child, &here, 1, two, 2, 0));
	show_bytes("buffer", buffer, 11);
	there = (struct iovec){memory + 3 * PAGE - 4, 8};
	SHOW(process_vm_readv(child, &here, 1, &there, 1, 0));
	there.iov_base = memory + 3 * PAGE;
	SHOW(process_vm_readv(child, &here, 1, &there, 1, 0));
	SHOW(process_vm_readv(child, &here, 1, &there, 1, 1));
	SHOW(process_vm_readv(99999999, &here, 1, &there, 1, 0));
	section("sizes and counts");
	struct iovec large = {buffer, SIZE_MAX}, empty = {buffer, 0}, wild = {(void *)-1, 8};
	SHOW(process_vm_readv(child, &large, 1, &there, 1, 0));
	SHOW(process_vm_readv(child, &here, 1, &large, 1, 0));
	SHOW(process_vm_readv(child, &wild, 1, &there, 1, 0));
	SHOW(process_vm_readv(child, &here, 1, &wild, 1, 0));
	SHOW(process_vm_readv(99999999, &wild, 1, &there, 1, 0));
	SHOW(process_vm_readv(99999999, &here, 1, &wild, 1, 0));
	SHOW(process_vm_readv(99999999, &empty, 1, &wild, 1, 0));
	SHOW(process_vm_readv(99999999, &here, 1, &empty, 1, 0));
	SHOW(process_vm_readv(99999999, &here, 0, &large, 1, 0));
	SHOW(process_vm_readv(child, &here, 1025, &there, 1, 0));
	SHOW(process_vm_readv(child, &here, 1, &there, 1025, 0));
	SHOW(process_vm_readv(child, (struct iovec *)-1, 1, &there, 1, 0));
	SHOW(process_vm_readv(child, &here, 1, (struct iovec *)-1, 1, 0));
	SHOW_TEXT(memory);
	snprintf(path, sizeof path, "/proc/%d/mem", child);
	int fd = MUST(open(path, O_RDWR));
	SHOW(pread(fd, buffer, 10, (off_t)memory));
	SHOW_TEXT(buffer);
	here = (struct iovec){"!written", 9};
	there = (struct iovec){memory + 2 * PAGE, 9};
	SHOW(process_vm_writev(child, &here, 1, &there, 1, 0));
	reap("child", child);
	SHOW(memory[2 * PAGE]);
	SHOW(process_vm_readv(child, &here, 1, &there, 1, 0));
	return 0;
}
