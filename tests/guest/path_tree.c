/* A tree is built, walked, copied, removed, as a build tool does. */
#include "guest.h"
#include <ftw.h>
#include <glob.h>

static long files, dirs, links, bytes;

static int count(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	files += type == FTW_F;
	dirs += type == FTW_D || type == FTW_DP;
	links += type == FTW_SL;
	bytes += type == FTW_F ? st->st_size : 0;
	return 0;
}

static int erase(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int main(void)
{
	char path[256];
	MUST(mkdir("tree", 0755));
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof path, "tree/%d", i);
		MUST(mkdir(path, 0755));
		for (int j = 0; j < 8; j++) {
			snprintf(path, sizeof path, "tree/%d/file%d", i, j);
			make_file(path, "some text" + j);
		}
		snprintf(path, sizeof path, "tree/%d/link", i);
		MUST(symlink("../0/file0", path));
	}
	strcpy(path, "tree");
	for (int i = 0; i < 40; i++) {
		strcat(path, "/d");
		MUST(mkdir(path, 0755));
	}
	SHOW(nftw("tree", count, 8, FTW_PHYS));
	SHOW(files);
	SHOW(dirs);
	SHOW(links);
	SHOW(bytes);
	glob_t found;
	SHOW(glob("tree/[2-4]/file*", 0, NULL, &found));
	SHOW(found.gl_pathc);
	SHOW_TEXT(found.gl_pathv[0]);
	SHOW(system("cp -a tree copy && diff -r tree copy && find copy | wc -l && rm -r copy"));
	SHOW(nftw("tree", erase, 8, FTW_PHYS | FTW_DEPTH));
	SHOW(exists("tree"));
	return 0;
}
