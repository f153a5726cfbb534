/* access and faccessat2, as root and as an ordinary user. */
#include "guest.h"

static void look(const char *name)
{
	say("%s:", name);
	const int modes[] = {F_OK, R_OK, W_OK, X_OK};
	for (int i = 0; i < 4; i++)
		say(" %s", access(name, modes[i]) ? error_name(errno) : "ok");
	say("\n");
}

static void look_around(void)
{
	look("plain");
	look("script");
	look("nothing");
	look("locked");
	look("locked/inside");
	look("absent");
	look("link");
}

static void as_user(void)
{
	become_user(1000);
	look_around();
	SHOW(open("nothing", O_RDONLY));
	SHOW(open("locked/inside", O_RDONLY));
	SHOW(open("plain", O_WRONLY));
	SHOW(open("new", O_WRONLY | O_CREAT, 0644));
}

/* access asks for the real user, open and AT_EACCESS for the effective one. */
static void as_half_user(void)
{
	MUST(setresuid(0, 1000, 0));
	SHOW(access("nothing", R_OK));
	SHOW(faccessat(AT_FDCWD, "nothing", R_OK, AT_EACCESS));
	SHOW(open("nothing", O_RDONLY));
}

int main(void)
{
	make_file("plain", "x");
	make_file("script", "x");
	make_file("nothing", "x");
	MUST(chmod("script", 0755));
	MUST(chmod("nothing", 0));
	MUST(mkdir("locked", 0700));
	make_file("locked/inside", "x");
	MUST(symlink("absent", "link"));
	look_around();
	SHOW(access("plain", 8));
	SHOW(faccessat(AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
	SHOW(faccessat(AT_FDCWD, "plain", R_OK, 0x8000));
	SHOW(faccessat(-1, "plain", R_OK, 0));
	section("user");
	in_child("user", as_user);
	section("effective user");
	in_child("effective user", as_half_user);
	return 0;
}
