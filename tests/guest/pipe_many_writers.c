/* Many writers of one pipe: writes of at most PIPE_BUF never mix, each writer's own order is kept, nothing is lost. */
#include "guest.h"
#include <limits.h>

#define WRITERS 16
#define RECORDS 200

struct record {
	int writer, number, size;
	unsigned char bytes[500];
};

/* The bytes of a record follow from who wrote it and when. */
static void fill(struct record *record, int writer, int number)
{
	record->writer = writer;
	record->number = number;
	record->size = sizeof *record;
	for (unsigned i = 0; i < sizeof record->bytes; i++)
		record->bytes[i] = writer * 31 + number * 7 + i;
}

static void writes(int writer, int fd)
{
	struct record record;
	for (int i = 0; i < RECORDS; i++) {
		fill(&record, writer, i);
		if (write(fd, &record, sizeof record) != sizeof record)
			_exit(2);
	}
	_exit(0);
}

static void read_whole(int fd, struct record *record, int *end)
{
	size_t have = 0;
	ssize_t n = 1;
	while (have < sizeof *record && (n = read(fd, (char *)record + have, sizeof *record - have)) > 0)
		have += n;
	*end = have != sizeof *record;
	if (*end && have)
		say("NO: a piece of %zu bytes\n", have);
}

int main(void)
{
	int ends[2], next[WRITERS] = {0}, wrong = 0, total = 0, end;
	pid_t pids[WRITERS];
	MUST(pipe(ends));
	SHOW(sizeof(struct record) <= PIPE_BUF);
	for (int i = 0; i < WRITERS; i++)
		if (!(pids[i] = fork_child()))
			writes(i, ends[1]);
	close(ends[1]);
	struct record got, wanted;
	for (read_whole(ends[0], &got, &end); !end; read_whole(ends[0], &got, &end)) {
		if (got.writer < 0 || got.writer >= WRITERS || got.number != next[got.writer]++)
			wrong++;
		fill(&wanted, got.writer, got.number);
		wrong += memcmp(&got, &wanted, sizeof got) != 0;
		total++;
	}
	SHOW(total);
	SHOW(wrong);
	for (int i = 0; i < WRITERS; i++) {
		int status;
		MUST(waitpid(pids[i], &status, 0));
		if (status || next[i] != RECORDS)
			say("NO: writer %d ended with %x after %d\n", i, status, next[i]);
	}
	SHOW(read(ends[0], &got, 1));
	return 0;
}
