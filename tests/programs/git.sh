# git: 500 commits with branches, merges, conflicts, tags, packing, a clone, rebase, bisect, fsck, gc
# needs: git
# seconds: 300
export GIT_AUTHOR_DATE="2024-01-01T00:00:00Z" GIT_COMMITTER_DATE="2024-01-01T00:00:00Z" GIT_CONFIG_GLOBAL=$PWD/config
git config --global user.email a@b; git config --global user.name n; git config --global init.defaultBranch main; git config --global advice.detachedHead false
git config --global protocol.file.allow always
git init -q one && cd one
for i in $(seq 500); do
	echo "line $i" >> file; mkdir -p dir$((i % 7)); echo $i > dir$((i % 7))/f$i
	[ $((i % 50)) = 0 ] && { git mv dir0/f$((i - i % 7)) moved$i; ln -s file link$i; chmod +x dir$((i % 7))/f$i; }
	git add -A; git commit -qm "commit $i"
	[ $((i % 100)) = 0 ] && { git checkout -qb topic$i HEAD~10; echo $i > topic; git add topic; git commit -qm "topic $i"; git checkout -q main; git merge -q -m "merge $i" topic$i 2>&1 || { git checkout -q --theirs topic; git add topic; git commit -qm "merge $i resolved"; }; }
done
git log --format=%h | wc -l; git rev-parse HEAD; git branch | cat
git checkout -qb side HEAD~25; echo side >> other; git add other; git commit -qm side
echo conflict >> file; git commit -qam "will conflict"; git merge main 2>&1; git status --short | sort | head -20; git diff --name-only --diff-filter=U; git checkout -q --theirs file; git add -A; git commit -qm merged
git log --graph --oneline -30; git tag -a v1 -m tagged; git describe; git tag v2; git for-each-ref | cat
git log --stat -3 | cat; git shortlog -s HEAD; git show --format=fuller v1 | head -40
git gc -q --aggressive --prune=now 2>&1; git fsck --full --strict 2>&1; git count-objects -v | sed 's/\(size.*\):.*/\1/'; git verify-pack -v .git/objects/pack/*.idx | grep -c commit
git repack -adfq; git prune-packed; git pack-refs --all; cat .git/packed-refs | wc -l; git reflog | wc -l
cd ..; git clone -q one two; git clone -q --bare one three.git; git clone -q --depth 5 file://$PWD/one four; git -C four log --oneline | wc -l; cd two; git rev-parse HEAD; git log --format=%h | wc -l; git blame file | cut -d' ' -f1 | sort -u | wc -l
git checkout -qb r origin/main~40; for i in 1 2 3 4 5; do echo r$i > r$i; git add r$i; git commit -qm r$i; done; git rebase -q origin/main 2>&1; git log --format=%s | head -7
echo mine > file; git commit -qam mine; git rebase origin/main~3 2>&1 | sed 's/.*\r//'; git status | head -3; git rebase --abort 2>&1; git rebase -q -X theirs origin/main~3 2>&1; git log --format=%s | head -3
GIT_SEQUENCE_EDITOR="sed -i 2s/pick/squash/" GIT_EDITOR=true git rebase -qi HEAD~4 2>&1; git log --format=%B -3
git bisect start -q HEAD HEAD~200 >/dev/null; git bisect run sh -c '[ $(grep -c line file) -lt 400 ]' 2>&1 | grep "first bad"; git bisect reset -q 2>&1
git push -q ../three.git r 2>&1; git -C ../three.git log --format=%s -2 r; git fetch -q --all 2>&1; git pull -q --rebase ../three.git r 2>&1; git status -sb | head -3
git diff HEAD~2 --stat; git archive HEAD | tar t | wc -l; echo dirty > dirty; git add dirty; git stash -q; git stash list; git stash pop -q; git status --short; git worktree add -q ../five HEAD; ls ../five | wc -l; git worktree list | wc -l
git cherry-pick origin/topic100 2>&1 | grep -v Date; git revert --no-edit HEAD~1 2>&1 | grep -v Date; git grep -n "line 25" | head -3; git ls-files | wc -l; git clean -fdx; git sparse-checkout set dir1 2>&1; ls
git submodule -q add ../one sub 2>&1; git commit -qm sub; git submodule status | cut -c2-8,42-; git bundle create -q ../b.bundle HEAD; git bundle verify -q ../b.bundle; git format-patch -q -3; ls *.patch; git reset -q --hard HEAD~1; git am -q 0003*.patch 2>&1 | head -3; git notes add -m note; git log -1 --format=%N
