# A network in which nobody else listens: natively a namespace of its own; a sandbox has one anyway, and refuses.
if [ -z "${OWN_NETWORK:-}" ] && unshare -n true 2>/dev/null; then OWN_NETWORK=1 exec unshare -n bash "$0"; fi
ip link set lo up
# Waits until somebody listens at a port of 127.0.0.1.
await() { for _ in $(seq 200); do (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null && return; sleep 0.05; done; echo "nobody at $1"; }
