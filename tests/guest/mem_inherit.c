/* Memory over fork: private copies, shared pages, files, what the child may do without the parent's noticing. */
#include "fault.h"

static char *private, *shared, *file, *locked;

static void child(void)
{
	SHOW_TEXT(private);
	strcpy(private, "child's");
	strcpy(shared, "by the child");
	strcpy(file, "by the child");
	MUST(munmap(private + PAGE, PAGE));
	MUST(mprotect(shared + PAGE, PAGE, PROT_NONE));
	pid_t grandchild = fork_child();
	if (!grandchild) {
		strcat(shared, "'s child");
		strcpy(private, "third");
		_exit(0);
	}
	reap("grandchild", grandchild);
	SHOW_TEXT(private);
	SHOW_TEXT(shared);
}

int main(void)
{
	private = map_anonymous(2 * PAGE);
	shared = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0644));
	MUST(ftruncate(fd, PAGE));
	file = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	locked = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	strcpy(private, "parent's");
	strcpy(locked, "own copy");
	in_child("child", child);
	SHOW_TEXT(private);
	SHOW_TEXT(shared);
	SHOW_TEXT(file);
	SHOW_TEXT(locked);
	fault_catch();
	READ(private + PAGE);
	WRITE(shared + PAGE);
	section("many generations");
	strcpy(private, "0");
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		if (pid) {
			int status;
			waitpid(pid, &status, 0);
			if (i)
				_exit(WEXITSTATUS(status));
			SHOW(WEXITSTATUS(status));
			break;
		}
		sprintf(private, "%d", atoi(private) + 1);
		if (i == 19)
			_exit(atoi(private));
	}
	return 0;
}
