#!/bin/bash
# make: parallel jobs, pattern rules, dependencies, failures, recursion, time stamps.
cat > Makefile << 'X'
SRC := $(wildcard *.in)
OUT := $(SRC:.in=.out)
all: $(OUT) total
%.out: %.in ; @tr a-z A-Z < $< > $@; echo made $@
total: $(OUT) ; @cat $^ | sort > $@
fail: ; @exit 3
keep: bad other
bad: ; @false
other: ; @echo other done
sub: ; @$(MAKE) --no-print-directory -C dir
define text
one
two
endef
export text
show: ; @echo "$$text" $(words a b c) $(subst a,b,banana) $(shell echo shell) $(if ,no,yes) $(foreach x,1 2,<$(x)>)
-include missing.mk
.PHONY: all fail keep bad other sub show
X
for i in 1 2 3 4 5 6; do echo "text $i" > $i.in; done; mkdir dir; echo 'all: ; @echo in sub $(MAKELEVEL)' > dir/Makefile
make -j2 | sort; cat total; make; sleep 0.02; touch 3.in; make -s -j3 | sort; make -n fail; make fail 2> /dev/null; echo $?; make -k keep 2> /dev/null; echo $?; make -j2 sub; make show; make -q total; echo $?; touch 1.in; make -q total; echo $?; make -B -s | wc -l; make nothing 2>&1 | sed 's/make: //'; make --version | head -1; echo 'x: ; @sleep 0.2; echo x' > p.mk; echo 'y: ; @sleep 0.2; echo y' >> p.mk; echo 'both: x y' >> p.mk; make -j2 -f p.mk both | sort; rm -f *.out; make -s -o total 2.out
