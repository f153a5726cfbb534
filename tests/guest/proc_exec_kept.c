/* What exec keeps and what it changes: the alarm goes on, a set-user-id program changes the effective user. */
#include "guest.h"

static char program[256];

static void timed(void)
{
	alarm(50);
	execl(program, program, "timed", NULL);
}

static void set_id(void)
{
	become_user(1000);
	execl("./setuid", "setuid", "ids", NULL);
}

static void no_new_privileges(void)
{
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	set_id();
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "timed")) {
		CHECK(alarm(0) > 40);
		return 0;
	}
	if (argc > 1) {
		uid_t real, effective, saved;
		MUST(getresuid(&real, &effective, &saved));
		say("user %d, effective %d, saved %d\n", real, effective, saved);
		return 0;
	}
	snprintf(program, sizeof program, "%s", argv[0]);
	in_child("timed", timed);
	MUST(link(argv[0], "setuid"));
	MUST(chown("setuid", 1234, 0));
	MUST(chmod("setuid", 04755));
	in_child("set-user-id", set_id);
	in_child("set-user-id without new privileges", no_new_privileges);
	return 0;
}
