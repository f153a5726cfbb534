/* capget and capset: dropping a capability drops what it allowed. */
#include "guest.h"
#include <linux/capability.h>

struct caps {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[2];
};

static struct caps get(void)
{
	struct caps caps = {.header = {_LINUX_CAPABILITY_VERSION_3, 0}};
	MUST(syscall(SYS_capget, &caps.header, caps.data));
	return caps;
}

static bool has(const struct caps *caps, int cap)
{
	return caps->data[0].effective >> cap & 1;
}

static void dropped(void)
{
	struct caps caps = get();
	caps.data[0].effective &= ~(1u << CAP_CHOWN);
	SHOW(syscall(SYS_capset, &caps.header, caps.data));
	SHOW(chown("file", 5, 5));
	caps.data[0].effective |= 1u << CAP_CHOWN;
	SHOW(syscall(SYS_capset, &caps.header, caps.data));
	SHOW(chown("file", 6, 6));
	caps.data[0].effective &= ~(1u << CAP_CHOWN);
	caps.data[0].permitted &= ~(1u << CAP_CHOWN);
	SHOW(syscall(SYS_capset, &caps.header, caps.data));
	caps.data[0].effective |= 1u << CAP_CHOWN;
	caps.data[0].permitted |= 1u << CAP_CHOWN;
	SHOW(syscall(SYS_capset, &caps.header, caps.data));
	SHOW(chown("file", 7, 7));
	section("files of others");
	caps.data[0].effective &= ~(1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH);
	caps.data[0].permitted &= ~(1u << CAP_CHOWN);
	SHOW(syscall(SYS_capset, &caps.header, caps.data));
	SHOW(open("locked", O_RDONLY));
}

static void as_user(void)
{
	struct caps before = get();
	MUST(setresuid(-1, 1000, -1));
	struct caps caps = get();
	SHOW(has(&caps, CAP_CHOWN));
	SHOW(caps.data[0].permitted == before.data[0].permitted);
	MUST(setresuid(-1, 0, -1));
	caps = get();
	SHOW(has(&caps, CAP_CHOWN));
	MUST(setresuid(1000, 1000, 1000));
	caps = get();
	SHOW(caps.data[0].effective | caps.data[0].permitted);
}

static void keeping(void)
{
	SHOW(prctl(PR_SET_KEEPCAPS, 1));
	MUST(setresuid(1000, 1000, 1000));
	struct caps caps = get();
	SHOW(has(&caps, CAP_CHOWN));
	SHOW(caps.data[0].permitted >> CAP_CHOWN & 1);
	caps.data[0].effective = caps.data[0].permitted;
	SHOW(syscall(SYS_capset, &caps.header, caps.data));
	SHOW(chown("file", 8, 8));
}

int main(void)
{
	struct caps caps = get();
	CHECK(has(&caps, CAP_CHOWN) && has(&caps, CAP_KILL) && has(&caps, CAP_SETUID));
	make_file("file", "");
	make_file("locked", "");
	MUST(chown("locked", 1000, 1000));
	MUST(chmod("locked", 0600));
	in_child("dropped", dropped);
	in_child("user", as_user);
	in_child("keeping", keeping);
	section("errors");
	caps.header.version = 1;
	SHOW(syscall(SYS_capget, &caps.header, caps.data));
	SHOW(caps.header.version == _LINUX_CAPABILITY_VERSION_3);
	caps.header.pid = 1 << 22;
	SHOW(syscall(SYS_capget, &caps.header, caps.data));
	caps.header.pid = -1;
	SHOW(syscall(SYS_capget, &caps.header, caps.data));
	SHOW(syscall(SYS_capget, NULL, NULL));
	return 0;
}
