# less driven by keys: paging, searching, marks, a pipe, a growing file, a shell command, a new window size
# needs: tmux less seq
# where: host
. lib/terminal.bash
seq -f "line %g of the file" 1000 > file
start "$RUN less file"
shows '^line 1 of'; screen | tail -3; keys Space; shows '^line 24 of'; screen; text /600; keys Enter; shows '^line 600 of'; screen | head -3; text n; shows 'Pattern not found|\(END\)|line 600'; text G; shows '^line 1000 of'; screen | tail -3
text g; shows '^line 1 of'; text 50j; shows '^line 51 of'; text ma; text G; shows '\(END\)|line 1000'; text "'a"; shows '^line 51 of'; screen | head -2; text -N; keys Enter; shows ' 51 line'; screen | head -3; text =; shows 'lines 51'; screen | tail -1; keys Enter; text '&77'; keys Enter; shows '^ +77 line'; screen
text '!echo from a shell'; keys Enter; shows 'press RETURN'; screen | tail -3; keys Enter; gone 'press RETURN'; text q; shows '^ended with'; screen | tail -1
start "$RUN sh -c 'seq 100 | less -S'"
shows '^1$'; text G; shows '^100$'; screen | tail -2; terminal resize-window -x 60 -y 10; sleep 0.5; text g; shows '^1$'; screen; text q; shows '^ended with'
start "$RUN sh -c '(sleep 1; for i in 1 2 3; do echo grown \$i >> new; sleep 0.2; done) & echo first > new; exec less +F new'"
shows 'grown 3'; screen; keys C-c; shows 'END'; text q; shows '^ended with'
