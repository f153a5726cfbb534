/* Reading a directory while it changes: what stays is seen once; positions hold. */
#include "guest.h"
#include <dirent.h>

static long count(const char *dir)
{
	DIR *d = opendir(dir);
	long n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

int main(void)
{
	char name[64];
	SHOW(count("full"));
	DIR *d = opendir("full");
	int seen[1000] = {0}, twice = 0, total = 0;
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		int number = atoi(e->d_name);
		twice += seen[number]++ > 0;
		total++;
		snprintf(name, sizeof name, "full/%.50s", e->d_name);
		if (number % 2)
			MUST(unlink(name));
		if (number < 10) {
			snprintf(name, sizeof name, "full/%d", 600 + 2 * number); /* even: it stays, seen or not */
			make_file(name, "");
		}
	}
	CHECK(!twice);
	CHECK(total >= 300 && total <= 310);
	int missed = 0;
	for (int i = 0; i < 300; i++)
		missed += !seen[i];
	SHOW(missed);
	rewinddir(d);
	total = 0;
	while (readdir(d))
		total++;
	SHOW(total);
	closedir(d);
	SHOW(count("full"));

	section("positions");
	d = opendir("full");
	char first[20][32];
	long place[20];
	for (int i = 0; i < 20; i++) {
		place[i] = telldir(d);
		strcpy(first[i], readdir(d)->d_name);
	}
	for (int i = 19; i >= 0; i -= 3) {
		seekdir(d, place[i]);
		if (strcmp(readdir(d)->d_name, first[i]))
			say("NO: at %d\n", i);
	}
	closedir(d);
	section("emptied while reading");
	d = opendir("full");
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			MUST(unlinkat(dirfd(d), e->d_name, 0));
	rewinddir(d);
	total = 0;
	while (readdir(d))
		total++;
	SHOW(total);
	SHOW(rmdir("full"));
	rewinddir(d);
	errno = 0;
	CHECK(!readdir(d));
	SHOW(errno);
	SHOW(openat(dirfd(d), "x", O_CREAT | O_WRONLY, 0644));
	return 0;
}
