/* Supplementary groups by the thousand, given in no order: they come back sorted. */
#include "guest.h"
#include <grp.h>

int main(void)
{
	static gid_t groups[65536], back[65536];
	bool sorted = true;

	if (geteuid())
		skip("needs root");
	for (int count = 1; count <= 65536; count *= 4) {
		for (int i = 0; i < count; i++)
			groups[i] = (gid_t)i * 2654435761u % 1000003u;
		MUST(setgroups(count, groups));
		SHOW(getgroups(65536, back));
		for (int i = 1; i < count; i++)
			sorted &= back[i - 1] <= back[i];
		SHOW(sorted);
	}
	SHOW(setgroups(65537, groups));
	return 0;
}
