/* System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
#include "guest.h"
#include <sys/mman.h>
#include <sys/shm.h>

#define PAGE 4096

static int key;

static void status(const char *when, int id)
{
	struct shmid_ds st;
	if (shmctl(id, IPC_STAT, &st)) {
		say("%s: %s\n", when, error_name(errno));
		return;
	}
	say("%s: %lu bytes, %lu attached, mode %o, maker %s, last %s, times %d%d\n", when, st.shm_segsz, st.shm_nattch,
	    st.shm_perm.mode, st.shm_cpid == getpid() ? "this" : "another",
	    st.shm_lpid == getpid() ? "this"
	    : st.shm_lpid           ? "another"
				    : "none",
	    st.shm_atime != 0, st.shm_ctime != 0);
}

static void sharing(int id)
{
	int *words = shmat(id, NULL, 0);
	CHECK(words != (void *)-1);
	words[0] = 1;
	pid_t pid = fork_child();
	if (!pid) {
		int *again = shmat(id, NULL, 0);
		again[1] = words[0] + 1;
		status("in the child", id);
		_exit(shmdt(again) || again == words);
	}
	reap("child", pid);
	say("the child wrote %d\n", words[1]);
	status("after the child", id);
	char *read_only = shmat(id, NULL, SHM_RDONLY);
	say("read by another mapping: %d\n", ((int *)read_only)[1]);
	SHOW(mprotect(read_only, PAGE, PROT_READ | PROT_WRITE));
	status("attached twice", id);
	SHOW(shmdt(read_only));
	SHOW(shmdt(read_only));
	SHOW(shmdt((char *)words + 1));
	MUST(munmap((char *)words + PAGE, PAGE)); /* a hole */
	status("in two pieces", id);
	SHOW(shmdt(words));
	status("detached", id);
	struct shmid_ds st;
	MUST(shmctl(id, IPC_STAT, &st));
	CHECK(st.shm_dtime >= st.shm_ctime);
}

static void places(int id)
{
	char *place = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SHOW(shmat(id, place, 0));
	CHECK(shmat(id, place + 8, SHM_RND | SHM_REMAP) == place);
	SHOW(shmat(id, place + 8, SHM_REMAP));
	SHOW(shmat(id, NULL, SHM_REMAP));
	CHECK(!memcmp(place, "\1\0\0\0\2", 5));
	MUST(munmap(place, 16 * PAGE));
	CHECK(shmat(id, place, 0) == place);
	SHOW(shmdt(place));
}

static void removal(int id)
{
	char *memory = shmat(id, NULL, 0);
	SHOW(shmctl(id, IPC_RMID, NULL));
	status("removed, attached", id);
	SHOW(shmget(key, 1, 0));
	char *again = shmat(id, NULL, 0);
	CHECK(again != (void *)-1 && again != memory && !memcmp(again, memory, 8));
	SHOW(shmdt(again));
	SHOW(shmdt(memory));
	status("and detached", id);
	SHOW(shmctl(id, IPC_RMID, NULL) == -1 && (errno == EINVAL || errno == EIDRM));
}

static void as_user(void)
{
	become_user(1000);
	int id = MUST(shmget(key, 1, 0));
	CHECK(shmat(id, NULL, 0) == (void *)-1 && errno == EACCES);
	CHECK(shmat(id, NULL, SHM_RDONLY) != (void *)-1);
	SHOW(shmget(key, 1, 0666));
	SHOW(shmctl(id, IPC_RMID, NULL));
}

int main(void)
{
	key = 0x5b000000 | getpid();
	SHOW(shmget(key, PAGE, 0));
	SHOW(shmget(key, 0, IPC_CREAT | 0600));
	int id = shmget(key, 3 * PAGE - 7, IPC_CREAT | IPC_EXCL | 0644);
	CHECK(id >= 0);
	status("made", id);
	CHECK(shmget(key, PAGE, 0) == id && shmget(key, 0, IPC_CREAT) == id);
	SHOW(shmget(key, 3 * PAGE, 0));
	SHOW(shmget(key, 1, IPC_CREAT | IPC_EXCL | 0644));
	SHOW(shmget(IPC_PRIVATE, 0, 0600));
	section("sharing");
	sharing(id);
	section("places");
	places(id);
	section("rights");
	in_child("user", as_user);
	struct shmid_ds st;
	MUST(shmctl(id, IPC_STAT, &st));
	st.shm_perm.mode = 0600;
	SHOW(shmctl(id, IPC_SET, &st));
	status("changed", id);
	SHOW(shmctl(id, SHM_LOCK, NULL));
	status("locked", id);
	SHOW(shmctl(id, SHM_UNLOCK, NULL));
	status("unlocked", id);
	section("removal");
	removal(id);
	section("at the end of the process");
	id = MUST(shmget(IPC_PRIVATE, PAGE, 0600));
	pid_t pid = fork_child();
	if (!pid) {
		MUST(shmat(id, NULL, 0));
		_exit(0);
	}
	reap("child", pid);
	status("after it", id);
	SHOW(shmctl(id, IPC_RMID, NULL));
	SHOW(shmctl(id, 99, NULL));
	SHOW(shmat(-1, NULL, 0));
	return 0;
}
