/* proc_files.c - /proc, /sys and /dev without a guest: what is in them, snapshots, positions, numbers, the first
 * process before it runs. */
#include "fs/dentry.h"
#include "fs/facts.h"
#include "fs/pipe.h"
#include "fs/proc.h"
#include "fs/sys.h"
#include "sentry/procfs.h"
#include "sentry/task.h"
#include "tests/unit/ipc.h"
#include <stdio.h>
#include <sys/stat.h>

static struct path root;
static struct fs_context *context;
static char text[65536];

static void init(void)
{
	static const struct mount_spec specs[] = {
		{.type = MOUNT_PROC, .target = "/proc", .host_dir = UINT32_MAX},
		{.type = MOUNT_SYS, .target = "/sys", .host_dir = UINT32_MAX},
		{.type = MOUNT_DEV, .target = "/dev", .host_dir = UINT32_MAX},
	};
	unsigned failed;

	world_init();
	cr_assert_eq(task_system_init(), 0);
	procfs_init();
	facts_init("box", 3, 256 << 20, 1 << 30);
	cr_assert_eq(mounts_build(specs, COUNT(specs), &root, &failed), 0, "%s", specs[failed].target);
	context = fs_context_new(&root, &root);
}

TestSuite(proc, .init = init, .timeout = 20);

static int open_file(const char *path, uint32_t flags, struct file **out)
{
	struct walker walker = {.context = context, .cred = cred, .start = root};

	return walk_open(&walker, path, flags, 0, 0, out);
}

static ssize_t read_all(const char *path)
{
	struct file *file;
	int error = open_file(path, O_RDONLY, &file);

	if (error)
		return error;
	ssize_t n = file_read_kernel(file, text, sizeof text - 1, 0);
	file_put(file);
	if (n >= 0)
		text[n] = 0;
	return n;
}

static void assert_text(const char *path, const char *wanted)
{
	ssize_t n = read_all(path);

	cr_assert(n >= 0, "%s: %zd", path, n);
	cr_assert_str_eq(text, wanted, "%s", path);
}

static void assert_link(const char *path, const char *wanted)
{
	struct walker walker = {.context = context, .cred = cred, .start = root};
	struct path place;
	int error = walk(&walker, path, 0, &place);

	cr_assert_eq(error, 0, "%s: %d", path, error);
	struct inode *inode = place.dentry->inode;
	ssize_t n = inode_ops(inode)->readlink(inode, text, sizeof text - 1);
	cr_assert(n > 0, "%s: %zd", path, n);
	text[n] = 0;
	cr_assert_str_eq(text, wanted);
	path_put(&place);
}

Test(proc, facts_are_told_the_same_everywhere)
{
	assert_text("/proc/sys/kernel/hostname", "box\n");
	assert_text("/proc/sys/kernel/osrelease", FACTS_RELEASE "\n");
	assert_text("/sys/devices/system/cpu/online", "0-2\n");
	assert_text("/sys/fs/cgroup/memory.max", "268435456\n");
	assert_text("/sys/devices/system/cpu/cpu2/topology/thread_siblings", "4\n");
	cr_assert_eq(read_all("/sys/devices/system/cpu/cpu3/topology/core_id"), -ENOENT);
	cr_assert_eq(read_all("/sys/devices/system/cpu/cpu02/topology/core_id"), -ENOENT);
	cr_assert_gt(read_all("/proc/cpuinfo"), 0);
	cr_assert(strstr(text, "processor\t: 2\n") && !strstr(text, "processor\t: 3\n"));
	cr_assert_gt(read_all("/proc/meminfo"), 0);
	cr_assert(strstr(text, "MemTotal:         262144 kB\n"));
}

static void read_each(struct file *file);

static bool try_entry(void *context_of, const char *name, size_t length, uint64_t ino, uint8_t type, int64_t next)
{
	(void)context_of, (void)ino, (void)next, (void)length;
	cr_assert_eq(strlen(name), length);
	cr_assert(type == 2 || type == 4 || type == 8 || type == 10, "%s has type %u", name, type);
	return true;
}

static void read_each(struct file *file)
{
	cr_assert_eq(file_ops(file)->readdir(file, try_entry, NULL), 0);
}

Test(proc, directories_list_what_can_be_opened)
{
	static const char *const dirs[] = {
		"/proc", "/proc/sys", "/proc/sys/kernel", "/sys", "/sys/fs/cgroup", "/sys/devices/system/cpu", "/dev"};
	for (unsigned i = 0; i < COUNT(dirs); i++) {
		struct file *dir;
		cr_assert_eq(open_file(dirs[i], O_RDONLY | O_DIRECTORY, &dir), 0, "%s", dirs[i]);
		read_each(dir);
		cr_assert_gt(dir->pos, 2, "%s is empty", dirs[i]);
		file_put(dir);
	}
}

Test(proc, a_snapshot_lasts_until_the_reader_rewinds)
{
	struct file *file;
	char first[8], rest[8];
	int64_t pos = 0;
	struct uio uio;

	cr_assert_eq(open_file("/proc/sys/kernel/hostname", O_RDONLY, &file), 0);
	uio_init_kernel(&uio, first, 2);
	cr_assert_eq(file_read(file, &uio, &pos), 2);
	strcpy(facts.hostname, "another");
	uio_init_kernel(&uio, rest, sizeof rest);
	cr_assert_eq(file_read(file, &uio, &pos), 2);
	cr_assert(!memcmp(first, "bo", 2) && !memcmp(rest, "x\n", 2));
	pos = 0;
	uio_init_kernel(&uio, rest, sizeof rest);
	cr_assert_eq(file_read(file, &uio, &pos), 8);
	cr_assert(!memcmp(rest, "another\n", 8));
	file_put(file);
}

Test(proc, nothing_is_left_behind)
{
	read_all("/proc/cpuinfo");
	read_all("/proc/sys/kernel/random/uuid");
	size_t before = arena_used_bytes();

	for (int i = 0; i < 50; i++) {
		struct file *file;
		char byte;
		struct uio uio;
		cr_assert_eq(open_file("/proc/cpuinfo", O_RDONLY, &file), 0);
		uio_init_kernel(&uio, &byte, 1);
		cr_assert_eq(file_read(file, &uio, &file->pos), 1);
		file_put(file);
	}
	cr_assert_eq(arena_used_bytes(), before);
}

Test(proc, what_cannot_be_written_says_so)
{
	struct file *file;
	struct cred *user = cred_new(1000, 1000);

	cr_assert_eq(open_file("/proc/version", O_WRONLY, &file), -EACCES);
	cr_assert_eq(open_file("/proc/version2", O_WRONLY | O_CREAT, &file), -EACCES);
	cr_assert_eq(read_all("/proc/self/stat"), -ENOENT); /* nobody asks */
	cr_assert_eq(read_all("/proc/1/stat"), -ENOENT);
	cr_assert_eq(read_all("/proc/01/stat"), -ENOENT);
	cr_assert_eq(read_all("/proc/99999999999/stat"), -ENOENT);
	cred_put(user);
}

Test(proc, devices_do_what_they_are_for)
{
	static const char zeros[1000];
	struct file *file;
	struct uio uio;

	cr_assert_eq(open_file("/dev/null", O_RDWR, &file), 0);
	uio_init_kernel(&uio, text, 100);
	cr_assert_eq(file_read(file, &uio, &file->pos), 0);
	uio_init_kernel(&uio, text, 100);
	cr_assert_eq(file_write(file, &uio, &file->pos), 100);
	file_put(file);
	memset(text, 1, sizeof text);
	cr_assert_eq(open_file("/dev/zero", O_RDWR, &file), 0);
	uio_init_kernel(&uio, text, sizeof zeros);
	cr_assert_eq(file_read(file, &uio, &file->pos), (ssize_t)sizeof zeros);
	cr_assert(!memcmp(text, zeros, sizeof zeros) && text[sizeof zeros] == 1);
	file_put(file);
	cr_assert_eq(open_file("/dev/full", O_RDWR, &file), 0);
	uio_init_kernel(&uio, text, 1);
	cr_assert_eq(file_write(file, &uio, &file->pos), -ENOSPC);
	file_put(file);
	cr_assert_eq(open_file("/dev/urandom", O_RDONLY, &file), 0);
	memset(text, 0, 600);
	uio_init_kernel(&uio, text, 600);
	cr_assert_eq(file_read(file, &uio, &file->pos), 600);
	cr_assert(memcmp(text + 300, zeros, 300));
	file_put(file);
	assert_link("/dev/fd", "/proc/self/fd");
}

/* The first process, made but not started: it has no memory and no registers yet. */
static struct task *make_process(void)
{
	struct fdtable *files = fdtable_new();
	struct task *task;

	cr_assert_eq(task_new_main(&(struct task_main_config){.fs = context, .cred = cred, .files = files}, &task), 0);
	return task;
}

Test(proc, a_process_is_shown)
{
	struct task *task = make_process();
	struct file *null;
	int a, b;
	char state;

	strcpy(task->comm, "in it\n");
	cr_assert_gt(read_all("/proc/2/stat"), 0);
	cr_assert_eq(sscanf(text, "%d (in it\n) %c %d", &a, &state, &b), 3);
	cr_assert_eq(a, 2);
	unsigned fields = 0;
	for (char *field = strrchr(text, ')'); (field = strchr(field + 1, ' '));)
		fields++;
	cr_assert_eq(fields, 50, "52 fields, of which %u follow the name", fields);
	cr_assert_gt(read_all("/proc/2/status"), 0);
	cr_assert(strstr(text, "Name:\tin it\\n\n") && strstr(text, "\nThreads:\t1\n") &&
		  strstr(text, "\nCapEff:\t000001ff"));
	cr_assert_gt(read_all("/proc/2/limits"), 0);
	cr_assert(strstr(text, "Max open files            1024                 1048576              files"));
	assert_text("/proc/2/maps", "");
	assert_text("/proc/2/cmdline", "");
	assert_text("/proc/2/task/2/comm", "in it\n\n");
	assert_link("/proc/2/cwd", "/");
	cr_assert_eq(open_file("/dev/null", O_RDONLY, &null), 0);
	cr_assert_eq(fd_install(task->files, null, true, 5, 100), 5);
	assert_link("/proc/2/fd/5", "/dev/null");
	cr_assert_gt(read_all("/proc/2/fdinfo/5"), 0);
	cr_assert(strstr(text, "pos:\t0\nflags:\t02000000\n"));
	cr_assert_eq(read_all("/proc/2/fd/5"), 0);
	cr_assert_eq(fd_close(task->files, 5), 0);
	cr_assert_eq(read_all("/proc/2/fd/5"), -ENOENT);
	cr_assert_gt(read_all("/proc/2/mountinfo"), 0);
	cr_assert(strstr(text, " /proc rw,relatime - proc proc rw\n"));
}

Test(proc, a_pipe_can_be_opened_by_its_descriptor)
{
	struct task *task = make_process();
	struct file *ends[2], *again;
	struct uio uio;

	cr_assert_eq(pipe_new(O_NONBLOCK, cred, &ends[0], &ends[1]), 0);
	cr_assert_eq(fd_install(task->files, ends[0], false, 0, 100), 0);
	cr_assert_eq(open_file("/proc/2/fd/0", O_WRONLY | O_NONBLOCK, &again), 0);
	uio_init_kernel(&uio, (void *)"x", 1);
	cr_assert_eq(file_write(again, &uio, &again->pos), 1);
	uio_init_kernel(&uio, text, 10);
	cr_assert_eq(file_read(ends[0], &uio, &ends[0]->pos), 1);
	file_put(again);
	file_put(ends[1]);
}
