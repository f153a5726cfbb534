# git: a history with branches, merges, conflicts, tags, packing, a clone, rebase, bisect.
# needs: git
export GIT_AUTHOR_DATE="2024-01-01T00:00:00Z" GIT_COMMITTER_DATE="2024-01-01T00:00:00Z" GIT_CONFIG_GLOBAL=$PWD/config
git config --global user.email a@b; git config --global user.name n; git config --global init.defaultBranch main; git config --global advice.detachedHead false
git init -q one && cd one
for i in $(seq 30); do echo "line $i" >> file; mkdir -p dir$((i % 3)); echo $i > dir$((i % 3))/f$i; git add -A; git commit -qm "commit $i"; done
git checkout -qb side HEAD~5; echo side >> other; git add other; git commit -qm side
echo conflict >> file; git commit -qam "will conflict"; git merge -q main 2>&1; git status --short | head; git checkout -q --theirs file; git add -A; git commit -qm merged
git log --graph --oneline | head -12; git tag -a v1 -m tagged; git describe
git gc -q 2>&1; git fsck --full 2>&1; git count-objects -v | grep -c .
cd ..; git clone -q one two; cd two; git rev-parse HEAD; git log --format=%h | wc -l; git blame file | cut -d' ' -f1 | sort -u | wc -l
git checkout -qb r origin/main~3; echo r > r; git add r; git commit -qm r; git rebase -q origin/main 2>&1; git log --format=%s | head -3
git bisect start -q HEAD HEAD~20 >/dev/null; git bisect run sh -c '[ $(wc -l < file) -lt 20 ]' 2>&1 | grep "first bad"
git diff HEAD~2 --stat; git archive HEAD | tar t | wc -l; git stash list; git worktree add -q ../three HEAD; ls ../three
