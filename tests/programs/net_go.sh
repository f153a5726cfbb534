# Go's own tests of net and net/http: each by name, passed, failed or skipped. Not those of MPTCP and ptrace, which a sandbox has not
# needs: go
# seconds: 1200
export HOME=$PWD GOCACHE=$PWD/cache GOTOOLCHAIN=local GOFLAGS=-p=2
cd "$(go env GOROOT)/src"
for package in net net/http; do
	go test -short -count=1 -vet=off -v $package 2>&1 | grep -P '^--- |^(ok|FAIL|panic)' | sed "s|^|$package: |; s/ ([0-9.]*s)//; s/\t[0-9.]*s\b//; s/ *$//" | grep -vE "MultiPathTCP|TestLinuxSendfile$" | sort
done
