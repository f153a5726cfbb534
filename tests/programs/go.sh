# Go: a program with goroutines, processes and signals is built and run; then the tests of packages of the standard library.
# needs: go
# seconds: 900
export HOME=$PWD GOCACHE=$PWD/cache GOTOOLCHAIN=local GOFLAGS=-p=2 GO111MODULE=off
cat > main.go <<'G'
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func main() {
	fmt.Println("processors", runtime.NumCPU() == runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	var lock sync.Mutex
	sum := 0
	for i := 0; i < 1000; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			time.Sleep(time.Millisecond)
			lock.Lock()
			sum += i
			lock.Unlock()
		}(i)
	}
	wait.Wait()
	fmt.Println("sum", sum)
	out, err := exec.Command("sh", "-c", "echo child; exit 3").Output()
	fmt.Printf("%q %v\n", out, err)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-signals)
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("collected", stats.NumGC > 0)
}
G
go build -o hello main.go && ./hello
for package in strings sort sync time io bufio path/filepath; do
	go test -short $package 2>&1 | sed 's/\t[0-9.]*s$//; s/(cached)//'
done
