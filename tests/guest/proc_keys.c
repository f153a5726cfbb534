/* Keys: making, finding, reading, rights, states, and what add_key(2), request_key(2) and keyctl(2) refuse. */
#include "keys.h"

static void making(void)
{
	static char large[32768];
	char text[64];

	section("making");
	long user = SHOW_KEY(add("user", "one", "first", KEY_SPEC_SESSION_KEYRING));
	describe(user);
	CHECK(add("user", "one", "second!", KEY_SPEC_SESSION_KEYRING) == user);
	memset(text, '#', sizeof text);
	SHOW(KEYCTL(KEYCTL_READ, user, text, sizeof text));
	say("%.10s\n", text);
	memset(text, '#', sizeof text);
	SHOW(KEYCTL(KEYCTL_READ, user, text, 3));
	say("%.4s\n", text);
	SHOW(KEYCTL(KEYCTL_READ, user, NULL, 100));
	SHOW(KEYCTL(KEYCTL_READ, user, (char *)8, 100));
	long logon = SHOW_KEY(add("logon", "a:b", "secret", KEY_SPEC_SESSION_KEYRING));
	describe(logon);
	SHOW(KEYCTL(KEYCTL_READ, logon, text, sizeof text));
	long ring = SHOW_KEY(add("keyring", "ring", NULL, KEY_SPEC_SESSION_KEYRING));
	describe(ring);
	CHECK(add("keyring", "ring", NULL, KEY_SPEC_SESSION_KEYRING) != ring);
	SHOW_KEY(syscall(SYS_add_key, "user", "large", large, 32767, KEY_SPEC_SESSION_KEYRING));
	SHOW(syscall(SYS_add_key, "user", "large", large, 32768, KEY_SPEC_SESSION_KEYRING));
}

static void refused(void)
{
	static char name[5000];

	section("refused");
	memset(name, 'n', sizeof name - 1);
	SHOW(add("nonsense", "d", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(request("nonsense", "d", NULL, 0));
	SHOW(add(".user", "d", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(add("", "d", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(add("a-type-of-thirty-two-characters!", "d", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(add("keyring", ".d", NULL, KEY_SPEC_SESSION_KEYRING));
	SHOW(add("keyring", "d", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(add("user", "d", NULL, KEY_SPEC_SESSION_KEYRING));
	SHOW(add("user", "", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(add("user", NULL, "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(add("user", name, "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(add("logon", "no-colon", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(add("logon", ":colon", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(syscall(SYS_add_key, "user", "d", NULL, 5, KEY_SPEC_SESSION_KEYRING));
	SHOW(syscall(SYS_add_key, "user", "d", "p", 1 << 20, KEY_SPEC_SESSION_KEYRING));
	SHOW(syscall(SYS_add_key, (char *)8, "d", "p", 1, KEY_SPEC_SESSION_KEYRING));
	SHOW(syscall(SYS_add_key, "user", (char *)8, "p", 1, KEY_SPEC_SESSION_KEYRING));
	SHOW(request("user", NULL, NULL, 0));
	for (int id = 0; id > -11; id--)
		if (id == 0 || id < -5) {
			say("id %d\n", id);
			SHOW(add("user", "d", "p", id));
			SHOW(KEYCTL(KEYCTL_GET_KEYRING_ID, id, 1));
		}
	SHOW(KEYCTL(KEYCTL_DH_COMPUTE, 0, 0, 0, 0));
	SHOW(KEYCTL(33, 0, 0, 0, 0));
	SHOW(KEYCTL(-1, 0, 0, 0, 0));
}

static void states(void)
{
	char text[16];

	section("states");
	long key = add("user", "state", "p", KEY_SPEC_SESSION_KEYRING);
	SHOW(KEYCTL(KEYCTL_UPDATE, key, "longer", 6));
	SHOW(KEYCTL(KEYCTL_READ, key, text, sizeof text));
	SHOW(KEYCTL(KEYCTL_UPDATE, key, NULL, 0));
	SHOW(KEYCTL(KEYCTL_UPDATE, key, NULL, 5));
	SHOW(KEYCTL(KEYCTL_UPDATE, KEY_SPEC_SESSION_KEYRING, NULL, 0));
	SHOW(KEYCTL(KEYCTL_REVOKE, key));
	SHOW(KEYCTL(KEYCTL_REVOKE, key));
	SHOW(KEYCTL(KEYCTL_READ, key, text, sizeof text));
	SHOW(KEYCTL(KEYCTL_DESCRIBE, key, NULL, 0));
	SHOW(KEYCTL(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "state", 0));
	SHOW(KEYCTL(KEYCTL_UNLINK, key, KEY_SPEC_SESSION_KEYRING));
	key = add("user", "state", "p", KEY_SPEC_SESSION_KEYRING);
	SHOW(KEYCTL(KEYCTL_SET_TIMEOUT, key, 1));
	usleep(2100000);
	SHOW(KEYCTL(KEYCTL_READ, key, text, sizeof text));
	SHOW(KEYCTL(KEYCTL_UPDATE, key, "new", 3));
	SHOW(KEYCTL(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "state", 0));
	SHOW(request("user", "state", NULL, 0));
	CHECK(add("user", "state", "again", KEY_SPEC_SESSION_KEYRING) == key);
	SHOW(KEYCTL(KEYCTL_READ, key, text, sizeof text));
	SHOW(KEYCTL(KEYCTL_INVALIDATE, key)); /* Linux forgets it a moment later */
	SHOW(KEYCTL(KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, "user", "state", 0));
}

static void rights(void)
{
	char text[16];

	section("rights");
	long key = add("user", "right", "p", KEY_SPEC_SESSION_KEYRING);
	SHOW(KEYCTL(KEYCTL_SETPERM, key, 0x40000000));
	SHOW(KEYCTL(KEYCTL_SETPERM, key, 0x21000000)); /* view, setattr */
	describe(key);
	SHOW(KEYCTL(KEYCTL_READ, key, text, sizeof text)); /* without search not possessed */
	SHOW(KEYCTL(KEYCTL_SETPERM, key, 0x3f3f0000));
	key = add("user", "right", "p", KEY_SPEC_SESSION_KEYRING);
	SHOW(KEYCTL(KEYCTL_SETPERM, key, 0x293d0000)); /* no read, but possessed */
	SHOW(KEYCTL(KEYCTL_READ, key, text, sizeof text));
	SHOW(KEYCTL(KEYCTL_UPDATE, key, "new", 3));
	SHOW(KEYCTL(KEYCTL_SETPERM, key, 0x29290000));
	SHOW(KEYCTL(KEYCTL_UPDATE, key, "new", 3));
	SHOW(add("user", "right", "p", KEY_SPEC_SESSION_KEYRING));
	SHOW(KEYCTL(KEYCTL_LINK, key, KEY_SPEC_PROCESS_KEYRING));
	SHOW(KEYCTL(KEYCTL_CHOWN, key, -1, -1));
	SHOW(KEYCTL(KEYCTL_CHOWN, key, -1, getgid()));
	SHOW(KEYCTL(KEYCTL_GET_SECURITY, key, text, sizeof text));
	SHOW(KEYCTL(KEYCTL_SETPERM, key, 0));
	SHOW(KEYCTL(KEYCTL_DESCRIBE, key, NULL, 0));
	SHOW(KEYCTL(KEYCTL_SETPERM, key, 0x3f3f0000));
	SHOW(KEYCTL(KEYCTL_REVOKE, key));
}

static void requests(void)
{
	int ids[4];
	char text[16];

	section("requests");
	MUST(KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, NULL));
	SHOW(request("user", "wanted", NULL, 0));
	SHOW(request("keyring", "wanted", "callout", 0));
	SHOW(request("user", "wanted", "callout", KEY_SPEC_PROCESS_KEYRING));
	SHOW(request("user", "wanted", "callout", KEY_SPEC_PROCESS_KEYRING));
	SHOW(request("user", "wanted", NULL, 0));
	SHOW(KEYCTL(KEYCTL_READ, KEY_SPEC_PROCESS_KEYRING, ids, sizeof ids));
	SHOW(KEYCTL(KEYCTL_READ, ids[0], text, sizeof text));
	describe(ids[0]);
	SHOW(KEYCTL(KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, "user", "wanted", 0));
	CHECK(add("user", "wanted", "there", KEY_SPEC_PROCESS_KEYRING) == ids[0]);
	CHECK(request("user", "wanted", NULL, KEY_SPEC_SESSION_KEYRING) == ids[0]);
	SHOW(KEYCTL(KEYCTL_READ, KEY_SPEC_SESSION_KEYRING, ids, sizeof ids));
	SHOW(KEYCTL(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_NO_CHANGE));
	for (int ring = -2; ring <= 8; ring++)
		SHOW(KEYCTL(KEYCTL_SET_REQKEY_KEYRING, ring));
	SHOW(KEYCTL(KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_SESSION_KEYRING));
	SHOW(KEYCTL(KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, 0x0b000000));
	SHOW(request("user", "other", "callout", 0));
	SHOW(KEYCTL(KEYCTL_INSTANTIATE, ids[0], NULL, 0, 0));
	SHOW(KEYCTL(KEYCTL_NEGATE, ids[0], 1, 0));
	SHOW(KEYCTL(KEYCTL_REJECT, ids[0], 1, 0, 0));
	SHOW(KEYCTL(KEYCTL_REJECT, ids[0], 1, 512, 0));
	SHOW(KEYCTL(KEYCTL_REJECT, ids[0], 1, EACCES, 0));
	SHOW(KEYCTL(KEYCTL_INSTANTIATE_IOV, ids[0], NULL, 0, 0));
	SHOW(KEYCTL(KEYCTL_ASSUME_AUTHORITY, -1));
	SHOW(KEYCTL(KEYCTL_ASSUME_AUTHORITY, 0));
	SHOW(KEYCTL(KEYCTL_ASSUME_AUTHORITY, ids[0]));
}

int main(void)
{
	if (KEYCTL(KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		skip("no key rings here");
	making();
	refused();
	states();
	rights();
	requests();
	return 0;
}
