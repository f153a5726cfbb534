/* Reading a directory while its entries go and come: what stays all the time is seen once, what is gone before is not.
 */
#include "guest.h"
#include <dirent.h>

#define FILES 600

static unsigned char seen[FILES];

static void name_of(char *name, int i)
{
	sprintf(name, "d/file-with-a-name-of-some-length-%d", i);
}

static void create_all(void)
{
	char name[64];
	for (int i = 0; i < FILES; i++) {
		name_of(name, i);
		close(MUST(open(name, O_CREAT | O_WRONLY, 0600)));
	}
}

/* Reads all, and after each entry does something to it or to others. */
static void walk(const char *what, void (*change)(int seen_number))
{
	DIR *dir = opendir("d");
	memset(seen, 0, sizeof seen);
	for (struct dirent *entry; (entry = readdir(dir));) {
		int i;
		if (sscanf(entry->d_name, "file-with-a-name-of-some-length-%d", &i) != 1)
			continue;
		if (seen[i] < 255)
			seen[i]++;
		if (change)
			change(i);
	}
	int never = 0, twice = 0;
	for (int i = 0; i < FILES; i++) {
		never += !seen[i];
		twice += seen[i] > 1;
	}
	say("%s: %d never, %d twice\n", what, never, twice);
	closedir(dir);
}

static void unlink_it(int i)
{
	char name[64];
	name_of(name, i);
	MUST(unlink(name));
}

/* Removes the number that belongs to it: the higher of a pair goes when the lower is seen, and the other way round. */
static void unlink_partner(int i)
{
	char name[64];
	name_of(name, i ^ 1);
	if (!(seen[i ^ 1]))
		(void)!unlink(name);
}

static void create_more(int i)
{
	char name[64];
	sprintf(name, "d/more-%d", i);
	close(MUST(open(name, O_CREAT | O_WRONLY, 0600)));
}

static void move_away(int i)
{
	char name[64], other[64];
	name_of(name, i);
	sprintf(other, "e/%d", i);
	MUST(rename(name, other));
}

static int left(const char *path)
{
	int count = 0;
	DIR *dir = opendir(path);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

int main(void)
{
	MUST(mkdir("d", 0755));
	MUST(mkdir("e", 0755));
	create_all();
	walk("nothing changes", NULL);
	walk("others are made", create_more);
	SHOW(left("d") == 2 * FILES);
	walk("each is removed when seen", unlink_it);
	SHOW(left("d"));
	create_all();
	walk("each is moved away when seen", move_away);
	SHOW(left("e"));
	create_all();
	walk("nothing changes", NULL);

	section("rewound and sought");
	DIR *dir = opendir("d");
	MUST(dir ? 0 : -1);
	for (int i = 0; i < 100; i++)
		readdir(dir);
	long place = telldir(dir);
	char name[256];
	strcpy(name, readdir(dir)->d_name);
	for (int i = 0; i < 100; i++)
		readdir(dir);
	seekdir(dir, place);
	SHOW(strcmp(name, readdir(dir)->d_name));
	walk("removed by another", unlink_it);
	rewinddir(dir);
	int count = 0;
	while (readdir(dir))
		count++;
	SHOW(count > 2);

	section("the directory itself is removed");
	system("rm -r d");
	rewinddir(dir);
	SHOW(readdir(dir) ? 1 : 0);
	SHOW(errno == ENOENT || !errno);
	struct stat st;
	MUST(fstat(dirfd(dir), &st));
	SHOW(st.st_nlink);
	SHOW(openat(dirfd(dir), "x", O_CREAT | O_WRONLY, 0600));
	SHOW(openat(dirfd(dir), ".", O_RDONLY) >= 0);
	(void)unlink_partner;
	return 0;
}
