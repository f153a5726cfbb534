# Job control typed at bash and dash: &, jobs, fg, bg, ctrl-Z, ctrl-C, ctrl-\, ctrl-D, wait, kill %1, tostop, a new window size
# needs: tmux bash dash stty
# where: host
# seconds: 300
. lib/terminal.bash
# Between kill and wait the shell must have time to see the end: `kill %1; wait` prints the job's line only if the job is still alive
# when wait begins, which is chance (natively 1 of 100 times without the line, 20 of 20 with a long loop between the two).
masked() { screen | sed -E 's/^(\[[0-9]+\]) [0-9]+$/\1 PID/; s/^(\[[0-9]+\][-+ ]*) [0-9]+ /\1 PID /'; }
for shell in "bash --norc --noprofile -i" "dash -i"; do
	echo "==== $shell"
	start "env PS1='$PROMPT' n=0 $RUN $shell"; [ -n "$RUN" ] && { shows '[#$>]$'; }
	[ "$(screen | tail -1)" = "1>" ] || true; prompts=0
	if ! screen | grep -q '^1>'; then text "n=0; PS1='$PROMPT'; clear"; keys Enter; fi; prompt
	run 'sleep 100 &'; run 'jobs'; text 'fg'; keys Enter; shows '^sleep 100$'; keys C-z; prompt; run 'jobs'; run 'bg'; run 'jobs'; run 'kill %1; sleep 0.5; wait; echo killed'; run 'jobs'
	masked; run clear
	text 'sh -c "echo begun; exec sleep 100"'; keys Enter; shows '^begun$'; keys C-c; prompt; run 'echo status $?'
	text 'sh -c "echo second; exec sleep 100"'; keys Enter; shows '^second$'; keys C-z; prompt; run 'echo status $?'; text 'fg'; keys Enter; shows '^sh -c'; keys C-c; prompt; run 'echo status $?'
	run 'ulimit -c 0'; text 'sh -c "echo third; exec sleep 100"'; keys Enter; shows '^third$'; keys 'C-\'; prompt; run 'echo status $?'
	masked; run clear
	text 'sh -c "echo ready; exec cat"'; keys Enter; shows '^ready$'; text 'a line'; keys Enter; shows '^a line$'; sleep 0.5; text 'unfinished'; keys C-u; text 'again wrong'; keys C-w; text 'right'; keys Enter; shows '^again right$'; keys C-d; prompt; run 'echo status $?'
	run 'cat &'; run 'sleep 0.3; jobs'; text 'fg'; keys Enter; shows '^cat$'; text 'read by cat'; keys Enter; keys C-d; prompt
	masked; run clear
	run 'stty tostop'; run '(sleep 0.1; echo written) &'; run 'sleep 0.5; jobs'; text 'fg'; keys Enter; prompt; run 'stty -tostop'
	text 'sleep 50 | sleep 60 | sh -c "echo pipe; sleep 70"'; keys Enter; shows '^pipe$'; keys C-z; prompt; run 'jobs'; run 'bg %1'; run 'jobs'; text 'fg %1'; keys Enter; shows '^sleep 50'; sleep 0.5; keys C-c; prompt; run 'jobs'
	masked; run clear
	run 'sleep 0.2 & sleep 0.3 & wait; echo both'; run 'sh -c "exit 7" & wait $!; echo $?'; run 'sleep 33 & kill -STOP $!; sleep 0.3; jobs'; run 'kill -CONT %1; sleep 0.2; jobs; kill -9 %1; wait %1; echo $?'
	run 'stty size; tty | cut -c1-8; test -t 0 && echo terminal'; terminal resize-window -x 100 -y 30; sleep 0.5; run 'stty size'; run 'trap "echo winch" WINCH'; run "clear"; terminal resize-window -x 80 -y 24; sleep 0.5; run 'stty size'
	masked; run clear
	run 'stty -a | head -1 | cut -d";" -f1'; run 'stty -echo'; text 'echo not seen'; keys Enter; prompt; run 'stty echo'; text 'read -r line; echo "<$line>"'; keys Enter; sleep 0.2; text 'an answer'; keys Enter; prompt
	text 'sleep 200'; keys Enter; sleep 0.5; keys C-z; prompt; text exit; keys Enter; prompt; masked; text exit; keys Enter; shows '^ended with'; masked
done
