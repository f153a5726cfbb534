/* view.c - the tree of a sandbox as a list of mounts, in the order in which they are made.
 *
 * Without --rootfs: the host's /usr with /bin, /sbin and /lib* as the host has them (mostly links into /usr),
 * read-only; from /etc only what programs need to work (etc_names), never what they could betray (passwords, keys,
 * hosts' configuration); the sandbox's own name in /etc/hostname and /etc/hosts, as containers have it, an
 * /etc/shadow without passwords, and PAM rules to go with it; private /tmp, /var/tmp and /run; /proc, /sys, /dev of our
 * own; then the working directory at its own path, its changes kept in the sandbox. With --rootfs: that directory as
 * the root, copy on write, and no working directory of the host. What --mount and --rw name comes last, so it may cover
 * what is there.
 *
 * Limits: VIEW_LIMIT mounts. A working directory that is "/", or in /proc, /sys or /dev, is not shown: it would give
 * away the whole host, or a device.
 */
#include "runtime/view.h"

#include "netstack/dns.h"
#include "platform/hostfile.h"
#include "runtime/fail.h"
#include "runtime/users.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Programs and libraries. */
static const char *const system_names[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

static const char *const etc_names[] = {
	"/etc/alternatives",
	"/etc/bash.bashrc",
	"/etc/ca-certificates",
	"/etc/ca-certificates.conf",
	"/etc/debian_version",
	"/etc/default/locale",
	"/etc/environment",
	"/etc/fonts",
	"/etc/gai.conf",
	"/etc/group",
	"/etc/host.conf",
	"/etc/inputrc",
	"/etc/issue",
	"/etc/java-17-openjdk",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/locale.alias",
	"/etc/localtime",
	"/etc/lsb-release",
	"/etc/magic",
	"/etc/magic.mime",
	"/etc/mailcap",
	"/etc/mime.types",
	"/etc/networks",
	"/etc/nsswitch.conf",
	"/etc/os-release",
	"/etc/passwd",
	"/etc/perl",
	"/etc/php",
	"/etc/profile",
	"/etc/profile.d",
	"/etc/protocols",
	"/etc/python3",
	"/etc/python3.11",
	"/etc/rpc",
	"/etc/services",
	"/etc/shells",
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/terminfo",
	"/etc/timezone",
	"/etc/vim",
};

static struct mount_spec *add_spec(struct view *view, enum mount_type type, const char *target)
{
	if (view->count == VIEW_LIMIT)
		fail("more than %d mounts; show the directory around some of them instead", VIEW_LIMIT);
	struct mount_spec *spec = &view->specs[view->count];
	*spec = (struct mount_spec){.type = type, .target = target, .host_dir = HOSTFILE_NONE};
	view->shown[view->count++] = -1;
	return spec;
}

static void add_tmpfs(struct view *view, const char *target, uint32_t mode, uint64_t size_bytes)
{
	struct mount_spec *spec = add_spec(view, MOUNT_TMPFS, target);

	spec->mode = mode;
	spec->size_bytes = size_bytes;
}

/* source: absolute, resolved. */
static void add_host(struct view *view, const char *source, const char *target, enum share_mode mode, bool is_file)
{
	static const enum mount_type types[] = {
		[SHARE_RO] = MOUNT_HOST_RO, [SHARE_RW] = MOUNT_HOST_RW, [SHARE_COW] = MOUNT_OVERLAY};
	struct mount_spec *spec = add_spec(view, types[mode], target);

	spec->is_file = is_file;
	view->shown[view->count - 1] = (int)view->host_count;
	view->host[view->host_count++] =
		(struct jail_view){.source = source, .writable = mode == SHARE_RW, .is_file = is_file, .fd = -1};
}

/* A part of the host at its own place, if the host has it: a link as a link, a directory or file read-only. */
static void add_same(struct view *view, const char *path)
{
	struct stat attributes;
	char text[PATH_MAX];

	if (lstat(path, &attributes))
		return;
	if (S_ISLNK(attributes.st_mode)) {
		ssize_t n = readlink(path, text, sizeof text - 1);
		if (n <= 0)
			return;
		text[n] = 0;
		add_spec(view, MOUNT_TMPFS, path)->symlink = must_copy(text);
	} else if (S_ISDIR(attributes.st_mode) || S_ISREG(attributes.st_mode)) {
		if (access(path, R_OK))
			return; /* an ordinary user's sandbox does without what he cannot read */
		add_host(view, path, path, SHARE_RO, S_ISREG(attributes.st_mode));
	}
}

static bool is_below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return !strncmp(path, directory, n) && (!path[n] || path[n] == '/');
}

/* The sandbox's kernel gives up every capability, so what only root's privilege opens stays closed: better said here
 * than found out there. */
static bool needs_privilege(const struct stat *attributes)
{
	uint32_t shift = attributes->st_uid == geteuid() ? 6 : attributes->st_gid == getegid() ? 3 : 0;
	uint32_t wanted = S_ISDIR(attributes->st_mode) ? 5 : 4;

	return geteuid() == 0 && (attributes->st_mode >> shift & wanted) != wanted;
}

/* option: how the person said it, for the message. */
static void add_named(struct view *view, const char *option, const char *source, const char *target,
		      enum share_mode mode)
{
	struct stat attributes;
	char *full = realpath(source, NULL);

	if (!full || stat(full, &attributes))
		fail_to_read(option, source, errno);
	if (!S_ISDIR(attributes.st_mode) && !S_ISREG(attributes.st_mode))
		fail("%s %s: neither a directory nor a regular file, and only these can be shown; the sandbox has a "
		     "/dev of its own",
		     option, source);
	if (access(full, R_OK))
		fail_to_read(option, source, errno);
	if (needs_privilege(&attributes))
		fail("%s %s: only root's privilege can read it, which a sandbox does not have: run usbx as its owner",
		     option, source);
	if (!strcmp(target, "/") && !S_ISDIR(attributes.st_mode))
		fail("%s %s: not a directory; name the one that has the root's bin, lib and so on in it", option,
		     source);
	add_host(view, full, target, mode, S_ISREG(attributes.st_mode));
}

/* What each file system in memory may hold; 0: a default. */
static uint64_t files_share(const struct options *options)
{
	return options->disk_bytes ? options->disk_bytes : options->memory_bytes / 2;
}

static void add_kernel_mounts(struct view *view, const struct options *options)
{
	uint64_t half = files_share(options);

	add_tmpfs(view, "/tmp", 01777, half);
	add_tmpfs(view, "/var/tmp", 01777, half);
	add_tmpfs(view, "/run", 0755, half);
	add_spec(view, MOUNT_PROC, "/proc");
	add_spec(view, MOUNT_SYS, "/sys");
	add_spec(view, MOUNT_DEV, "/dev");
	add_spec(view, MOUNT_DEVPTS, "/dev/pts");
	add_tmpfs(view, "/dev/shm", 01777, half);
}

static void add_working_directory(struct view *view)
{
	char *path = getcwd(NULL, 0);

	if (!path || *path != '/')
		fail("the working directory is gone or out of reach (%s): change to another one",
		     path ? "unreachable" : strerror(errno));
	view->workdir = path;
	if (!strcmp(path, "/") || is_below(path, "/proc") || is_below(path, "/sys") || is_below(path, "/dev"))
		return;
	struct stat attributes;
	if (access(".", R_OK | X_OK) || stat(".", &attributes))
		fail("the working directory %s cannot be read: change to another one", path);
	if (needs_privilege(&attributes))
		fail("only root's privilege can read the working directory %s, which a sandbox does not have: run usbx "
		     "as its owner, or in another directory",
		     path);
	add_host(view, path, path, SHARE_COW, false);
}

/* A file of the sandbox's own. Takes text. */
static void add_text(struct view *view, const char *target, uint32_t mode, char *text)
{
	struct mount_spec *spec = add_spec(view, MOUNT_TMPFS, target);

	spec->mode = mode;
	spec->text = text;
}

/* The sandbox's name is to be found, as that of any machine: programs look up what gethostname(2) says. */
static void add_names(struct view *view, const char *hostname)
{
	char text[512];

	snprintf(text, sizeof text, "%s\n", hostname);
	add_text(view, "/etc/hostname", 0644, must_copy(text));
	snprintf(text, sizeof text, "127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost ip6-localhost ip6-loopback\n",
		 hostname);
	add_text(view, "/etc/hosts", 0644, must_copy(text));
}

/* su(1), runuser(1) and the like ask PAM. The host's own rules may hold passwords and name services that are not here:
 * the sandbox's root may become anybody, others need a password that nobody has. */
static const char pam_rules[] = "auth sufficient pam_rootok.so\n"
				"auth required pam_unix.so\n"
				"account required pam_unix.so\n"
				"password required pam_unix.so\n"
				"session required pam_unix.so quiet\n";

/* Whom to ask for names. With no network nobody is there, and nobody is named. */
static void add_resolvers(struct view *view, const struct network_options *network)
{
	bool asked =
		network->kind != NETWORK_NONE; /* the stack's own forwarder, which asks the resolvers of the options */

	add_text(view, "/etc/resolv.conf", 0644, must_copy(asked ? "nameserver " DNS_ADDRESS_TEXT "\n" : ""));
}

void view_build(struct view *view, const struct options *options)
{
	view->workdir = "/";
	if (options->rootfs) {
		add_named(view, "--rootfs", options->rootfs, "/", SHARE_COW);
		if (options->network.kind != NETWORK_NONE)
			add_resolvers(view, &options->network);
		add_kernel_mounts(view, options);
	} else {
		for (unsigned i = 0; i < COUNT(system_names); i++)
			add_same(view, system_names[i]);
		for (unsigned i = 0; i < COUNT(etc_names); i++)
			add_same(view, etc_names[i]);
		add_names(view, options->hostname);
		add_text(view, "/etc/shadow", 0600, users_shadow());
		add_text(view, "/etc/pam.d/other", 0644, must_copy(pam_rules));
		add_resolvers(view, &options->network);
		add_kernel_mounts(view, options);
		add_working_directory(view);
	}
	for (unsigned i = 0; i < options->mount_count; i++) {
		const struct mount_option *mount = &options->mounts[i];
		add_named(view, mount->option, mount->source, mount->target, mount->mode);
	}
	for (unsigned i = 0; i < view->count; i++)
		if (view->specs[i].type == MOUNT_OVERLAY)
			view->specs[i].size_bytes = files_share(options);
	if (options->workdir)
		view->workdir = options->workdir;
}
