/* /proc/self/io counts what read(2) and write(2) moved; schedstat and syscall parse. */
#include "guest.h"

struct counts {
	long long rchar, wchar, syscr, syscw;
};

static struct counts counts(void)
{
	char text[1000];
	struct counts now = {0};
	int fd = MUST(open("/proc/self/io", O_RDONLY));
	ssize_t n = MUST(read(fd, text, sizeof text - 1));
	close(fd);
	text[n] = 0;
	if (sscanf(text, "rchar: %lld wchar: %lld syscr: %lld syscw: %lld", &now.rchar, &now.wchar, &now.syscr,
		   &now.syscw) != 4)
		say("NO: does not parse\n");
	if (!strstr(text, "read_bytes: ") || !strstr(text, "cancelled_write_bytes: "))
		say("NO: lines lack\n");
	return now;
}

int main(void)
{
	char buffer[5000] = {0}, text[200];
	int fd = MUST(open("data", O_RDWR | O_CREAT, 0644));
	struct counts before = counts(), after;
	MUST(write(fd, buffer, 5000));
	MUST(pwrite(fd, buffer, 100, 10));
	after = counts();
	say("written %lld in %lld calls\n", after.wchar - before.wchar, after.syscw - before.syscw);
	before = counts();
	MUST(pread(fd, buffer, 4000, 0));
	MUST(lseek(fd, 4000, SEEK_SET));
	MUST(read(fd, buffer, 4000));
	after = counts();
	/* The reading of the counts is counted too: twice the same size, as the numbers have the same lengths. */
	say("read %s in %lld calls\n", after.rchar - before.rchar > 5000 ? "5000 and some" : "less",
	    after.syscr - before.syscr);
	long long run, waited, turns;
	nap_ms(1); /* the account is made when a thread leaves its CPU */
	fd = MUST(open("/proc/self/schedstat", O_RDONLY));
	ssize_t n = MUST(read(fd, text, sizeof text - 1));
	text[n] = 0;
	SHOW(sscanf(text, "%lld %lld %lld", &run, &waited, &turns));
	CHECK(run > 0 && turns > 0);
	return 0;
}
