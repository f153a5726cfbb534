# A terminal of 80x24 characters (tmux), keys typed into it, and what it shows then. Sourced by scripts.
#
# Nothing here waits for a time: a step waits for what the screen must show, for at most 12 s, then says so.
terminals=0
terminal_place=$(mktemp -d /tmp/terminal.XXXXXX)
terminal() { tmux -u -S "$terminal_place/$terminals" -f /dev/null "$@"; }
trap 'terminal kill-server 2>/dev/null; rm -rf "$terminal_place"' EXIT

# start COMMAND: in a fresh terminal that stays after its end
start() {
	prompts=0
	terminal kill-server 2> /dev/null
	terminals=$((terminals + 1)) # the old server may still be ending
	terminal new-session -d -x 80 -y 24 "sleep 1000" \; set -g status off \; set -g remain-on-exit on \; set -g escape-time 0 \; \
		set -g remain-on-exit-format "ended with #{pane_dead_status}" \; resize-window -x 80 -y 24 \; respawn-pane -k "$1"
}
screen() { terminal capture-pane -p | sed 's/ *$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }
# shows REGEX: waits until a line of the screen matches
shows() {
	for _ in $(seq 120); do screen | grep -qE -- "$1" && return; sleep 0.1; done
	echo "the screen does not show $1:"; screen; return 1
}
# gone REGEX: waits until none does
gone() {
	for _ in $(seq 120); do screen | grep -qE -- "$1" || return; sleep 0.1; done
	echo "the screen still shows $1:"; screen; return 1
}
keys() { terminal send-keys "$@"; }
text() { terminal send-keys -l -- "$1"; }
# For shells whose prompt is PROMPT: it counts, so that one prompt cannot be taken for another.
PROMPT='$((n=n+1))> '
prompt() {
	prompts=$((prompts + 1))
	for _ in $(seq 120); do [ "$(screen | tail -1)" = "$prompts>" ] && return; sleep 0.1; done
	echo "no prompt $prompts:"; screen; return 1
}
# run COMMAND: types it and waits for the next prompt
run() { text "$1"; keys Enter; prompt; }
