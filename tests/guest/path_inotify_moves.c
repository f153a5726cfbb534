/* inotify and renames: cookies join the two halves, in one directory, between two watched, from and to unwatched ones.
 */
#include "guest.h"
#include <sys/inotify.h>

static int in;
static const char *places[16];

static void watch(const char *path)
{
	int wd = MUST(inotify_add_watch(in, path,
					IN_MOVE | IN_CREATE | IN_DELETE | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB));
	places[wd] = path;
}

static void drain(const char *what)
{
	char buffer[8192] __attribute__((aligned(8)));
	uint32_t cookies[32];
	int known = 0;
	ssize_t n;
	say("%s\n", what);
	while ((n = read(in, buffer, sizeof buffer)) > 0)
		for (char *at = buffer; at < buffer + n;) {
			struct inotify_event *event = (void *)at;
			int number = 0;
			while (event->cookie && number < known && cookies[number] != event->cookie)
				number++;
			if (event->cookie && number == known)
				cookies[known++] = event->cookie;
			say("  %s: %x %s, %s%d\n", places[event->wd], event->mask, event->len ? event->name : "itself",
			    event->cookie ? "move " : "no move ", event->cookie ? number : 0);
			at += sizeof *event + event->len;
		}
}

int main(void)
{
	in = MUST(inotify_init1(IN_NONBLOCK));
	MUST(mkdir("a", 0755));
	MUST(mkdir("b", 0755));
	MUST(mkdir("c", 0755));
	watch("a");
	watch("b");
	make_file("a/one", "1");
	make_file("a/two", "2");
	make_file("c/three", "3");
	drain("made");
	MUST(rename("a/one", "a/uno"));
	drain("in one directory");
	MUST(rename("a/uno", "b/one"));
	MUST(rename("a/two", "b/two"));
	drain("two from one to the other");
	MUST(rename("b/two", "c/two"));
	drain("out");
	MUST(rename("c/three", "b/three"));
	drain("in");
	MUST(rename("b/one", "b/three"));
	drain("over another");
	watch("b/three");
	make_file("a/four", "4");
	MUST(rename("a/four", "b/three"));
	drain("over one that is watched");
	MUST(renameat2(AT_FDCWD, "b/three", AT_FDCWD, "c/two", RENAME_EXCHANGE));
	drain("exchanged with one outside");
	make_file("a/five", "5");
	MUST(renameat2(AT_FDCWD, "a/five", AT_FDCWD, "b/three", RENAME_EXCHANGE));
	drain("exchanged");
	MUST(link("a/five", "a/six"));
	drain("linked");
	MUST(rename("a/five", "a/six"));
	drain("onto another name of the same file: nothing");
	MUST(mkdir("a/dir", 0755));
	watch("a/dir");
	MUST(rename("a/dir", "b/dir"));
	drain("a directory that is watched itself");
	make_file("b/dir/inside", "x");
	MUST(rename("b/dir/inside", "b/outside"));
	drain("out of it into its parent");
	MUST(rmdir("b/dir"));
	drain("removed");
	make_file("b/kept", "k");
	make_file("b/open", "o");
	watch("b/kept");
	MUST(unlink("b/kept"));
	drain("a file that is watched, and its directory");
	watch("b/open");
	int fd = MUST(open("b/open", O_RDONLY));
	MUST(unlink("b/open"));
	drain("the same while open");
	close(fd);
	drain("closed");
	SHOW(rename("a/none", "b/none"));
	SHOW(renameat2(AT_FDCWD, "b/outside", AT_FDCWD, "b/three", RENAME_NOREPLACE));
	drain("failed: nothing");
	MUST(rename("a", "d"));
	make_file("d/seven", "7");
	drain("the watched directory moved: watched still");
	return 0;
}
