/* Handles: name_to_handle_at(2), open_by_handle_at(2), what they refuse; ustat(2). */
#include "guest.h"
#include <linux/capability.h>

struct room {
	struct file_handle header;
	unsigned char bytes[128];
};

static struct room handle_for(const char *name, int flags)
{
	struct room room = {.header = {.handle_bytes = 128}};
	int mount;

	MUST(name_to_handle_at(AT_FDCWD, name, &room.header, &mount, flags));
	return room;
}

static void names(void)
{
	struct room room = {.header = {.handle_bytes = 0}};
	int mount = -1;

	section("from names");
	SHOW(name_to_handle_at(AT_FDCWD, "f", &room.header, &mount, 0));
	CHECK(room.header.handle_bytes > 0 && mount > 0);
	SHOW(name_to_handle_at(AT_FDCWD, "f", &room.header, &mount, 0));
	room.header.handle_bytes = 129;
	SHOW(name_to_handle_at(AT_FDCWD, "f", &room.header, &mount, 0));
	SHOW(name_to_handle_at(AT_FDCWD, "f", &room.header, &mount, 0x8000));
	SHOW(name_to_handle_at(AT_FDCWD, "", &room.header, &mount, 0));
	SHOW(name_to_handle_at(AT_FDCWD, "nowhere", &room.header, &mount, 0));
	SHOW(name_to_handle_at(AT_FDCWD, "f", (struct file_handle *)8, &mount, 0));
	room.header.handle_bytes = 128;
	SHOW(name_to_handle_at(AT_FDCWD, "f", &room.header, (int *)8, 0));
	SHOW(name_to_handle_at(-1, "f", &room.header, &mount, 0));
	struct room link = handle_for("link", 0), target = handle_for("link", AT_SYMLINK_FOLLOW),
		    file = handle_for("f", 0);
	CHECK(!memcmp(&target, &file, sizeof file));
	CHECK(memcmp(&link, &file, sizeof file));
}

static void opening(void)
{
	struct room file = handle_for("f", 0), link = handle_for("link", 0), directory = handle_for("d", 0),
		    wrong = file;
	char text[8] = "";

	section("to files");
	MUST(rename("f", "g"));
	int fd = open_by_handle_at(AT_FDCWD, &file.header, O_RDONLY);
	SHOW(fd >= 0);
	SHOW(read(fd, text, sizeof text));
	SHOW(open_by_handle_at(AT_FDCWD, &directory.header, O_RDONLY | O_DIRECTORY) >= 0);
	SHOW(open_by_handle_at(AT_FDCWD, &file.header, O_RDONLY | O_DIRECTORY));
	SHOW(open_by_handle_at(AT_FDCWD, &link.header, O_RDONLY));
	SHOW(open_by_handle_at(-1, &file.header, O_RDONLY));
	SHOW(open_by_handle_at(AT_FDCWD, (struct file_handle *)8, O_RDONLY));
	wrong.header.handle_bytes = 0;
	SHOW(open_by_handle_at(AT_FDCWD, &wrong.header, O_RDONLY));
	wrong.header.handle_bytes = 129;
	SHOW(open_by_handle_at(AT_FDCWD, &wrong.header, O_RDONLY));
	close(fd);
	MUST(unlink("g"));
	SHOW(open_by_handle_at(AT_FDCWD, &file.header, O_RDONLY));
	MUST(setuid(65534));
	SHOW(open_by_handle_at(AT_FDCWD, &directory.header, O_RDONLY));
}

static void file_systems(void)
{
	struct {
		int32_t free_blocks;
		int64_t free_inodes;
		char names[12];
	} info;
	struct stat st;

	section("ustat");
	MUST(stat(".", &st));
	SHOW(syscall(SYS_ustat, (unsigned)st.st_dev, &info));
	SHOW(syscall(SYS_ustat, (unsigned)st.st_dev, (void *)8));
	SHOW(syscall(SYS_ustat, ~0u, &info));
}

int main(void)
{
	if (geteuid())
		skip("only root may open by handle");
	make_file("f", "text");
	MUST(symlink("f", "link"));
	MUST(mkdir("d", 0755));
	names();
	file_systems();
	opening();
	return 0;
}
