/* A directory of 30,000 entries: read while it stands, while it shrinks, and its size in time. */
#include "guest.h"
#include <dirent.h>

#define COUNT_OF 30000

int main(void)
{
	char name[64];
	static char seen[COUNT_OF];
	MUST(mkdir("many", 0755));
	int dir = MUST(open("many", O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < COUNT_OF; i++) {
		snprintf(name, sizeof name, "entry number %d", i);
		if (i % 3 == 0)
			MUST(mkdirat(dir, name, 0755));
		else if (i % 3 == 1)
			MUST(symlinkat("nowhere", dir, name));
		else
			close(MUST(openat(dir, name, O_CREAT | O_WRONLY, 0644)));
	}
	struct stat st;
	MUST(fstat(dir, &st));
	SHOW(st.st_nlink);
	DIR *stream = opendir("many");
	int total = 0, twice = 0, wrong = 0;
	for (struct dirent *e; (e = readdir(stream));) {
		int number;
		if (sscanf(e->d_name, "entry number %d", &number) != 1)
			continue;
		total++;
		twice += seen[number]++;
		wrong += e->d_type != (number % 3 == 0 ? DT_DIR : number % 3 == 1 ? DT_LNK : DT_REG);
	}
	say("%d entries, %d twice, %d of another type\n", total, twice, wrong);
	rewinddir(stream);
	int removed = 0;
	for (struct dirent *e; (e = readdir(stream));)
		if (e->d_name[0] != '.')
			removed += !unlinkat(dir, e->d_name, e->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	SHOW(removed);
	MUST(fstat(dir, &st));
	SHOW(st.st_nlink);
	SHOW(rmdir("many"));
	return 0;
}
