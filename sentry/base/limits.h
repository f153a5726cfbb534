/* limits.h - every count that a guest chooses has a named limit here (rule W4). */
#ifndef SENTRY_BASE_LIMITS_H
#define SENTRY_BASE_LIMITS_H

#define ARENA_SHARE            2 /* of the memory may the sentry take one part in so many: it holds what files hold, too */
#define FIBER_LIMIT            8192 /* fibers of the sentry: tasks and its own helpers */
#define TASK_LIMIT             4096 /* tasks (threads) in a sandbox */
#define PATH_LIMIT             4096 /* bytes of a path with its zero byte, as PATH_MAX */
#define NAME_LIMIT             255  /* bytes of a file name */
#define SYMLINK_LIMIT          40   /* followed in one path walk, as Linux */
#define FILES_LEAST            8192 /* open files that even the smallest sandbox may have */
#define FD_LIMIT               (1 << 20)
#define FD_SOFT_DEFAULT        1024
#define FD_HARD_DEFAULT        1048576
#define VMA_LIMIT              65530 /* mappings of an address space, as vm.max_map_count */
#define FUTEX_WAITV_LIMIT      128   /* words of one futex_waitv(2), as FUTEX_WAITV_MAX */
#define IOV_LIMIT              1024
#define IO_LIMIT_BYTES         0x7ffff000ul      /* one read or write, as MAX_RW_COUNT */
#define ARG_LIMIT_BYTES        (128 * 1024)      /* one string of argv or envp, as MAX_ARG_STRLEN */
#define ARGS_LIMIT_BYTES       (2 * 1024 * 1024) /* argv and envp together: a quarter of an 8 MiB stack */
#define GROUPS_LIMIT           65536
#define SIGQUEUE_LIMIT         4096  /* queued signals of a user */
#define POSIX_TIMER_LIMIT      1024  /* timer_create of a process */
#define ROBUST_LIMIT           2048  /* entries of a robust list looked at when a thread ends, as ROBUST_LIST_LIMIT */
#define DENTRY_CACHE_LIMIT     65536 /* names remembered that nobody uses */
#define MOUNT_LIMIT            256
#define LOCK_LIMIT             65536         /* advisory locks of a sandbox */
#define LEASE_LIMIT            4096          /* leases of a sandbox */
#define XATTR_SIZE_LIMIT       65536         /* one value, as XATTR_SIZE_MAX */
#define XATTR_TOTAL_LIMIT      262144        /* names and values of an inode */
#define CHANGES_LIMIT_BYTES    (64ul << 20)  /* of paths that --diff and --save find, and have still to look at */
#define CHANGE_PATH_BYTES      (256ul << 10) /* the longest of them below an overlay that is not new */
#define DIR_SNAPSHOT_BYTES     (256ul << 20) /* one host directory's entries as an open directory holds them */
#define HOST_DIR_CACHE         512           /* host directories kept open for the next look-up */
#define HOST_OPEN_CACHE        256           /* host files kept open for the next open */
#define PIPE_DEFAULT_BYTES     65536
#define PIPE_LIMIT_BYTES       1048576
#define HOSTFILE_LIMIT         65536        /* host files open at one time */
#define PTY_LIMIT              1024         /* pseudoterminals (kernel.pty.max) */
#define PIPE_TOTAL_BYTES       (64ul << 20) /* capacity of all pipes from which new ones are small; at twice as much none */
#define SOCKET_BUFFER_DEFAULT  212992       /* SO_SNDBUF and SO_RCVBUF as Linux shows them */
#define SOCKET_BUFFER_LIMIT    8388608      /* what they can be set to at most */
#define SOCKET_TOTAL_BYTES     (256ul << 20)      /* in the queues of all Unix sockets */
#define SOCKET_BACKLOG_LIMIT   4096               /* net.core.somaxconn */
#define SOCKET_CONTROL_LIMIT   20480              /* control data of a message, as net.core.optmem_max was */
#define SOCKET_FILTER_LIMIT    (1u << 18)         /* instructions of all socket filters */
#define MQUEUE_LIMIT           256                /* POSIX message queues, as fs.mqueue.queues_max */
#define MQUEUE_PRIORITY_LIMIT  32768u             /* as MQ_PRIO_MAX */
#define UNIX_QUEUE_LIMIT       10                 /* datagrams of strangers in a queue, as net.unix.max_dgram_qlen */
#define UNIX_INFLIGHT_LIMIT    16384              /* open files that are on their way in messages */
#define EPOLL_WATCH_LIMIT      (1 << 20)          /* items of all epolls, as fs.epoll.max_user_watches */
#define INOTIFY_INSTANCE_LIMIT 1024               /* open inotify instances */
#define INOTIFY_WATCH_LIMIT    65536              /* watches of all of them */
#define INOTIFY_QUEUE_LIMIT    16384              /* events in one queue, as fs.inotify.max_queued_events */
#define SYSV_SHM_LIMIT         4096               /* shared memory segments, as kernel.shmmni */
#define SYSV_SEM_LIMIT         4096               /* semaphore sets */
#define SYSV_SEM_PER_SET       32000              /* as kernel.sem */
#define SYSV_SEM_TOTAL         1024000            /* semaphores of all sets */
#define SYSV_SEM_OPS           500                /* operations of one semop(2) */
#define SYSV_MSG_LIMIT         4096               /* message queues */
#define SYSV_MSG_BYTES         8192               /* one message, as kernel.msgmax */
#define SYSV_MSG_QUEUE_BYTES   16384              /* one queue, as kernel.msgmnb */
#define SYSV_MSG_TOTAL_BYTES   (64ul << 20)       /* of all messages */
#define SYSV_UNDO_BYTES        (16ul << 20)       /* what all SEM_UNDO notes take */
#define NET_TOTAL_BYTES        (256ul << 20)      /* in all queues of AF_INET and AF_INET6 */
#define RAW_SOCKET_LIMIT       1024               /* raw sockets: each looks at every packet */
#define PACKET_SOCKET_LIMIT    256                /* AF_PACKET sockets: likewise */
#define PACKET_RING_BYTES      (64ul << 20)       /* frames in memory shared with guests, all together */
#define LINK_LIMIT             16                 /* network interfaces */
#define ADDRESS_LIMIT          64                 /* addresses of one network interface */
#define ROUTE_LIMIT            256                /* entries of the routing table */
#define UPLINK_LIMIT           8                  /* links to the outside */
#define UPLINK_QUEUE           1000               /* frames that wait for room in one, as txqueuelen */
#define GROUP_LIMIT            4096               /* multicast groups that are listened to */
#define GROUP_SOCKET_LIMIT     20                 /* of them by one socket, as net.ipv4.igmp_max_memberships */
#define ROUTER_LIMIT           4                  /* IPv6 routers of a link that tell of themselves */
#define PREFIX_LIMIT           8                  /* networks that they tell of, and addresses made from these */
#define NEIGHBOUR_LIMIT        1024               /* as net.ipv4.neigh.default.gc_thresh3 */
#define NEIGHBOUR_QUEUE        64                 /* packets that wait until a neighbour has answered */
#define FRAGMENT_PACKETS       64                 /* packets of which fragments are missing */
#define FRAGMENT_TOTAL_BYTES   (4ul << 20)        /* in all of them, as net.ipv4.ipfrag_high_thresh */
#define POLICY_FLOW_LIMIT      16384              /* connections and flows of datagrams to the outside */
#define POLICY_PIN_LIMIT       4096               /* addresses of names that were looked up */
#define DNS_ASKERS             64                 /* questions to our forwarder at one time */
#define DNS_STREAMS            32                 /* connections to it */
#define TCP_SEND_LIMIT         (4u << 20)         /* what send buffers grow to by themselves (net.ipv4.tcp_wmem) */
#define TCP_RECEIVE_LIMIT      (6u << 20)         /* the same of receive buffers (net.ipv4.tcp_rmem) */
#define TCP_AHEAD_LIMIT        8192               /* segments of a connection that wait behind a hole */
#define TCP_SENT_LIMIT         1024               /* packets that a sender keeps apart before they are acknowledged */
#define TCP_TIME_WAIT_LIMIT    8192               /* connections in TIME_WAIT, as net.ipv4.tcp_max_tw_buckets */
#define URING_LIMIT            256                /* io_uring instances */
#define URING_TOTAL_BYTES      (128ul << 20)      /* the memory of their rings */
#define URING_REQUEST_LIMIT    16384              /* submissions that have not completed */
#define URING_WORKER_LIMIT     512                /* fibers that wait for them */
#define URING_OVERFLOW_LIMIT   65536              /* completions that found no place in a ring */
#define URING_WORK_LIMIT       (1u << 20)         /* requests looked at by one io_uring_enter(2) */
#define URING_BUFFER_LIMIT     16384              /* registered buffers of a ring, as UIO_MAXIOV << 4 */
#define URING_FILE_LIMIT       32768              /* registered files of a ring */
#define AIO_EVENT_LIMIT        65536u             /* events of all aio contexts, as fs.aio-max-nr */
#define KEY_LIMIT              65536              /* keys of all users, whatever quotas say (keyrings(7)) */
#define KEY_LINK_LIMIT         (1u << 17)         /* links of all keyrings: what one search can come across */
#define KEY_TOTAL_BYTES        (64ul << 20)       /* descriptions, payloads and links of all users */
#define KEY_PAYLOAD_BYTES      32767              /* of one user or logon key */
#define KEY_DESCRIPTION_BYTES  4095               /* as KEY_MAX_DESC_SIZE - 1 */
#define KEYRING_DEPTH_LIMIT    6                  /* keyrings in keyrings that a search goes down, as Linux */
#define SPLICE_BYTES           65536              /* one step of splice(2) into a pipe */
#define HOSTIO_LIMIT           16384              /* operations of the sentry that wait for the host at one time */
#define NODE_LIMIT             1024               /* descriptions of files in /proc and /sys */
#define NODE_TEXT_LIMIT        (16 * 1024 * 1024) /* bytes of one file there: maps of VMA_LIMIT mappings fit */

#endif
