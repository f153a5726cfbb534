/* O_APPEND from several processes at once: no record is lost or mixed. */
#include "guest.h"

#define WRITERS 4
#define RECORDS 400

int main(void)
{
	char line[64];
	int seen[WRITERS][RECORDS] = {{0}};
	pid_t pids[WRITERS];
	close(MUST(open("log", O_CREAT | O_WRONLY, 0644)));
	int shared = MUST(open("log", O_WRONLY | O_APPEND));
	for (int i = 0; i < WRITERS; i++) {
		if ((pids[i] = fork_child()))
			continue;
		int fd = i % 2 ? shared : (int)MUST(open("log", O_WRONLY | O_APPEND));
		for (int j = 0; j < RECORDS; j++) {
			int size = snprintf(line, sizeof line, "%d %d %.*s\n", i, j, j % 20, "aaaaaaaaaaaaaaaaaaaa");
			if (write(fd, line, size) != size)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++)
		reap("writer", pids[i]);
	FILE *log = fopen("log", "r");
	int lines = 0, wrong = 0, order[WRITERS] = {0}, who, number;
	while (fgets(line, sizeof line, log)) {
		lines++;
		if (sscanf(line, "%d %d", &who, &number) != 2 || who >= WRITERS || number >= RECORDS ||
		    number < order[who])
			wrong++;
		else
			seen[who][number]++, order[who] = number;
	}
	SHOW(lines);
	SHOW(wrong);
	for (int i = 0; i < WRITERS; i++)
		for (int j = 0; j < RECORDS; j++)
			wrong += seen[i][j] != 1;
	SHOW(wrong);
	section("pwrite appends too");
	make_file("small", "0123");
	int fd = MUST(open("small", O_RDWR | O_APPEND));
	SHOW(pwrite(fd, "X", 1, 0));
	show_file("small");
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(write(fd, "Y", 1));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(fcntl(fd, F_SETFL, 0));
	SHOW(pwrite(fd, "Z", 1, 0));
	show_file("small");
	return 0;
}
