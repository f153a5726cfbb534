/* Holes in a mapping: the pieces around them keep their content. */
#include "fault.h"

int main(void)
{
	fault_catch();
	char *memory = map_anonymous(64 * PAGE);
	for (int i = 0; i < 64; i++)
		memory[i * PAGE] = i;
	for (int i = 1; i < 64; i += 2)
		MUST(munmap(memory + i * PAGE, PAGE));
	int right = 0, faults = 0;
	for (int i = 0; i < 64; i++) {
		fault_signal = 0;
		if (!sigsetjmp(fault_back, 1))
			right += memory[i * PAGE] == i;
		faults += fault_signal == SIGSEGV;
	}
	SHOW(right);
	SHOW(faults);
	SHOW(address_result(mmap(memory + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
	SHOW(memory[PAGE]);
	READ(memory + 3 * PAGE);
	SHOW(munmap(memory, 64 * PAGE));
	READ(memory);
	READ(memory + 63 * PAGE);
	char *again = mmap(memory, 64 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(again == memory);
	SHOW(memory[10 * PAGE]);
	return 0;
}
