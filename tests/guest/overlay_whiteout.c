/* Names of the host's directory are taken away and come back as something else. */
#include "guest.h"
#include <dirent.h>

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void list(const char *dir)
{
	char names[400][16];
	size_t count = 0;
	DIR *d = opendir(dir);
	if (!d) {
		say("%s: %s\n", dir, error_name(errno));
		return;
	}
	for (struct dirent *e; (e = readdir(d)) && count < COUNT(names);)
		if (e->d_name[0] != '.')
			snprintf(names[count++], 16, "%.12s%s", e->d_name,
				 e->d_type == DT_DIR   ? "/"
				 : e->d_type == DT_LNK ? "@"
						       : "");
	closedir(d);
	qsort(names, count, sizeof names[0], compare);
	char line[900] = "";
	for (size_t i = 0; i < count; i++)
		if (strncmp(names[i], "overlay", 7) && strlen(line) < 800)
			strcat(strcat(line, " "), names[i]);
	say("%s:%s\n", dir, line);
}

int main(void)
{
	list(".");
	int held = MUST(open("a", O_RDONLY));
	SHOW(unlink("a"));
	SHOW(unlink("a"));
	SHOW(open("a", O_RDONLY));
	struct stat st;
	MUST(fstat(held, &st));
	SHOW(st.st_nlink);
	show_file("d/hard");
	SHOW(mkdir("a", 0755));
	list("a");
	SHOW(rmdir("a"));
	make_file("a", "again");
	show_file("a");
	list(".");

	section("directories");
	SHOW(rmdir("d"));
	SHOW(rmdir("empty"));
	SHOW(unlink("d/e/f/3"));
	SHOW(rmdir("d/e/f"));
	SHOW(unlink("d/e/2"));
	SHOW(rmdir("d/e"));
	list("d");
	SHOW(mkdir("d/e", 0700));
	list("d/e");
	SHOW(open("d/e/2", O_RDONLY));
	SHOW(open("way/2", O_RDONLY));
	make_file("d/e/new", "n");
	SHOW(rmdir("d/e"));
	list("d/e");
	MUST(stat("d", &st));
	SHOW(st.st_nlink);

	section("many");
	for (int i = 0; i < 300; i++) {
		char name[32];
		snprintf(name, sizeof name, "full/%03d", i);
		if (i % 100)
			MUST(unlink(name));
	}
	list("full");
	SHOW(rmdir("full"));
	SHOW(unlink("full/000") | unlink("full/100") | unlink("full/200"));
	SHOW(rmdir("full"));
	SHOW(mkdir("full", 0755));
	list("full");
	SHOW(symlink("d", "empty"));
	SHOW(unlink("way"));
	SHOW(link("b", "way"));
	SHOW(unlink("broken"));
	list(".");
	return 0;
}
