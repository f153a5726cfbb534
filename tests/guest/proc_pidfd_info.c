/* PIDFD_GET_INFO: who a process is, and how it ended once it has been waited for. */
#include "guest.h"
#include <sys/ioctl.h>

struct info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};

struct small {
	uint64_t mask;
};

#define GET_INFO       _IOWR(0xff, 11, struct info)
#define GET_INFO_SMALL _IOWR(0xff, 11, struct small)
#define CGROUP         4u /* told where there are control groups */
#define EXIT           8u

static struct info info;

static void show(int fd, uint64_t mask)
{
	memset(&info, 0, sizeof info);
	info.mask = mask;
	SHOW(ioctl(fd, GET_INFO, &info));
	say("mask %llx, users %u %u %u %u, groups %u %u %u %u, exit code %x\n", (unsigned long long)info.mask & ~CGROUP,
	    info.ruid, info.euid, info.suid, info.fsuid, info.rgid, info.egid, info.sgid, info.fsgid, info.exit_code);
}

static void end(const char *how, int sig)
{
	int ends[2];
	MUST(pipe(ends));
	section(how);
	pid_t pid = fork_child();
	if (!pid) {
		await(ends[0]);
		_exit(7);
	}
	int fd = MUST(syscall(SYS_pidfd_open, pid, 0));
	show(fd, EXIT);
	CHECK(info.pid == (uint32_t)pid && info.tgid == (uint32_t)pid && info.ppid == (uint32_t)getpid());
	if (sig)
		MUST(kill(pid, sig));
	else
		tell(ends[1]);
	siginfo_t child;
	MUST(waitid(P_PID, pid, &child, WEXITED | WNOWAIT));
	show(fd, EXIT);
	reap("child", pid);
	show(fd, EXIT);
	show(fd, 0);
}

int main(void)
{
	int fd = MUST(syscall(SYS_pidfd_open, getpid(), 0));
	if (ioctl(fd, GET_INFO, &info) && errno == ENOTTY)
		skip("no PIDFD_GET_INFO");
	show(fd, 0);
	end("exited", 0);
	end("killed", SIGKILL);
	section("errors");
	SHOW(ioctl(fd, GET_INFO, NULL));
	SHOW(ioctl(fd, GET_INFO, -4096l));
	SHOW(ioctl(fd, GET_INFO_SMALL, &info));
	SHOW(ioctl(fd, _IOW(0xff, 11, struct info), &info));
	SHOW(ioctl(MUST(open("/dev/null", O_RDONLY)), GET_INFO, &info));
	return 0;
}
