/* Directories as open files, O_DIRECTORY and O_NOFOLLOW. */
#include "guest.h"

int main(void)
{
	char buffer[16];
	MUST(mkdir("dir", 0755));
	make_file("file", "text");
	MUST(symlink("dir", "to_dir"));
	MUST(symlink("file", "to_file"));
	MUST(symlink("absent", "to_nothing"));

	int fd = MUST(open("dir", O_RDONLY));
	SHOW(read(fd, buffer, sizeof buffer));
	SHOW(write(fd, "x", 1));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(ftruncate(fd, 0));
	SHOW(fsync(fd));
	SHOW(open("dir", O_WRONLY));
	SHOW(open("dir", O_RDWR));
	SHOW(open("dir", O_RDONLY | O_CREAT, 0644));
	SHOW(open("dir", O_RDONLY | O_TRUNC));
	SHOW(open("dir", O_CREAT | O_EXCL, 0644));

	section("O_DIRECTORY");
	SHOW(open("dir", O_RDONLY | O_DIRECTORY) >= 0);
	SHOW(open("to_dir", O_RDONLY | O_DIRECTORY) >= 0);
	SHOW(open("file", O_RDONLY | O_DIRECTORY));
	SHOW(open("to_file", O_RDONLY | O_DIRECTORY));
	SHOW(open("absent", O_RDONLY | O_DIRECTORY));

	section("O_NOFOLLOW");
	SHOW(open("file", O_RDONLY | O_NOFOLLOW) >= 0);
	SHOW(open("to_file", O_RDONLY | O_NOFOLLOW));
	SHOW(open("to_dir", O_RDONLY | O_NOFOLLOW));
	SHOW(open("to_dir", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	SHOW(open("to_nothing", O_RDONLY | O_NOFOLLOW));
	SHOW(open("to_nothing", O_WRONLY | O_CREAT | O_NOFOLLOW, 0644));
	SHOW(open("to_dir/../file", O_RDONLY | O_NOFOLLOW) >= 0);
	return 0;
}
