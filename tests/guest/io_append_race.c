/* Appending from many processes and descriptors at once: nothing is lost or torn, whatever way of writing is used. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/uio.h>

#define WRITERS 8
#define LINES   150
#define SIZE    64

static void line_of(char *line, int writer, int number)
{
	memset(line, 'a' + writer, SIZE);
	int n = snprintf(line, SIZE, "%d %d", writer, number);
	line[n] = ' ';
	line[SIZE - 1] = '\n';
}

static void appends(int writer)
{
	char line[SIZE];
	int fd = MUST(open("log", O_WRONLY | O_APPEND)), plain = MUST(open("log", O_WRONLY));
	for (int i = 0; i < LINES; i++) {
		line_of(line, writer, i);
		struct iovec halves[2] = {{line, 20}, {line + 20, SIZE - 20}};
		ssize_t n;
		if (i % 4 == 0)
			n = write(fd, line, SIZE);
		else if (i % 4 == 1)
			n = writev(fd, halves, 2);
		else if (i % 4 == 2)
			n = pwrite(fd, line, SIZE, 0); /* O_APPEND wins over the offset: pwrite(2), BUGS */
		else
			n = pwritev2(plain, halves, 2, -1, RWF_APPEND);
		if (n != SIZE)
			_exit(1);
	}
	_exit(0);
}

int main(void)
{
	pid_t pids[WRITERS];
	struct stat st;
	int next[WRITERS] = {0}, wrong = 0;
	make_file("log", "");
	for (int i = 0; i < WRITERS; i++)
		if (!(pids[i] = fork_child()))
			appends(i);
	for (int i = 0; i < WRITERS; i++) {
		int status;
		MUST(waitpid(pids[i], &status, 0));
		if (status)
			show_status("writer", status);
	}
	MUST(stat("log", &st));
	SHOW(st.st_size == WRITERS * LINES * SIZE);
	int fd = MUST(open("log", O_RDONLY));
	const char *log = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	for (int i = 0; i < st.st_size / SIZE; i++) {
		char wanted[SIZE];
		int writer = -1, number = -1;
		sscanf(log + i * SIZE, "%d %d", &writer, &number);
		if (writer < 0 || writer >= WRITERS || number != next[writer]++) {
			wrong++;
			continue;
		}
		line_of(wanted, writer, number);
		wrong += memcmp(wanted, log + i * SIZE, SIZE) != 0;
	}
	SHOW(wrong);
	for (int i = 0; i < WRITERS; i++)
		if (next[i] != LINES)
			say("NO: %d lines of %d\n", next[i], i);

	section("one open file shared: its position is shared too, writes do not overlap");
	fd = MUST(open("shared", O_WRONLY | O_CREAT, 0600));
	for (int i = 0; i < WRITERS; i++)
		if (!(pids[i] = fork_child())) {
			char line[SIZE];
			memset(line, 'a' + i, SIZE);
			for (int k = 0; k < LINES; k++)
				MUST(write(fd, line, SIZE));
			_exit(0);
		}
	for (int i = 0; i < WRITERS; i++)
		MUST(waitpid(pids[i], NULL, 0));
	SHOW(lseek(fd, 0, SEEK_CUR) == WRITERS * LINES * SIZE);
	int bytes[WRITERS] = {0}, in = MUST(open("shared", O_RDONLY));
	char block[SIZE];
	while (read(in, block, SIZE) == SIZE)
		for (int i = 0; i < SIZE; i++)
			bytes[block[i] >= 'a' && block[i] < 'a' + WRITERS ? block[i] - 'a' : 0]++;
	for (int i = 0; i < WRITERS; i++)
		SHOW(bytes[i]);
	return 0;
}
