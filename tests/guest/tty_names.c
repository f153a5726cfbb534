/* /dev/ptmx and /dev/pts: numbers, locks, names, the peer. */
#include "tty.h"
#include <dirent.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static bool listed(int number)
{
	char name[16];
	sprintf(name, "%d", number);
	DIR *dir = opendir("/dev/pts");
	bool found = false;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (!strcmp(entry->d_name, name))
			found = entry->d_type == DT_CHR;
	closedir(dir);
	return found;
}

static void without_terminal(void)
{
	MUST(setsid());
	SHOW(open("node", O_RDWR));
}

static unsigned number_of(int end)
{
	unsigned number = 0;
	MUST(ioctl(end, TIOCGPTN, &number));
	return number;
}

/* The lowest free number is the next. Other programs of the machine take numbers as well: several tries. */
static bool comes_back(void)
{
	for (int i = 0; i < 200; i++) {
		int first = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY));
		unsigned before = number_of(first);
		close(first);
		first = MUST(open("/dev/pts/ptmx", O_RDWR | O_NOCTTY));
		int second = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY));
		bool same = number_of(first) == before && number_of(second) != before;
		close(first);
		close(second);
		if (same)
			return true;
	}
	return false;
}

static void rest(void)
{
	char *name = ptsname(master), expected[32];
	unsigned number = 0;
	int value = -1, off = 0, on = 1;
	MUST(ioctl(master, TIOCGPTN, &number));
	sprintf(expected, "/dev/pts/%u", number);
	section("attributes");
	struct stat st, st_master;
	SHOW(fstat(slave, &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK(major(st.st_rdev) == 136 && minor(st.st_rdev) == number);
	CHECK(st.st_uid == getuid());
	CHECK((st.st_mode & 0600) == 0600);
	SHOW(st.st_nlink);
	SHOW(st.st_blksize);
	CHECK(st.st_ino == number + 3);
	SHOW(fstat(master, &st_master));
	CHECK(major(st_master.st_rdev) == 5 && minor(st_master.st_rdev) == 2);
	struct statfs fs;
	SHOW(fstatfs(slave, &fs));
	CHECK(fs.f_type == 0x1cd1);
	SHOW(fchmod(slave, 0622));
	stat(name, &st);
	SHOW(st.st_mode & 07777);
	SHOW(grantpt(master));
	SHOW(unlink(name));
	SHOW(mkdir("/dev/pts/dir", 0700));
	SHOW(open("/dev/pts/file", O_CREAT | O_RDWR, 0600));
	SHOW(rename(name, "/dev/pts/other"));
	SHOW(open("/dev/pts/09", O_RDWR));
	SHOW(open("/dev/pts/x", O_RDWR));
	SHOW(lseek(slave, 0, SEEK_CUR));
	SHOW(pread(slave, &value, 1, 0));
	SHOW(ftruncate(slave, 0));

	section("the peer");
	ioctl(master, TIOCSPTLCK, &on);
	SHOW(open(name, O_RDWR | O_NOCTTY));
	SHOW(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	ioctl(master, TIOCSPTLCK, &off);
	int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(peer >= 0);
	CHECK(fcntl(peer, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(peer, F_GETFL) & O_ACCMODE) == O_RDWR);
	MUST(write(peer, "peer", 4));
	SHOW_MASTER();
	CHECK(!strcmp(ttyname(peer), expected));
	SHOW(ioctl(slave, TIOCGPTPEER, O_RDWR));

	section("a number comes back");
	close(peer);
	close(slave);
	close(master);
	CHECK(comes_back());

	section("others");
	MUST(mknod("node", S_IFCHR | 0666, makedev(5, 0)));
	in_child("without a terminal", without_terminal);
}

int main(void)
{
	unsigned number = 0;
	int value = -1, off = 0;
	master = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	SHOW(isatty(master));
	SHOW(ioctl(master, TIOCGPTN, &number));
	char *name = ptsname(master), expected[32];
	sprintf(expected, "/dev/pts/%u", number);
	CHECK(!strcmp(name, expected));
	SHOW(ioctl(master, TIOCGPTLCK, &value));
	SHOW(value);
	SHOW(open(name, O_RDWR | O_NOCTTY));
	SHOW(ioctl(master, TIOCSPTLCK, &off));
	SHOW(ioctl(master, TIOCGPTLCK, &value));
	SHOW(value);
	slave = open(name, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0);
	SHOW(ioctl(slave, TIOCGPTN, &number));
	SHOW(ioctl(slave, TIOCSPTLCK, &off));
	CHECK(!strcmp(ttyname(slave), expected));
	CHECK(listed(number));

	rest();
	return 0;
}
