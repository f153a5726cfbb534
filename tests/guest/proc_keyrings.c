/* Keyrings: whose they are, what fork, exec and threads make of them, nesting, moving, quotas, /proc. */
#include "keys.h"
#include <pthread.h>

static long id_of(long special)
{
	return KEYCTL(KEYCTL_GET_KEYRING_ID, special, 0);
}

static void kinds(void)
{
	section("kinds");
	SHOW(id_of(KEY_SPEC_THREAD_KEYRING));
	SHOW(id_of(KEY_SPEC_PROCESS_KEYRING));
	SHOW_KEY(KEYCTL(KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 1));
	SHOW_KEY(KEYCTL(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
	SHOW_KEY(id_of(KEY_SPEC_THREAD_KEYRING));
	describe(KEY_SPEC_THREAD_KEYRING);
	describe(KEY_SPEC_PROCESS_KEYRING);
	describe(KEY_SPEC_SESSION_KEYRING);
	SHOW_KEY(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, "a name"));
	describe(KEY_SPEC_SESSION_KEYRING);
	SHOW(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, ".a name"));
	SHOW(KEYCTL(KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, 0x3f3f0000));
	SHOW(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, "a name"));
	MUST(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, NULL));
}

static void *thread(void *data)
{
	long *rings = data;

	CHECK(id_of(KEY_SPEC_THREAD_KEYRING) != rings[0]);
	CHECK(id_of(KEY_SPEC_PROCESS_KEYRING) == rings[1]);
	CHECK(id_of(KEY_SPEC_SESSION_KEYRING) == rings[2]);
	MUST(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, NULL));
	return NULL;
}

static void families(void)
{
	long rings[3] = {id_of(KEY_SPEC_THREAD_KEYRING), id_of(KEY_SPEC_PROCESS_KEYRING),
			 id_of(KEY_SPEC_SESSION_KEYRING)};
	pthread_t other;

	section("threads");
	MUST(-pthread_create(&other, NULL, thread, rings));
	MUST(-pthread_join(other, NULL));
	CHECK(id_of(KEY_SPEC_SESSION_KEYRING) == rings[2]);
	section("fork");
	if (!fork()) {
		SHOW(id_of(KEY_SPEC_THREAD_KEYRING));
		SHOW(id_of(KEY_SPEC_PROCESS_KEYRING));
		CHECK(id_of(KEY_SPEC_SESSION_KEYRING) == rings[2]);
		MUST(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, NULL));
		MUST(add("user", "of the child", "p", KEY_SPEC_SESSION_KEYRING));
		SHOW(KEYCTL(KEYCTL_SESSION_TO_PARENT));
		_exit(0);
	}
	wait(NULL);
	CHECK(id_of(KEY_SPEC_SESSION_KEYRING) != rings[2]);
	SHOW_KEY(request("user", "of the child", NULL, 0));
}

static void linking(void)
{
	int ids[8];
	long a = MUST(add("keyring", "a", NULL, KEY_SPEC_PROCESS_KEYRING)), b = MUST(add("keyring", "b", NULL, a));
	long key = MUST(add("user", "key", "p", a));

	section("linking");
	SHOW(KEYCTL(KEYCTL_LINK, a, a));
	SHOW(KEYCTL(KEYCTL_LINK, a, b));
	SHOW(KEYCTL(KEYCTL_LINK, key, b));
	SHOW(KEYCTL(KEYCTL_LINK, key, b));
	SHOW(KEYCTL(KEYCTL_LINK, key, key));
	SHOW(KEYCTL(KEYCTL_READ, a, ids, sizeof ids));
	SHOW(KEYCTL(KEYCTL_READ, b, ids, sizeof ids));
	CHECK(ids[0] == key);
	ids[0] = ids[1] = 0;
	SHOW(KEYCTL(KEYCTL_READ, a, ids, sizeof ids[0]));
	CHECK(!ids[0] && !ids[1]);
	SHOW(KEYCTL(KEYCTL_READ, a, ids, 7));
	SHOW(KEYCTL(KEYCTL_MOVE, key, a, b, 2));
	SHOW(KEYCTL(KEYCTL_MOVE, key, a, b, KEYCTL_MOVE_EXCL));
	SHOW(KEYCTL(KEYCTL_MOVE, key, a, b, 0));
	SHOW(KEYCTL(KEYCTL_MOVE, key, a, b, 0));
	SHOW(KEYCTL(KEYCTL_UNLINK, key, a));
	SHOW_KEY(KEYCTL(KEYCTL_SEARCH, a, "user", "key", 0));
	SHOW(KEYCTL(KEYCTL_SEARCH, a, "user", "none", 0));
	SHOW(KEYCTL(KEYCTL_SEARCH, key, "user", "key", 0));
	SHOW_KEY(KEYCTL(KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, "keyring", "b", KEY_SPEC_SESSION_KEYRING));
	SHOW(KEYCTL(KEYCTL_UNLINK, 0x7ffffff0, a));
	SHOW(KEYCTL(KEYCTL_CLEAR, key));
	SHOW(KEYCTL(KEYCTL_CLEAR, b));
	SHOW(KEYCTL(KEYCTL_READ, b, ids, sizeof ids));
	section("restrictions");
	SHOW(KEYCTL(KEYCTL_RESTRICT_KEYRING, b, "user", NULL));
	SHOW(KEYCTL(KEYCTL_RESTRICT_KEYRING, b, NULL, "rule"));
	SHOW(KEYCTL(KEYCTL_RESTRICT_KEYRING, b, "user", "rule"));
	SHOW(KEYCTL(KEYCTL_RESTRICT_KEYRING, b, NULL, NULL));
	SHOW(KEYCTL(KEYCTL_RESTRICT_KEYRING, b, NULL, NULL));
	SHOW(add("user", "key", "p", b));
	SHOW(KEYCTL(KEYCTL_LINK, a, b));
	SHOW(KEYCTL(KEYCTL_REVOKE, a));
	SHOW(add("user", "key", "p", a));
}

static void nesting(void)
{
	long rings[12], ring = KEY_SPEC_PROCESS_KEYRING;
	char name[16];

	section("nesting");
	for (int i = 0; i < 12 && ring != -1; i++) {
		snprintf(name, sizeof name, "ring %d", i);
		rings[i] = ring = add("keyring", name, NULL, ring);
		say("%d: %s\n", i, ring > 0 ? "made" : strerror(errno));
	}
	for (int i = 0; i < 3; i++)
		SHOW(KEYCTL(KEYCTL_LINK, rings[i], KEY_SPEC_THREAD_KEYRING));
	SHOW(KEYCTL(KEYCTL_LINK, KEY_SPEC_PROCESS_KEYRING, rings[5]));
	/* Two links from each ring of a level to each of the next: many ways, few rings. */
	long above[2] = {MUST(add("keyring", "top 0", NULL, KEY_SPEC_SESSION_KEYRING)),
			 MUST(add("keyring", "top 1", NULL, KEY_SPEC_SESSION_KEYRING))};
	for (int i = 0; i < 5; i++) {
		long below[2];
		for (int j = 0; j < 2; j++) {
			snprintf(name, sizeof name, "level %d.%d", i, j);
			below[j] = MUST(add("keyring", name, NULL, above[0]));
			MUST(KEYCTL(KEYCTL_LINK, below[j], above[1]));
		}
		memcpy(above, below, sizeof above);
	}
	MUST(add("user", "deep", "p", above[1]));
	SHOW_KEY(request("user", "deep", NULL, 0));
	SHOW(request("user", "deeper", NULL, 0));
	SHOW(KEYCTL(KEYCTL_LINK, KEY_SPEC_SESSION_KEYRING, above[0]));
}

static void show_users_line(unsigned uid)
{
	FILE *users = fopen("/proc/key-users", "r");
	char line[200];
	unsigned who;
	int at;

	while (users && fgets(line, sizeof line, users))
		if (sscanf(line, "%u: %n", &who, &at) == 1 && who == uid)
			say("key-users: %s", line + at);
	if (users)
		fclose(users);
}

static void show_key_line(long key)
{
	FILE *keys = fopen("/proc/keys", "r");
	char line[300], flags[16], expiry[16], rest[200] = "";
	unsigned serial, usage, perm, uid, gid;

	while (keys && fgets(line, sizeof line, keys))
		if (sscanf(line, "%x %15s %u %15s %x %u %u %199[^\n]", &serial, flags, &usage, expiry, &perm, &uid,
			   &gid, rest) == 8 &&
		    serial == key)
			say("keys: %s %s %08x %s\n", flags, expiry, perm, rest);
	if (keys)
		fclose(keys);
}

static char large[20000];

static void quota_of_bytes(void)
{
	long key = SHOW_KEY(add("user", "name", "payload", KEY_SPEC_THREAD_KEYRING));
	show_users_line(getuid()); /* descriptions, payload, a link: 21 */
	SHOW_KEY(syscall(SYS_add_key, "user", "large", large, 20000 - 21 - 6 - 4, KEY_SPEC_THREAD_KEYRING));
	show_users_line(getuid());
	SHOW(KEYCTL(KEYCTL_UPDATE, key, "payload+", 8));
	SHOW(KEYCTL(KEYCTL_UPDATE, key, "payl", 4));
	show_users_line(getuid());
}

static void quota_exceeded(void)
{
	MUST(add("user", "name", "payload", KEY_SPEC_THREAD_KEYRING));
	SHOW(syscall(SYS_add_key, "user", "large", large, 20000 - 21 - 6 - 4 + 1, KEY_SPEC_THREAD_KEYRING));
}

static void quota_of_keys(void)
{
	char name[16];
	int made = 0;

	do {
		snprintf(name, sizeof name, "%d", made++);
	} while (add("user", name, "p", KEY_SPEC_THREAD_KEYRING) > 0);
	say("%d: %s\n", made, strerror(errno));
	show_users_line(getuid());
	SHOW(KEYCTL(KEYCTL_CHOWN, KEY_SPEC_THREAD_KEYRING, 0, -1));
	SHOW(KEYCTL(KEYCTL_GET_PERSISTENT, 0, KEY_SPEC_THREAD_KEYRING));
}

/* In children, as users whom nobody else is: what is freed counts for a while longer in Linux. */
static void quotas(void)
{
	static void (*const parts[])(void) = {quota_of_bytes, quota_exceeded, quota_of_keys};

	section("quotas");
	for (unsigned i = 0; i < COUNT(parts); i++) {
		pid_t child = fork();
		if (!child) {
			unsigned uid = 1000000 + getpid();
			MUST(setgid(uid));
			MUST(setuid(uid));
			parts[i]();
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

static void files(void)
{
	section("files");
	long key = MUST(add("user", "a key", "12345", KEY_SPEC_SESSION_KEYRING));
	long ring = MUST(add("keyring", "a ring", NULL, KEY_SPEC_SESSION_KEYRING));
	show_key_line(key);
	show_key_line(ring);
	MUST(KEYCTL(KEYCTL_LINK, key, ring));
	show_key_line(ring);
	MUST(KEYCTL(KEYCTL_SET_TIMEOUT, ring, 86400 * 3 + 100));
	show_key_line(ring);
	MUST(KEYCTL(KEYCTL_REVOKE, key));
	show_key_line(key);
	(void)!system(
		"cat /proc/sys/kernel/keys/maxkeys /proc/sys/kernel/keys/maxbytes /proc/sys/kernel/keys/gc_delay");
}

int main(void)
{
	if (KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		skip("no key rings here");
	kinds();
	families();
	linking();
	nesting();
	quotas();
	files();
	return 0;
}
